"""What a call writes, and what must be there afterwards: what was written, or what was there if it was refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, Literal

from xenconform.conformance.checks.aimed import why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import describe, is_refusal, show
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.calls import Format, Outcome, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Int, MapOf, SetOf, Type
from xenconform.models.values import Value, same
from xenconform.strategies.plain import tame

Verb = Literal["", "set", "add", "remove", "add_to", "remove_from", "make", "create"]
BY_TYPE: Final = {
    "Str": "WIRE-STRING", "Float": "WIRE-FLOAT", "Bool": "WIRE-BOOL", "Enum": "WIRE-ENUM",
    "DateTime": "WIRE-DATETIME", "SetOf": "WIRE-SET", "MapOf": "WIRE-MAP",
}  # fmt: skip
"""The clauses on what a value of a type is after its journey there and back."""

BACK: Final[dict[str, str]] = {"add": "remove", "add_to": "remove_from"}
"""What takes out again what a verb adds."""


def clause_on(of: Type, value: Value, over: Format) -> str:
    """Return the clause that a server breaks where a value of a type comes back as another over a format."""
    if isinstance(value, float) and not isfinite(value):
        return "WIRE-FLOAT-SPECIAL"
    if of == Int():
        return "WIRE-INT-XML" if over is Format.XMLRPC else "WIRE-INT-JSON"
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

    def clause(self, over: Format) -> str:
        """Return the clause that a server breaks where the field shows something else over a format."""
        return clause_on(self.type, self.value, over)

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


class Effects:
    """Looks at what a call writes before and after it; of what could not be read before, nothing is said."""

    def __init__(self, bench: Bench, wrote: Wrote) -> None:
        self._bench, self._wrote = bench, wrote
        outcome = Success(None) if wrote.verb == "create" else self._read(bench.formats[0]).reply.outcome
        if isinstance(outcome, Success) and wrote.verb == "" and wrote.value and outcome.value in ((), {}, ""):
            self._write("set", wrote.value)
            outcome = self._read(bench.formats[0]).reply.outcome
        self._before = outcome.value if isinstance(outcome, Success) else None
        self.known = isinstance(outcome, Success)

    def after(self, exchange: Exchange, refused_clause: str) -> Iterator[tuple[Wrong, Exchange]]:
        """Yield what is wrong after a call, each with the exchange that shows it."""
        done, wrote = isinstance(exchange.reply.outcome, Success), self._wrote
        if not self.known or not (done or is_refusal(exchange)):
            return
        if wrote.verb == "make":
            yield from self._made(exchange, refused_clause)
        elif wrote.verb == "create":
            yield from self._created(exchange.reply.outcome)
        elif not done or wrote.verb:
            expected = wrote.after(self._before) if done else self._before
            yield from self._differs("" if done else refused_clause, expected, done=done)

    def put_back(self, exchange: Exchange, *, large: bool) -> None:
        """Take out again what was added, and what is large: it would make every record and listing slow."""
        wrote = self._wrote
        if not self.known or not isinstance(exchange.reply.outcome, Success):
            return
        if wrote.verb == "set" and large:
            self._write("set", tame(wrote.type, 1))
        elif wrote.verb in BACK and isinstance(wrote.value, Iterable):
            for member in wrote.value:
                self._write(BACK[wrote.verb], member)

    def _write(self, verb: str, value: Value) -> None:
        """Call an accessor of the field, where there is one that the profile does not forbid."""
        cls, _, field = self._wrote.getter.partition(".get_")
        message = self._bench.api.message(f"{cls}.{verb}_{field}")
        if message is not None and not why_not(self._bench, message):
            self._bench.client.call(self._bench.formats[0], message.full_name, (self._wrote.ref, value))

    def _differs(self, refused: str, expected: Value, *, done: bool) -> Iterator[tuple[Wrong, Exchange]]:
        """Read over every format, and out of the record over one, what must be there."""
        bench, wrote = self._bench, self._wrote
        cause = f"another {wrote.type}" if done else f"{wrote.getter.partition('.')[2]} after a refusal"
        for fmt in bench.formats if done else bench.formats[-1:]:
            seen = self._read(fmt)
            outcome = seen.reply.outcome
            if isinstance(outcome, Success) and same(wrote.type, expected, outcome.value):
                continue
            if isinstance(outcome, Success) or not done:
                said = show(outcome.value) if isinstance(outcome, Success) else describe(seen)
                yield Wrong(refused or wrote.clause(fmt), cause, f"{wrote.getter}: {show(expected)}", said), seen
        cls, _, getter = wrote.getter.partition(".")
        if not done or bench.api.message(f"{cls}.get_record") is None:
            return
        seen = bench.client.call(bench.formats[seen.seq % len(bench.formats)], f"{cls}.get_record", (wrote.ref,))
        record = seen.reply.outcome.value if isinstance(seen.reply.outcome, Success) else {}
        field = getter.removeprefix("get_")
        if isinstance(record, Mapping) and field in record and not same(wrote.type, expected, record[field]):
            expectation = f"{cls}.get_record, {field}: {show(expected)}"
            yield Wrong(wrote.clause(seen.format), cause, expectation, show(record[field])), seen

    def _made(self, exchange: Exchange, clause: str) -> Iterator[tuple[Wrong, Exchange]]:
        """Take into stock what was made, and tell of it where the call was refused: nobody else has its name."""
        bench, wrote = self._bench, self._wrote
        cls = wrote.getter.partition(".")[0]
        seen = self._read(bench.formats[0])
        there = seen.reply.outcome.value if isinstance(seen.reply.outcome, Success) else ()
        for ref in set(there) - set(self._before if isinstance(self._before, tuple) else ()):
            named = bench.client.call(bench.formats[0], f"{cls}.get_name_label", (ref,)).reply.outcome
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
            seen = bench.client.call(fmt, wrote.getter, (outcome.value,))
            record = seen.reply.outcome.value if isinstance(seen.reply.outcome, Success) else {}
            for name, value in wrote.value.items():
                of = cls.fields[name].type
                if name in record and not same(of, value, record[name]):
                    said = f"{cls.name}.{name}: {show(value)}"
                    yield Wrong(clause_on(of, value, fmt), f"another {of}, created", said, show(record[name])), seen

    def _read(self, fmt: Format) -> Exchange:
        return self._bench.client.call(fmt, self._wrote.getter, (self._wrote.ref,) if self._wrote.ref else ())
