"""What the checks of level 5 stand on: a good call to ask with, a text to write to, and a second client to look on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.health import GONE_AFTER, TargetGoneError, is_away
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal
from xenconform.conformance.checks.lacking import no_restart
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.wire_envelope import a_listing, a_text_setter
from xenconform.conformance.client import Client
from xenconform.conformance.codec import codec_for
from xenconform.models.calls import Breach, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import RefTo, Str

PATIENCE = 2.0
"""Seconds that a good call may take beside hostile ones, or many times what it took before, whichever is more: a
server that is merely busy is no finding."""
MANY_TIMES = 50
ALIVE: Final = "ROBUST-ALIVE"
GOING_ON: Final = frozenset({ALIVE, "ROBUST-HTTP", "ROBUST-DEPTH-SIZE", "ROBUST-UNICODE", "ROBUST-XML-ENTITIES"})
"""The clauses that a server breaks by its end, whatever else they ask."""


def clause_of_end(clause: str) -> str:
    """Return the clause that a server breaks whose end comes while another one is judged."""
    return clause if clause in GOING_ON else ALIVE


def patience_after(usual: float) -> float:
    """Return the seconds that a good call may take beside hostile ones, which took so many without them."""
    return max(PATIENCE, MANY_TIMES * usual)


@dataclass(slots=True)
class Scene:
    """One format's side of a server, with a text of an object that hostile requests try to write.

    `usual` is how long a good call took before anything hostile was sent, in seconds.
    """

    bench: Bench
    fmt: Format
    listing: str
    obj: Obj
    field: str
    onlooker: Client
    usual: float = 0.0

    @property
    def patience(self) -> float:
        """Seconds that a good call may take now."""
        return patience_after(self.usual)

    def writing(self, text: str) -> bytes:
        """Return the body of a good call that writes a text."""
        types = (RefTo("session"), RefTo(self.obj.cls), Str())
        values = (self.bench.client.session, self.obj.ref, text)
        message = f"{self.obj.cls}.set_{self.field}"
        return codec_for(self.fmt).encode_call(message, list(zip(types, values, strict=True)))

    def asking(self, session: str | None = None) -> bytes:
        """Return the body of a good call that lists objects, or the same with another session."""
        own = self.bench.client.session if session is None else session
        return codec_for(self.fmt).encode_call(self.listing, [(RefTo("session"), own)])

    def read(self, fmt: Format | None = None) -> tuple[str, Exchange]:
        """Return the text as it is now."""
        value, seen = self.bench.ask(fmt or self.fmt, f"{self.obj.cls}.get_{self.field}", self.obj.ref)
        return str(value), seen

    def write(self, text: str) -> None:
        """Write the text in the ordinary way."""
        self.bench.ask(self.fmt, f"{self.obj.cls}.set_{self.field}", self.obj.ref, text)

    def send(self, body: bytes, path: str | None = None) -> Exchange:
        """Send bytes of which a server may do what it likes, as long as it goes on."""
        return self.bench.raw(self.fmt, body, path=path, deadline=self.bench.client.deadline)

    def good_call(self) -> Exchange:
        """Ask a good question over a connection of its own, as another client would."""
        return self.onlooker.call(self.fmt, self.listing)

    def judge_alive(self, judge: Judge, what: str, *exchanges: Exchange, body: bytes | None = None) -> bool:
        """Assert that another client is answered, and as fast as may be expected.

        A slow answer gets a second chance, with the hostile body before it once more where one is given: what slows a
        single call each time is no accident.

        Raises:
            TargetGoneError: nobody listens any more, and a restart can tell whose doing that was.
        """
        for last in (False, True):
            if last and body is not None:
                self.send(body)
            good = self.good_call()
            answered = isinstance(good.reply.outcome, Success)
            if answered and good.elapsed <= self.patience:
                return judge.true(True, "", "")
            if last:
                self._leave_to_a_restart(good)
                said = f"{describe(good)[:80]} after {good.elapsed:.1f} s"
                return judge.true(False, f"a good call is answered as usual after {what}", said, *exchanges, good)
        return False

    def a_restart_tells(self, good: Exchange) -> bool:
        """Whether nobody listens any more, and a restart can show whose doing that was."""
        return is_away(good) and self.bench.restart is not no_restart

    def _leave_to_a_restart(self, good: Exchange) -> None:
        """Where a restart tells, ask until the server counts as gone, or is there again."""
        if self.a_restart_tells(good):
            for _ in range(GONE_AFTER):
                self.bench.call(self.fmt, self.listing)


@contextmanager
def scene(bench: Bench, judge: Judge) -> Iterator[Scene]:
    """Set the scene for the format of a block, and put the text back afterwards.

    A server that leaves a good call without an answer meanwhile, and another client too, fails the clause where that is
    about going on, or else ROBUST-ALIVE. Where nobody listens any more and it can be restarted, that has to tell first
    whose doing it was: `suite.dying`.

    Raises:
        Unavailable: there is nothing to ask, or no text that may be written.
        TargetGoneError: the server no longer answers.
    """
    fmt = Format(judge.format)
    listing, _ = a_listing(bench)
    obj, setter = a_text_setter(bench)
    field = setter.partition(".set_")[2]
    onlooker = bench.client.sibling()
    this = Scene(bench, fmt, listing, obj, field, onlooker)
    try:
        first = this.good_call()
        if not isinstance(first.reply.outcome, Success):
            raise Unavailable(f"{listing} is not answered to begin with")
        this.usual = first.elapsed
        with bench.restoring(obj, field):
            this.write("xenconform")
            try:
                yield this
            except TargetGoneError as why:
                _judge_end(this, judge, why, why.between)
                raise
            except Unanswered as why:
                if isinstance(why.exchange.reply.outcome, Breach):
                    _judge_end(this, judge, why, (why.exchange,))
                raise
    finally:
        onlooker.close()


def _judge_end(this: Scene, judge: Judge, why: Exception, seen: Sequence[Exchange]) -> None:
    good = this.good_call()
    if isinstance(good.reply.outcome, Success) or this.a_restart_tells(good):
        return
    with this.bench.judging(clause_of_end(judge.clause), judge.element, judge.format) as about:
        expected = "a good call is answered after whatever was sent"
        about.fail(expected, f"{describe(good)}; {why}", *seen, good)


def succeeded(exchange: Exchange) -> bool:
    """Whether a request was carried out, as far as its reply says."""
    return isinstance(exchange.reply.outcome, Success)


def turned_down(exchange: Exchange) -> bool:
    """Whether a request was refused, in the API's way, by an HTTP error, or by hanging up."""
    outcome = exchange.reply.outcome
    return is_refusal(exchange) or (isinstance(outcome, Breach) and not exchange.status)


def timed_out(exchange: Exchange) -> bool:
    """Whether no answer came within the deadline."""
    outcome = exchange.reply.outcome
    return isinstance(outcome, Breach) and outcome.kind == "http-timeout"
