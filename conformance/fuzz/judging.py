"""What is wrong with what came back for an attempt. Nothing here has effects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any, Final

from xenconform.conformance.checks.bench import ENVELOPES
from xenconform.conformance.checks.hostile_entities import CANARY
from xenconform.conformance.checks.hostile_leaks import PATHS, TRACES
from xenconform.conformance.checks.judging import describe
from xenconform.conformance.checks.role_cells import DENIED
from xenconform.conformance.codec import codec_for
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.batches import answers_of, as_json, is_in_part, is_success
from xenconform.conformance.fuzz.connections import Heard
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Format, Outcome, Success
from xenconform.models.exchange import Exchange
from xenconform.models.flaws import clause_of, clauses_on
from xenconform.strategies.hostile import Owed

_SAYS_HTTP1: Final = re.compile(rb"(?:\r?\n)*[^\s]+ [^\s]+ HTTP/1\.[0-9][ \t]*\r?\n")
ACCEPTED: Final = frozenset({"xml-fault", "http-status", "id-not-echoed"})
"""Kinds of breach that refuse hostile input well enough: a library's own fault, an HTTP error, an unread id."""
MODEST: Final = 64 * 2**10
"""A sound call of more bytes may be refused by HTTP, as too large."""
BY_THEMSELVES: Final = frozenset({"ROBUST-XML-ENTITIES", "ROBUST-DEPTH-SIZE", "ROBUST-UNICODE", "ROBUST-BATCH"})
"""Clauses on what may be refused or answered, but not left without a reply, nor acted on in another way."""
BESIDE: Final = {
    Format.XMLRPC: "WIRE-XML-CONTENT-TYPE", Format.JSONRPC1: "WIRE-JSON-ID-ECHO", Format.JSONRPC2: "WIRE-JSON-ID-ECHO",
}  # fmt: skip
"""What every good envelope is judged by besides its own clause."""
ALWAYS: Final = ("ROBUST-ALIVE", "ROBUST-NO-LEAK", "ROBUST-NO-EFFECT")
"""Clauses that any attempt may break."""
NOTIFICATIONS: Final = "WIRE-JSON-NO-NOTIFICATION"


def judge_post(attempt: Attempt, exchange: Exchange, secrets: tuple[bytes, ...]) -> Iterator[Wrong]:
    """Yield what is wrong with the reply to a body that was posted. `secrets` are what no reply may show."""
    yield from _leaks(attempt, exchange.received, secrets)
    outcome = exchange.reply.outcome
    if isinstance(outcome, Breach) and outcome.kind == "http-timeout":
        clause = attempt.clause if attempt.clause in BY_THEMSELVES else "ROBUST-ALIVE"
        yield Wrong(clause, f"no answer, {attempt.cause}", "an answer in time", describe(exchange))
        return
    answers = answers_of(exchange)
    if answers is not None:
        yield from _judge_batch(attempt, exchange, answers)
        return
    sound = attempt.sound and len(attempt.data) <= MODEST
    broken = isinstance(outcome, Breach) and (
        outcome.kind != "id-not-echoed" if sound else outcome.kind not in ACCEPTED and exchange.status == 200
    )
    asked = None if attempt.format is Format.XMLRPC else as_json(attempt.data)
    if attempt.format is Format.XMLRPC or (is_call(asked, attempt.format) and not _is_unread(attempt, exchange)):
        for flaw in exchange.reply.flaws if sound else (f for f in exchange.reply.flaws if f.kind not in ACCEPTED):
            clause = clause_of(flaw.kind, attempt.format)
            yield Wrong(
                clause, flaw.kind, "a reply as the clause says", f"{attempt.message} {flaw.where}: {flaw.detail}"
            )
        yield from _echo(asked, exchange)
    elif broken and (as_json(exchange.received) is not None or attempt.data.lstrip().startswith(b"<")):
        broken = False  # What is no call of this version may be answered as one of another version or format.
    if broken and attempt.clause == NOTIFICATIONS and not exchange.received:
        broken = False  # Nothing is what a notification gets.
    if broken and isinstance(outcome, Breach):
        clause = clause_of(outcome.kind, attempt.format)
        yield Wrong(clause, outcome.kind, "a reply as the clause says, or a refusal", describe(exchange))
    if attempt.code and isinstance(outcome, Failure) and not _has_code(attempt.code, outcome):
        said = f"{attempt.what} fails with {' '.join(attempt.code)}"
        yield Wrong(f"{attempt.clause}-CODE", attempt.cause, said, describe(exchange))
    if _names_others(attempt) and isinstance(outcome, Failure) and outcome.code == "SESSION_INVALID":
        cause = "a live session is refused"
        yield Wrong("WIRE-SESSION-SHARED", cause, "it serves over every format", describe(exchange))
    if attempt.owed is Owed.REFUSED and isinstance(outcome, Success):
        yield Wrong(attempt.clause, attempt.cause, f"{attempt.what} is refused", describe(exchange))
    denied = isinstance(outcome, Failure) and outcome.code == DENIED  # what the user's role is not allowed
    if attempt.owed is Owed.ANSWERED and not isinstance(outcome, Success) and not denied:
        said = f"HTTP {exchange.status}, {describe(exchange)}"
        yield Wrong(attempt.clause, attempt.cause, f"{attempt.what} is answered", said)


