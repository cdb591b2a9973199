"""From what was seen to a judgement: one block of a check judges one clause × element × format.

    with bench.judging("SET-VALUE", "network.name_label", fmt) as judge:
        judge.same(Str(), "a", value, exchange)

Leaving the block records PASS when something was asserted and nothing failed, and UNTESTED when nothing was: a block
that asserts nothing is never green. Inside it, a call that demands success raises `Unanswered` when the server
refused or did not answer; the block turns that into the right judgement by the table in `_on_unanswered`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Type
from xenconform.models.values import Value, same
from xenconform.models.verdicts import Judgement, Verdict

SHOWN = 300
"""How many characters of a value a finding shows; the exchange has the rest."""


class Unavailable(Exception):  # noqa: N818 - not an error: the reason why something stays untested
    """An object or value that the check needs cannot be had; the text is the reason."""


class NotOffered(Unavailable):
    """The server does not offer what no clause obliges it to; the text is what it said."""


class Unanswered(Exception):  # noqa: N818 - not an error of ours: what a server said instead of a result
    """A call that had to succeed did not; `domain` tells a refusal by the server's own domain, which is no defect."""

    def __init__(self, exchange: Exchange, *, domain: bool = False, missing: bool = False) -> None:
        super().__init__(f"{exchange.message}: {describe(exchange)}")
        self.missing = missing
        self.exchange = exchange
        self.domain = domain


class Judge:
    """Collects what a block asserts about one clause × element × format."""

    def __init__(self, record: Callable[[Judgement], None], clause: str, element: str, fmt: Format | str = "") -> None:
        self._record = record
        self.clause, self.element, self.format = clause, element, str(fmt)
        self.asserted = 0
        self.failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, _tb: TracebackType | None) -> bool:
        if isinstance(why, Unanswered):
            self._on_unanswered(why)
        elif isinstance(why, NotOffered):
            self.unsupported(str(why))
        elif isinstance(why, Unavailable):
            self.untested(str(why))
        elif why is not None:
            return False
        elif not self.failed and self.asserted:
            self._record(Judgement(self.clause, self.element, self.format, Verdict.PASS))
        elif not self.failed:
            self.untested("nothing could be asserted")
        return True

    def _on_unanswered(self, why: Unanswered) -> None:
        outcome = why.exchange.reply.outcome
        if isinstance(outcome, Breach):
            self.untested(
                f"no readable answer to {why.exchange.message}: {outcome.kind}; counted under the wire clauses"
            )
        elif why.missing:
            self.unsupported(f"{why.exchange.message}: {describe(why.exchange)}")
        elif why.domain:
            self.untested(f"{why.exchange.message} refused: {describe(why.exchange)}")
        else:
            self.fail(f"{why.exchange.message} succeeds", describe(why.exchange), why.exchange)

    def fail(self, expected: str, actual: str, *exchanges: Exchange, fmt: Format | str | None = None) -> None:
        """Record a finding; `fmt` names the guilty format where it is another than the block's."""
        self.asserted += 1
        self.failed = True
        self._record(
            Judgement(
                self.clause,
                self.element,
                self.format if fmt is None else str(fmt),
                Verdict.FAIL,
                expected=expected,
                actual=actual,
                exchanges=tuple(each.seq for each in exchanges),
            )
        )

    def untested(self, reason: str) -> None:
        """Record that this could not be exercised, and why."""
        self._record(Judgement(self.clause, self.element, self.format, Verdict.UNTESTED, reason=reason))
        self.failed = True

    def unsupported(self, reason: str) -> None:
        """Record that the server does not offer what no clause obliges it to."""
        self._record(Judgement(self.clause, self.element, self.format, Verdict.UNSUPPORTED, reason=reason))
        self.failed = True

    def true(self, holds: bool, expected: str, actual: str, *exchanges: Exchange) -> bool:
        """Assert a condition; return it."""
        self.asserted += 1
        if not holds:
            self.fail(expected, actual, *exchanges)
        return holds

    def same(self, of: Type, expected: Value, actual: Value, *exchanges: Exchange) -> bool:
        """Assert that two values of a type are equal in the API's sense; return whether they are."""
        return self.true(same(of, expected, actual), show(expected), show(actual), *exchanges)

    def refused(self, exchange: Exchange, what: str) -> bool:
        """Assert that a call was refused: a failure of the API's, or an HTTP error; return whether it was."""
        outcome = exchange.reply.outcome
        if isinstance(outcome, Breach) and not is_http_refusal(exchange):
            self.untested(f"no readable answer to {what}: {outcome.kind}; counted under the wire clauses")
            return False
        return self.true(not isinstance(outcome, Success), f"{what} fails", describe(exchange), exchange)

    def code(self, exchange: Exchange, code: str, *params: str | None) -> None:
        """Assert an error's code and its parameters; None stands for any parameter."""
        outcome = exchange.reply.outcome
        want = f"{code} [{', '.join('…' if p is None else p for p in params)}]"
        if not isinstance(outcome, Failure):
            self.true(False, want, describe(exchange), exchange)
            return
        fits = outcome.code == code and len(outcome.params) >= len(params)
        fits = fits and all(p is None or p == seen for p, seen in zip(params, outcome.params, strict=False))
        self.true(fits, want, describe(exchange), exchange)


def unheard(fmt: Format | str = "") -> Judge:
    """Return a judge whose findings nobody hears: what it would tell is another clause's."""
    return Judge(lambda _judgement: None, "", "", fmt)


def result_of(exchange: Exchange) -> Value:
    """Return the value of an exchange that succeeded."""
    assert isinstance(exchange.reply.outcome, Success), "only successes have a value"
    return exchange.reply.outcome.value


def is_http_refusal(exchange: Exchange) -> bool:
    """Whether the answer is an HTTP error, which is how many servers refuse what is malformed."""
    return isinstance(exchange.reply.outcome, Breach) and 400 <= exchange.status <= 599


def is_refusal(exchange: Exchange) -> bool:
    """Whether a call was refused, in the API's way or in HTTP's."""
    return isinstance(exchange.reply.outcome, Failure) or is_http_refusal(exchange)


def show(value: Value) -> str:
    """Return a value for people: Python's notation, cut where it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


def describe(exchange: Exchange) -> str:
    """Return what came back, in one line."""
    match exchange.reply.outcome:
        case Success(value):
            return f"Success {show(value)}"
        case Failure(code, params):
            return f"Failure {code} [{', '.join(str(p)[:80] for p in params)}]"
        case Breach(kind, detail, _):
            return f"no answer ({kind}): {detail[:SHOWN]}"
