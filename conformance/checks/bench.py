"""What a check has in hand: the model, a client over every format, objects to work on, and where verdicts go.

Every call through the bench is watched: whatever a reply's bytes break (an int as <i4>, a set with a value twice, an
envelope with a member too many) is recorded at once under the wire clause it breaks, whichever check made the call.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Unpack

from hypothesis.database import ExampleDatabase

from xenconform.conformance.checks.births import Births
from xenconform.conformance.checks.health import Health
from xenconform.conformance.checks.judging import (
    Judge,
    NotOffered,
    Unanswered,
    Unavailable,
    describe,
    is_http_refusal,
    is_refusal,
)
from xenconform.conformance.checks.lacking import no_restart, no_way_in
from xenconform.conformance.checks.logins import RoleSessions
from xenconform.conformance.checks.lost import ends
from xenconform.conformance.checks.onlooker import Onlooker
from xenconform.conformance.checks.options import CallOptions, RawOptions
from xenconform.conformance.checks.stock import Obj, Stock
from xenconform.conformance.client import Client
from xenconform.models.api import Api, ApiClass, Field, Relation, State
from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.cases import Case
from xenconform.models.exchange import Exchange
from xenconform.models.flaws import clause_of
from xenconform.models.profiles import Profile
from xenconform.models.refusals import is_missing, is_of_domain, is_removed
from xenconform.models.types import NULL_REF, Type, refs_in
from xenconform.models.values import Handle, Value, map_refs
from xenconform.models.verdicts import Judgement, Verdict

ENVELOPES = {
    Format.XMLRPC: "WIRE-XML-ENVELOPE",
    Format.JSONRPC1: "WIRE-JSON1-ENVELOPE",
    Format.JSONRPC2: "WIRE-JSON2-ENVELOPE",
}
"""Where an answer that never came is counted in a run that has no clause on how servers bear up."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much to try.

    `examples`: drawn values a field and format besides the boundaries; `boundaries`: whether all boundary values are
    written to every field, or to the first field of each type of a class only; `objects`: how many objects of a class
    are read whole.
    """

    name: str
    examples: int
    boundaries: bool
    objects: int


BUDGETS = {
    "quick": Budget("quick", examples=0, boundaries=False, objects=2),
    "standard": Budget("standard", examples=3, boundaries=True, objects=5),
    "thorough": Budget("thorough", examples=50, boundaries=True, objects=50),
}


class Bench:
    """One run's hands on one server; see the module."""

    def __init__(  # noqa: PLR0913 - the run's settings, each a fact of its own
        self,
        *,
        api: Api,
        client: Client,
        profile: Profile,
        formats: Sequence[Format],
        budget: Budget,
        seed: int,
        record: Callable[[Judgement], None],
        clauses: Collection[str],
        classes: Collection[str] = (),
        database: ExampleDatabase | None = None,
        save_case: Callable[[Case], str] = lambda _case: "",  # not saved
    ) -> None:
        self.client, self.profile = client, profile
        self.formats, self.budget, self.seed = tuple(formats), budget, seed
        self.clauses = frozenset(clauses)
        self.selected = frozenset(classes)
        self.hold_to(api)
        self.database, self.save_case = database, save_case
        self.muted: set[str] = set()
        self.aside = ""
        """Why something of a clause that is not selected could not be judged, where that is all that was told."""
        self.tell = record
        self._seen_flaws: set[tuple[str, str, str]] = set()
        self.health = Health(formats)
        self.stock = Stock(self)
        self.roles = RoleSessions()
        self.onlooker, self.births = Onlooker(), Births()
        self.restart: Callable[[], None] = no_restart
        """Restarts the server and logs in again; Unavailable or TargetGoneError is raised where that cannot be."""
        self.dial: Callable[[float], socket.socket] = no_way_in
        """Opens a bare connection to the server within so many seconds; raises Unavailable where it cannot."""

    def hold_to(self, api: Api) -> None:
        """Judge by an API from now on; `classes` are its classes that the run is about: all if none is `selected`."""
        self.api = api
        self.classes = tuple(of for of in api.classes.values() if not self.selected or of.name in self.selected)

    def judging(self, clause: str, element: str, fmt: Format | str = "") -> Judge:
        """Open a block that judges one clause × element × format."""
        return Judge(self.record, clause, element, fmt)

    def coupled(self, of: ApiClass, field: Field) -> set[str]:
        """Return the fields of a class that may follow a write of one of them: the ends of bound pairs."""
        if not refs_in(field.type):
            return set()
        return {name for r in self.api.relations for cls, name in _ends(r) if cls == of.name}

    def wire(self, of: Type, value: Value) -> Value:
        """Return a value of the model (a published default) as the client sees it: null handles as their text."""
        return map_refs(of, value, lambda _cls, ref: NULL_REF if isinstance(ref, Handle) else ref)

    def record(self, judgement: Judgement) -> None:
        """Record a judgement of a selected clause; of another, remember why it could not be judged."""
        if judgement.clause in self.clauses:
            self.tell(judgement)
        elif judgement.verdict in {Verdict.UNTESTED, Verdict.UNSUPPORTED}:
            self.aside = self.aside or judgement.reason

    def other(self, fmt: Format, step: int = 1) -> Format:
        """Return another format to read back over; the same where only one is tested."""
        return self.formats[(self.formats.index(fmt) + step) % len(self.formats)]

    def call(
        self, fmt: Format, message: str, *args: Value, probe: bool = False, **options: Unpack[CallOptions]
    ) -> Exchange:
        """Send a call and return the exchange, whatever came.

        `probe` marks a call that the server should refuse, where an HTTP error is a proper answer. `options` are those
        of `Client.call`.

        Raises:
            Unavailable: the message timed out before, more than once.
            NotOffered: it follows from a field that the release has no more, and the server says so.
            TargetGoneError: the server no longer answers at all.
        """
        if message in self.profile.never:
            raise Unavailable(f"the profile {self.profile.name} says never to call {message}")
        if self.health.is_stuck(message):
            raise Unavailable(f"{message} was left without an answer several times and is not called again")
        exchange = self.client.call(fmt, message, args, **options)
        if not probe and "session" not in options and self.client.ensure_session(exchange):
            # Servers collect sessions; whether they may collect this one is judged by the clauses on sessions alone.
            exchange = self.client.call(fmt, message, args, **options)
        self.watch(exchange, probe=probe)
        if is_removed(self.client.api.message(message), exchange.reply.outcome):
            raise NotOffered(f"{message}, removed in this release: {describe(exchange)}")
        outcome = exchange.reply.outcome
        if isinstance(outcome, Success) and message.endswith((".get_all", ".get_all_records")):
            self.stock.others.note(message.partition(".")[0], outcome.value)
        if isinstance(outcome, Success) and ends(self.api, message):
            self.stock.note_end()
        if not probe:
            self._stop_if_vanished(exchange)
        return exchange

    def _stop_if_vanished(self, exchange: Exchange) -> None:
        """Somebody else's object may end at any time: what is then refused tells nothing of the server.

        Raises:
            Unavailable: the object that the call was about is no longer listed.
        """
        outcome = exchange.reply.outcome
        if not isinstance(outcome, Failure) or outcome.code != "HANDLE_INVALID" or not exchange.args:
            return
        own_class = exchange.message.partition(".")[0]
        named = outcome.params[0] if len(outcome.params) > 1 else ""
        for cls in dict.fromkeys((own_class, str(named))):
            if cls in self.api.classes and self.stock.has_vanished(cls, exchange.args):
                raise Unavailable(f"a {cls} that the call names ended meanwhile")

    def raw(self, fmt: Format, body: bytes, **options: Unpack[RawOptions]) -> Exchange:
        """Send bytes of our own making, to be refused or answered.

        Raises:
            Unavailable: such bytes timed out before, more than once.
            TargetGoneError: the server no longer answers at all.
        """
        if self.health.is_stuck(""):
            raise Unavailable("bytes that are no call timed out more than once and are not sent again")
        exchange = self.client.raw(fmt, body, **options)
        self._see(exchange, refused=True)
        return exchange

    def ask(self, fmt: Format, message: str, *args: Value, **options: Unpack[CallOptions]) -> tuple[Value, Exchange]:
        """Send a call that has to succeed; return its value and the exchange.

        Raises:
            Unanswered: the server refused or did not answer.
        """
        exchange = self.call(fmt, message, *args, **options)
        if isinstance(exchange.reply.outcome, Success):
            return exchange.reply.outcome.value, exchange
        raise Unanswered(exchange, domain=self.is_domain_refusal(exchange), missing=self.is_missing(exchange))

    def is_missing(self, exchange: Exchange) -> bool:
        """Whether the server does not offer a message that follows from no field, or from one that is removed."""
        return is_missing(self.client.api.message(exchange.message), exchange.reply.outcome)

    def is_domain_refusal(self, exchange: Exchange) -> bool:
        """Whether a write was refused for a reason of the server's own domain, which is no defect."""
        return is_of_domain(self.api.message(exchange.message), exchange.reply.outcome)

    def watch(self, exchange: Exchange, *, probe: bool = False) -> None:
        """Record what a reply's bytes break, once for each clause × message × format."""
        self.births.note(self, exchange)
        refused = probe and is_http_refusal(exchange)
        answered = self._see(exchange, refused=refused)
        if probe and is_refusal(exchange) and _is_no_json(exchange):
            return  # What is no JSON has neither an id nor a version that an answer could repeat.
        for flaw in exchange.reply.flaws:
            self._flaw(exchange, flaw.kind, f"{flaw.where}: {flaw.detail}" if flaw.where else flaw.detail)
        outcome = exchange.reply.outcome
        if answered and isinstance(outcome, Breach) and not refused:
            self._flaw(exchange, outcome.kind, outcome.detail)

    def _see(self, exchange: Exchange, *, refused: bool) -> bool:
        """Take note of whether the server answers; return whether it did, if badly."""
        for each in self.health.see(exchange, refused=refused):
            if isinstance(each.reply.outcome, Breach):
                self._flaw(each, each.reply.outcome.kind, each.reply.outcome.detail)
        return exchange.status != 0

    def _flaw(self, exchange: Exchange, kind: str, detail: str) -> None:
        clause = clause_of(kind, exchange.format)
        if clause.startswith("ROBUST-") and clause not in self.clauses:
            clause = ENVELOPES[exchange.format]
        key = (clause, exchange.message, exchange.format)
        if key in self._seen_flaws:
            return
        self._seen_flaws.add(key)
        self.record(
            Judgement(
                clause,
                exchange.message or "server",
                exchange.format,
                Verdict.FAIL,
                expected="a reply as the clause says",
                actual=f"{kind}: {detail}",
                exchanges=(exchange.seq,),
            )
        )

    def flawed(self, clause: str, message: str, fmt: Format) -> bool:
        """Whether a reply to this message over this format was seen to break this clause."""
        return (clause, message, fmt) in self._seen_flaws

    @contextmanager
    def restoring(self, obj: Obj, field: str) -> Iterator[None]:
        """Put a field of an object that is not ours back to what it was, after the block.

        Raises:
            Unavailable: the field of somebody else's object cannot be read, so it could not be put back.
        """
        if obj.own:
            yield
            return
        of = self.api.classes[obj.cls]
        seen = self.call(self.formats[0], f"{obj.cls}.get_{field}", obj.ref)
        before = seen.reply.outcome
        if not isinstance(before, Success):
            if isinstance(before, Failure) and of.fields[field].lifecycle.state is not State.REMOVED:
                with self.judging("GET-EVERY-FIELD", f"{obj.cls}.{field}", self.formats[0]) as judge:
                    judge.fail("the value of an object that is there", describe(seen), seen)
            raise Unavailable(f"{obj.cls}.{field} of an existing object cannot be read, so it is not written")
        try:
            yield
        finally:
            if f"set_{field}" in of.messages:
                back = self.call(self.formats[0], f"{obj.cls}.set_{field}", obj.ref, before.value)
                if not isinstance(back.reply.outcome, Success):
                    self.stock.not_put_back.append(f"{obj.cls}.{field} of {obj.ref}: {describe(back)}")


def _is_no_json(exchange: Exchange) -> bool:
    return exchange.format is not Format.XMLRPC and any(word in exchange.sent for word in (b"NaN", b"Infinity"))


def _ends(relation: Relation) -> tuple[tuple[str, str], tuple[str, str]]:
    return (relation.owner_cls, relation.owner_field), (relation.derived_cls, relation.derived_field)
