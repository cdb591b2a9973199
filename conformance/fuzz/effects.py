"""What a call writes, and what must be there afterwards: what was written, or what was there if it was refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from math import isfinite
from typing import Final, Literal

from xenconform.conformance.checks.aimed import why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import describe, is_refusal, show
from xenconform.conformance.client import Client
from xenconform.conformance.codec import codec_for
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.calls import Breach, Format, Outcome, Success
from xenconform.models.exchange import Exchange
from xenconform.models.flaws import clause_of
from xenconform.models.types import Int, MapOf, SetOf, Type, refs_in
from xenconform.models.values import Value, same
from xenconform.strategies.plain import tame

Verb = Literal["", "set", "add", "remove", "add_to", "remove_from", "make", "create"]
BY_TYPE: Final = {
    "Str": "WIRE-STRING", "Float": "WIRE-FLOAT", "Bool": "WIRE-BOOL", "Enum": "WIRE-ENUM",
    "DateTime": "WIRE-DATETIME", "SetOf": "WIRE-SET", "MapOf": "WIRE-MAP",
}  # fmt: skip
"""The clauses on what a value of a type is after its journey there and back."""

SYNTAX: Final = frozenset({"xml-syntax", "json-syntax"})
"""What a reply is in which a value is written so that it breaks the document."""
BACK: Final[dict[str, str]] = {"add": "remove", "add_to": "remove_from"}
"""What takes out again what a verb adds."""


def clause_on(of: Type, value: Value, over: Format, shown: Value = None) -> str:
    """Return the clause that a server breaks where a value of a type comes back as another, `shown`, over a format.

    As many members and other ones are no matter of the set or map, but of what stands in it.
    """
    match of, value, shown:
        case SetOf(item), tuple(), tuple() if value and len(value) == len(shown):
            lost = (each for each in value if not any(same(item, each, other) for other in shown))
            return clause_on(item, next(lost, value[0]), over)
        case MapOf(key, item), dict(), dict() if value and len(value) == len(shown):
            if missing := [each for each in value if each not in shown]:
                return clause_on(key, missing[0], over)
            odd = next((each for each in value if not same(item, value[each], shown[each])), next(iter(value)))
            return clause_on(item, value[odd], over, shown[odd])
        case _ if isinstance(value, float) and not isfinite(value):
            return "WIRE-FLOAT-SPECIAL"
        case Int(), _, _:
            return "WIRE-INT-XML" if over is Format.XMLRPC else "WIRE-INT-JSON"
        case _:
            return BY_TYPE.get(type(of).__name__, "WIRE-STRING")


@dataclass(frozen=True, slots=True)
class Wrote:
    """What a call writes.

    `getter` shows it, of the object `ref`, or of the class where that is "". `verb` says how `value` is written, of the
    field's `type`: a whole value, or one of the members alone that come or go; "" that nothing may be carried out, in
    a field that is given `value` first where it is empty;
    "make" that an object whose name is `value` would be made, and `getter` lists its class; "create" that one is made
    with fields that `value` holds, and `getter` shows its record.
    """

    ref: str
    getter: str
    verb: Verb
    type: Type
    value: Value

    def clause(self, over: Format, expected: Value = None, shown: Value = None) -> str:
        """Return the clause that a server breaks where the field shows something else over a format."""
        return clause_on(self.type, self.value if expected is None else expected, over, shown)

    def after(self, before: Value) -> Value:
        """Return what the field shows once the call was carried out."""
        match self.verb, self.type, before, self.value:
            case "add", SetOf(item), tuple(), tuple():
                return (*before, *(new for new in self.value if not any(same(item, new, old) for old in before)))
            case "remove", SetOf(item), tuple(), tuple():
                return tuple(old for old in before if not any(same(item, old, gone) for gone in self.value))
            case "add_to", MapOf(), dict(), dict():
                return {**before, **self.value}
            case "remove_from", MapOf(), dict(), dict():
                return {key: item for key, item in before.items() if key not in self.value}
            case _:
                return self.value


def members(verb: Verb, first: Value, rest: Sequence[Value]) -> Value:
    """Return what an accessor writes, of the values behind the object: the whole value, or the members alone."""
    match verb:
        case "set":
            return first
        case "add" | "remove":
            return (first,)
        case _:
            return {first: rest[0] if rest else ""}


def flaws_of(seen: Exchange) -> Iterator[tuple[Wrong, Exchange]]:
    """Yield what the bytes of a reply to a good call break."""
    for flaw in seen.reply.flaws:
        said = f"{seen.message} {flaw.where}: {flaw.detail}"
        yield Wrong(clause_of(flaw.kind, seen.format), flaw.kind, "a reply as the clause says", said), seen


def is_unread(seen: Exchange) -> bool:
    """Whether an answer came that cannot be read."""
    return isinstance(seen.reply.outcome, Breach) and not seen.reply.outcome.kind.startswith("http-")


def is_carried(of: Type, value: Value, fmt: Format) -> bool:
    """Whether a format has a way to write a value: XML has none for some characters, JSON none for some numbers."""
    try:
        codec_for(fmt).encode_call("", [(of, value)])
    except ValueError:
        return False
    return True


class Effects:
    """Looks at what a call writes before and after it; of what could not be read before, nothing is said."""

    def __init__(self, bench: Bench, client: Client, wrote: Wrote, *, afresh: bool = False) -> None:
        self._bench, self._client, self._wrote = bench, client, wrote
        if afresh and wrote.verb in {"set", "add", "remove", "add_to", "remove_from"} and not refs_in(wrote.type):
            # What another call left there would show no loss.
            self._write("set", tame(wrote.type, 3))
        outcome = Success(None) if wrote.verb == "create" else self._read_over_any()
        if isinstance(outcome, Success) and wrote.verb == "" and wrote.value and outcome.value in ((), {}, ""):
            self._write("set", wrote.value)
            outcome = self._read_over_any()
        self._before = outcome.value if isinstance(outcome, Success) else None
        self.known = isinstance(outcome, Success)

    def after(self, exchange: Exchange, refused_clause: str) -> Iterator[tuple[Wrong, Exchange]]:
        """Yield what is wrong after a call, each with the exchange that shows it."""
        bench, wrote, done = self._bench, self._wrote, isinstance(exchange.reply.outcome, Success)
        if not self.known or not (done or is_refusal(exchange)):
            return
        if wrote.verb == "make":
            yield from self._made(exchange, refused_clause)
        elif wrote.verb == "create":
            yield from self._created(exchange.reply.outcome)
        elif not done or wrote.verb:
            expected = wrote.after(self._before) if done else self._before
            yield from self._differs("" if done else refused_clause, expected, done=done)
            if done:
                yield from self._record(bench.other(exchange.format), expected, self._before)

    def put_back(self, exchange: Exchange, *, large: bool) -> Iterator[tuple[Wrong, Exchange]]:
        """Take out again what was added, and what is large: it would make every record and listing slow.

        Yield what the record shows of what is out again.
        """
        wrote, before = self._wrote, self._before
        if not self.known or not isinstance(exchange.reply.outcome, Success):
            return
        if wrote.verb == "set" and large:
            self._write("set", tame(wrote.type, 1))
        elif wrote.verb in BACK and isinstance(wrote.value, Iterable):
            back = [self._write(BACK[wrote.verb], member) for member in wrote.value]
            now = wrote.after(before)
            # A member that was there before is out as well.
            added = len(now) - len(before) if isinstance(now, Sized) and isinstance(before, Sized) else 0
            if all(back) and added == len(back):
                yield from self._record(self._bench.other(exchange.format, 2), before, now)

    def _write(self, verb: str, value: Value) -> bool:
        """Call an accessor of the field, where there is one that the profile does not forbid; whether it was done."""
        cls, _, field = self._wrote.getter.partition(".get_")
        message = self._bench.api.message(f"{cls}.{verb}_{field}")
        if message is None or why_not(self._bench, message):
            return False
        exchange = self._client.call(self._bench.formats[0], message.full_name, (self._wrote.ref, value))
        return isinstance(exchange.reply.outcome, Success)

    def _differs(self, refused: str, expected: Value, *, done: bool) -> Iterator[tuple[Wrong, Exchange]]:
        """Read over every format what must be there."""
        bench, wrote = self._bench, self._wrote
        cause = f"another {wrote.type}" if done else f"{wrote.getter.partition('.')[2]} after a refusal"
        for fmt in bench.formats if done else bench.formats[-1:]:
            seen = self._read(fmt)
            yield from flaws_of(seen)
            outcome = seen.reply.outcome
            shown = outcome.value if isinstance(outcome, Success) else None
            if isinstance(outcome, Success) and same(wrote.type, expected, shown):
                continue
            if isinstance(outcome, Success) or not done or (is_unread(seen) and is_carried(wrote.type, expected, fmt)):
                said = show(shown) if isinstance(outcome, Success) else describe(seen)
                named = refused or wrote.clause(fmt, expected, shown), cause
                if done and isinstance(outcome, Breach) and outcome.kind not in SYNTAX:
                    named = clause_of(outcome.kind, fmt), outcome.kind  # as for any other reply of that form
                yield Wrong(*named, f"{wrote.getter}: {show(expected)}", said), seen

    def _record(self, fmt: Format, expected: Value, stale: Value) -> Iterator[tuple[Wrong, Exchange]]:
        """Read what must be there out of the record over a format; `stale` is what was there before."""
        bench, wrote = self._bench, self._wrote
        cls, _, getter = wrote.getter.partition(".")
        if bench.api.message(f"{cls}.get_record") is None:
            return
        field = getter.removeprefix("get_")
        shown, seen = self._recorded(fmt, f"{cls}.get_record", field)
        yield from flaws_of(seen)
        if shown is None or same(wrote.type, expected, shown):
            return
        clause, others = wrote.clause(fmt, expected, shown), [each for each in bench.formats if each is not fmt]
        if same(wrote.type, stale, shown):
            # What was kept over one format is no matter of how values of its type are written.
            fresh = [self._recorded(each, f"{cls}.get_record", field)[0] for each in others]
            is_fresh = any(each is not None and same(wrote.type, expected, each) for each in fresh)
            clause = "WIRE-AGREE" if is_fresh else clause
        expectation = f"{cls}.get_record, {field}: {show(expected)}"
        yield Wrong(clause, f"another {wrote.type}", expectation, show(shown)), seen

    def _recorded(self, fmt: Format, message: str, field: str) -> tuple[Value, Exchange]:
        """Return a field out of the record over a format, None where it does not show it, and the exchange."""
        seen = self._client.call(fmt, message, (self._wrote.ref,))
        record = seen.reply.outcome.value if isinstance(seen.reply.outcome, Success) else None
        return (record.get(field) if isinstance(record, Mapping) else None), seen

    def _made(self, exchange: Exchange, clause: str) -> Iterator[tuple[Wrong, Exchange]]:
        """Take into stock what was made, and tell of it where the call was refused: nobody else has its name."""
        bench, wrote = self._bench, self._wrote
        cls = wrote.getter.partition(".")[0]
        seen = self._read(bench.formats[0])
        there = seen.reply.outcome.value if isinstance(seen.reply.outcome, Success) else ()
        for ref in set(there) - set(self._before if isinstance(self._before, tuple) else ()):
            named = self._client.call(bench.formats[0], f"{cls}.get_name_label", (ref,)).reply.outcome
            if not isinstance(named, Success) or named.value != wrote.value:
                continue
            bench.stock.adopt_ref(cls, ref)
            if is_refusal(exchange):
                yield Wrong(clause, f"a {cls} made by a refused call", "nothing is made", f"a {cls} was made"), seen

    def _created(self, outcome: Outcome) -> Iterator[tuple[Wrong, Exchange]]:
        """Read what was made over every format: its fields have the values that were given."""
        bench, wrote = self._bench, self._wrote
        cls = bench.api.classes[wrote.getter.partition(".")[0]]
        if not isinstance(outcome, Success) or not isinstance(outcome.value, str) or not isinstance(wrote.value, dict):
            return
        for fmt in bench.formats:
            seen = self._client.call(fmt, wrote.getter, (outcome.value,))
            yield from flaws_of(seen)
            record = seen.reply.outcome.value if isinstance(seen.reply.outcome, Success) else {}
            for name, value in wrote.value.items():
                of = cls.fields[name].type
                if name in record and not same(of, value, record[name]):
                    said = f"{cls.name}.{name}: {show(value)}"
                    yield (
                        Wrong(
                            clause_on(of, value, fmt, record[name]), f"another {of}, created", said, show(record[name])
                        ),
                        seen,
                    )

    def _read_over_any(self) -> Outcome:
        """Return what a reading says over the first format that shows anything: one alone may be broken by a value."""
        for fmt in self._bench.formats:
            outcome = self._read(fmt).reply.outcome
            if isinstance(outcome, Success):
                break
        return outcome

    def _read(self, fmt: Format) -> Exchange:
        return self._client.call(fmt, self._wrote.getter, (self._wrote.ref,) if self._wrote.ref else ())