def _names_others(attempt: Attempt) -> bool:
    """Whether a well-formed call names no session but the one that it is called with."""
    return attempt.message.partition(".")[0] not in {"", "session"}


def _has_code(code: tuple[str, ...], failure: Failure) -> bool:
    """Whether a failure has a code with its parameters; numbers of parameters may count the session, or not."""
    if failure.code == "HANDLE_INVALID":
        return True  # What the call names may be gone.
    counted = (*code[:2], *(str(int(each) + 1) for each in code[2:]))
    return any(seen == (failure.code, *failure.params)[: len(seen)] for seen in (code, counted))


def _judge_batch(attempt: Attempt, exchange: Exchange, answers: list[Any]) -> Iterator[Wrong]:
    if is_in_part(exchange, answers):
        said = f"{len(answers)} answers: {exchange.received[:200]!r}"
        yield Wrong("ROBUST-BATCH", "a batch answered in part", "an answer to each call, or one refusal", said)
    if attempt.owed is Owed.REFUSED and any(map(is_success, answers)):
        yield Wrong(attempt.clause, attempt.cause, f"{attempt.what} is refused", f"{exchange.received[:200]!r}")


def outcomes_of_post(exchange: Exchange) -> list[Outcome]:
    """Return what the reply to a body says; of the answers to a batch that one of them is a success."""
    done = any(map(is_success, answers_of(exchange) or ()))
    return [Success(None)] if done else [exchange.reply.outcome]


def _is_unread(attempt: Attempt, exchange: Exchange) -> bool:
    """Whether a reply turns down a document that the server could not read, so that it knows no id and no version."""
    told = None if attempt.sound else as_json(exchange.received)
    return isinstance(told, dict) and told.get("id") is None and told.get("error") is not None


def is_call(asked: Any, fmt: Format) -> bool:
    """Whether a JSON document is surely a call of a version, so that a reply of that version is due."""
    version = "2.0" if fmt is Format.JSONRPC2 else None
    known = isinstance(asked, dict) and asked.keys() <= {"method", "params", "id", "jsonrpc"}
    named = known and isinstance(asked.get("method"), str) and isinstance(asked.get("params"), list)
    return named and asked.get("jsonrpc") == version and type(asked.get("id")) in {int, str}


def _echo(asked: Any, exchange: Exchange) -> Iterator[Wrong]:
    """The reply to what is surely a call has its id."""
    told = as_json(exchange.received)
    if asked is None or not isinstance(told, dict) or exchange.status != 200:
        return
    ident = told.get("id")
    if (ident, type(ident)) != (asked["id"], type(asked["id"])):
        yield Wrong("WIRE-JSON-ID-ECHO", "another id", f"the id {asked['id']!r}", f"the id {ident!r}")


def judge_talk(
    attempt: Attempt, heard: Heard, outcomes: Sequence[Outcome], secrets: tuple[bytes, ...]
) -> Iterator[Wrong]:
    """Yield what is wrong with what came back over a connection of its own; `outcomes` are the replies, read."""
    yield from _leaks(attempt, heard.received, secrets)
    replies = heard.replies
    if replies.broken and not _SAYS_HTTP1.match(attempt.data):
        return  # What is no HTTP/1 may be answered as TLS, HTTP 2 or HTTP 0.9 would be.
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


def judged_by(attempt: Attempt, outcomes: Sequence[Outcome], *, refused: bool, api: Api) -> frozenset[str]:
    """Return the clauses that an attempt was judged by, whatever came of it."""
    found = {"ROBUST-ALIVE", "ROBUST-NO-LEAK"}
    if refused:
        found.add("ROBUST-NO-EFFECT")
    if attempt.owed is not Owed.EITHER or attempt.clause in BY_THEMSELVES:
        found.add(attempt.clause)
    if attempt.code and any(isinstance(each, Failure) for each in outcomes):
        found.add(f"{attempt.clause}-CODE")
    if attempt.end:
        found.add("ROBUST-HTTP")
    elif any(not isinstance(each, Breach) for each in outcomes):
        found.add(ENVELOPES[attempt.format])
        found.add(BESIDE[attempt.format])
    if attempt.wrote and isinstance(attempt.wrote.value, float) and not isfinite(attempt.wrote.value):
        found.add("WIRE-FLOAT-SPECIAL")
    message = api.message(attempt.message)
    if message is not None and isinstance(outcomes[0], Success):
        found |= {"WIRE-SESSION-SHARED"} if _names_others(attempt) else set()
        found |= clauses_on(message.result, outcomes[0].value, api, attempt.format)
        found |= {"WIRE-AGREE"} if attempt.compared else set()
        if attempt.wrote and attempt.wrote.verb not in {"", "make", "create"}:
            found.add(attempt.wrote.clause(attempt.format))
            found |= clauses_on(attempt.wrote.type, attempt.wrote.value, api, attempt.format)
    return frozenset(found)


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
            break  # a trace has paths in it
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
