"""What is wrong with what came back for an attempt. Nothing here has effects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from xenconform.conformance.checks.hostile_bodies import PATHS, TRACES
from xenconform.conformance.checks.judging import describe
from xenconform.conformance.codec import codec_for
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.connections import Heard
from xenconform.conformance.fuzz.stage import CANARY
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Outcome, Success
from xenconform.models.exchange import Exchange
from xenconform.models.flaws import clause_of
from xenconform.strategies.hostile import Owed

ACCEPTED: Final = frozenset({"xml-fault", "http-status", "id-not-echoed"})
"""Kinds of breach that refuse hostile input well enough: a library's own fault, an HTTP error, an unread id."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong: the clause it breaks, its cause, equal for what is one defect, and what was seen."""

    clause: str
    cause: str
    expected: str
    actual: str


def judge_post(attempt: Attempt, exchange: Exchange, secrets: tuple[bytes, ...]) -> Iterator[Wrong]:
    """Yield what is wrong with the reply to a body that was posted. `secrets` are what no reply may show."""
    yield from _leaks(attempt, exchange.received, secrets)
    outcome = exchange.reply.outcome
    if isinstance(outcome, Breach) and outcome.kind == "http-timeout":
        yield Wrong("ROBUST-ALIVE", f"no answer, {attempt.cause}", "an answer in time", describe(exchange))
        return
    if isinstance(outcome, Breach) and outcome.kind not in ACCEPTED and exchange.status == 200:
        clause = clause_of(outcome.kind, attempt.format)
        yield Wrong(clause, outcome.kind, "a reply as the clause says, or a refusal", describe(exchange))
    if attempt.owed is Owed.REFUSED and isinstance(outcome, Success):
        yield Wrong(attempt.clause, attempt.cause, f"{attempt.what} is refused", describe(exchange))
    if attempt.owed is Owed.ANSWERED and not isinstance(outcome, Success):
        said = f"HTTP {exchange.status}, {describe(exchange)}"
        yield Wrong(attempt.clause, attempt.cause, f"{attempt.what} is answered", said)


def judge_talk(
    attempt: Attempt, heard: Heard, outcomes: Sequence[Outcome], secrets: tuple[bytes, ...]
) -> Iterator[Wrong]:
    """Yield what is wrong with what came back over a connection of its own; `outcomes` are the replies, read."""
    yield from _leaks(attempt, heard.received, secrets)
    replies = heard.replies
    if replies.broken:
        yield Wrong("ROBUST-HTTP", "replies that are no HTTP", "HTTP/1 replies", f"{replies.broken}: {_start(heard)}")
    elif replies.whole > attempt.most:
        expected = f"{attempt.most} repl{'y' if attempt.most == 1 else 'ies'} at most to {attempt.what}"
        yield Wrong(attempt.clause, attempt.cause, expected, f"{replies.whole} replies, of {replies.statuses}")
    if attempt.owed is Owed.ANSWERED and (not replies.statuses or replies.statuses[0] != 200):
        yield Wrong(attempt.clause, attempt.cause, f"{attempt.what} is answered", _start(heard))
    if attempt.owed is Owed.REFUSED and any(isinstance(each, Success) for each in outcomes):
        yield Wrong(attempt.clause, attempt.cause, f"{attempt.what} is refused", _start(heard))


def outcomes_of(attempt: Attempt, heard: Heard, api: Api) -> list[Outcome]:
    """Return what the replies of a connection say, read by their tags alone."""
    codec = codec_for(attempt.format)
    return [codec.decode_reply(body, None, None, api, "", bare_ok=True).outcome for body in heard.replies.bodies]


def was_refused(attempt: Attempt, outcomes: Sequence[Outcome], *, answered: bool) -> bool:
    """Whether an attempt was turned down, so that it may have changed nothing.

    Of what was not answered that is not known, unless it is to be turned down in any case.
    """
    if any(_has_written(each) for each in outcomes):
        return False
    return answered or attempt.owed is Owed.REFUSED


def may_have_written(attempt: Attempt, outcomes: Sequence[Outcome]) -> bool:
    """Whether an attempt that was not turned down may have written something by right."""
    return not outcomes or attempt.end != "" or any(_has_written(each) for each in outcomes)


def _has_written(outcome: Outcome) -> bool:
    """Whether a reply says that something was written: it is a success without a value, or with a ref or text."""
    return isinstance(outcome, Success) and (outcome.value is None or isinstance(outcome.value, str))


def class_of(exchange: Exchange) -> str:
    """Return the class of a reply: its status, how it was read, and how long it took, roughly."""
    match exchange.reply.outcome:
        case Success(value):
            said = f"success {type(value).__name__}"
        case Failure(code, params):
            said = f"{code[:40]}/{len(params)}"
        case Breach(kind):
            said = kind
    slow = sum(exchange.elapsed > limit for limit in (0.02, 0.2, 2.0))
    return f"{exchange.format} {exchange.status} {said} {slow}"


def _leaks(attempt: Attempt, received: bytes, secrets: tuple[bytes, ...]) -> Iterator[Wrong]:
    sent = attempt.data
    for kind, pattern in (("a stack trace or a place in a source", TRACES), ("a path of the server", PATHS)):
        found = pattern.search(received)
        if found is not None and found[0] not in sent:
            said = found[0].decode("utf-8", "replace")
            yield Wrong("ROBUST-NO-LEAK", kind, f"the reply to {attempt.what} shows no trace, path or source", said)
    if any(secret in received and secret not in sent for secret in secrets):
        yield Wrong(
            "ROBUST-NO-LEAK", "another session", "no reply shows another client's session", "it is in the reply"
        )
    joined = "".join(CANARY).encode()
    if joined in received and joined not in sent:
        said = "the canary is in the reply"
        yield Wrong("ROBUST-XML-ENTITIES", "an entity that is acted on", f"{attempt.what} is not acted on", said)


def _start(heard: Heard) -> str:
    return repr(heard.received[:120].decode("latin-1")) if heard.received else "nothing came back"
