"""Values on their way to a server and back: where they can be put, and whose fault it is when they come back changed.

A value is written over one format and read back over another. First a plain value must make that way over some pair
of formats; where none does, setting or creating is broken, which is no matter of the wire, and nothing is judged. When
a hard value comes back changed, every format is asked, so that the finding names the one that changed it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass, Constructor, Field, Message, Qualifier, State
from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Float, SetOf
from xenconform.models.values import Ref, Value, same

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench

ClauseOf: TypeAlias = Callable[[Format], str]
MOST_BLAMED = 3
"""So many findings end the trials of one field over one format: more of them tell nothing new."""


def writer(bench: Bench, of: ApiClass, name: str, verb: str) -> Message | None:
    """Return the message that does `verb` to a field, where it is there in this release and may be called."""
    found = next((m for m in of.messages.values() if m.field == name and m.verb == verb), None)
    if found is None or found.lifecycle.state is State.REMOVED or found.full_name in bench.profile.never:
        return None
    return found


def constructor_place(of: ApiClass, field_: Field) -> tuple[Constructor, str] | None:
    """Return the class's first constructor and the name under which it takes a field, or None where it does not."""
    if not of.constructors:
        return None
    first = of.constructors[0]
    if first.record:
        return (first, field_.name) if field_.qualifier is not Qualifier.RUNTIME else None
    named = dict(zip(first.fields, (p.name for p in first.message.params), strict=False))
    return (first, named[field_.name]) if field_.name in named else None


@dataclass(frozen=True, slots=True)
class Spot:
    """A field that clients can write, and how: `how` is set, add (a set's members one by one) or create."""

    bench: Bench
    of: ApiClass
    field: Field
    how: str

    @property
    def element(self) -> str:
        """The field's full name."""
        return f"{self.of.name}.{self.field.name}"

    def holder(self) -> Obj | None:
        """Return the object that is written, None where each value makes an object of its own.

        Raises:
            Unavailable: there is none that may be written.
        """
        return None if self.how == "create" else self.bench.stock.writable(self.of.name)

    def put(self, fmt: Format, value: Value, holder: Obj | None, *, probe: bool = False) -> tuple[Exchange, Ref]:
        """Write a value and return the telling exchange and the object that should show it now.

        `probe` marks a value that may be refused by HTTP's means.
        """
        if holder is None:
            return self._made_with(fmt, value, probe=probe)
        if self.how == "set":
            message = f"{self.of.name}.set_{self.field.name}"
            return self.bench.call(fmt, message, holder.ref, value, probe=probe), holder.ref
        return self._put_members(fmt, value, holder), holder.ref

    def _made_with(self, fmt: Format, value: Value, *, probe: bool) -> tuple[Exchange, Ref]:
        place = constructor_place(self.of, self.field)
        assert place is not None
        exchange = self.bench.stock.try_make(self.of.name, {place[1]: value}, fmt=fmt, probe=probe)
        made = isinstance(exchange.reply.outcome, Success)
        return exchange, self.bench.stock.adopt(self.of.name, exchange).ref if made else ""

    def _put_members(self, fmt: Format, value: Value, holder: Obj) -> Exchange:
        now, exchange = self.bench.ask(fmt, f"{self.of.name}.get_{self.field.name}", holder.ref)
        add, remove = (writer(self.bench, self.of, self.field.name, verb) for verb in ("add", "remove"))
        assert add is not None
        assert remove is not None
        changes = [(remove, each) for each in now if each not in value]
        changes += [(add, each) for each in value if each not in now]
        for message, each in changes:
            exchange = self.bench.call(fmt, message.full_name, holder.ref, each)
            if not isinstance(exchange.reply.outcome, Success):
                break
        return exchange

    def get(self, fmt: Format, ref: Ref) -> Exchange:
        """Read the field."""
        return self.bench.call(fmt, f"{self.of.name}.get_{self.field.name}", ref)

    def plain(self, count: int = 2) -> list[Value]:
        """Return different plain values of the field's domain; free floats are halves, which 32 bits hold as well.

        Raises:
            Unavailable: the profile says not to vary the field, or an object to refer to cannot be had.
        """
        found = plain_values(self.bench, self.of.name, self.field, self.field.type, count)
        halves = isinstance(self.field.type, Float) and self.is_free
        return [math.floor(value) + 0.5 for value in found] if halves else found

    @property
    def is_free(self) -> bool:
        """Whether the field takes every value of its type."""
        return self.bench.profile.domain(self.of.name, self.field.name).is_free


def spot(bench: Bench, of: ApiClass, name: str) -> Spot | None:
    """Return how a field can be written, or None where no client can write or read it."""
    of_field = of.fields[name]
    getter = of.messages.get(f"get_{name}")
    if getter is None or getter.verb != "get" or of_field.lifecycle.state is State.REMOVED:
        return None
    if writer(bench, of, name, "set"):
        return Spot(bench, of, of_field, "set")
    both = writer(bench, of, name, "add") and writer(bench, of, name, "remove")
    if both and isinstance(of_field.type, SetOf):
        return Spot(bench, of, of_field, "add")
    return Spot(bench, of, of_field, "create") if constructor_place(of, of_field) else None


@dataclass(slots=True)
class Trial:
    """One field over one writing format: values go in, come back over another format, and are judged.

    `sizes_alone`: members that came back changed, and as many, are the matter of their own type's clause, but not the
    keys of a map, which are part of its form. `kept` is the value that the object shows now; `back` how it was read
    last, and `record` within its record; `blamed` the formats with a finding already.
    """

    spot: Spot
    judge: Judge
    fmt: Format
    clause: ClauseOf
    holder: Obj | None
    sizes_alone: bool = False
    kept: Value = None
    accepted: int = 0
    refusal: str = ""
    back: Exchange | None = None
    record: Exchange | None = None
    blamed: set[Format] = field(default_factory=set)

    @property
    def over(self) -> bool:
        """Whether more values would tell nothing new."""
        return self.fmt in self.blamed or len(self.blamed) >= MOST_BLAMED

    def plain_comes_back(self, values: Sequence[Value]) -> bool:
        """Whether plain values make the way over some pair of formats; name the formats over which they do not."""
        bench = self.spot.bench
        for value in values:
            if self.attempt(value, quiet=True):
                continue
            if self.refusal:
                return False
            for way in (self.fmt, *(fmt for fmt in bench.formats if fmt is not self.fmt)):
                wrote, ref = self.spot.put(way, value, self.holder)
                back = self.spot.get(way, ref) if isinstance(wrote.reply.outcome, Success) else wrote
                self.drop(ref)
                if self._shows(back, value):
                    return self.attempt(value, plain=True)
            return False
        return True

    def attempt(self, value: Value, *, quiet: bool = False, plain: bool = False) -> bool:
        """Write a value and read it back; return whether it came back, or was refused as it may be.

        `quiet` judges nothing. `plain` tells that nothing about the value is hard: a reply that cannot be read is then
        the fault of something else than the value, and was recorded as such when it came.
        """
        wrote, ref = self.spot.put(self.fmt, value, self.holder)
        outcome = wrote.reply.outcome
        if isinstance(outcome, Success):
            self.back = back = self.spot.get(self.spot.bench.other(self.fmt), ref)
            came = self._shows(back, value)
            if came:
                self.kept, self.accepted = value, self.accepted + 1
                self.judge.asserted += 0 if quiet else 1
            elif not quiet:
                self._blame(value, wrote, ref, back, plain=plain)
            self.drop(ref)
            return came
        if isinstance(outcome, Failure) and self.spot.bench.is_domain_refusal(wrote):
            return self._refused(value, wrote, quiet=quiet)
        if not quiet and not (plain and isinstance(outcome, Breach)):
            self._not_taken(value, wrote)
        return False

    def is_matter(self, value: Value, read: Exchange) -> bool:
        """Whether what a reply shows in a value's place is the matter of this trial's clause."""
        outcome = read.reply.outcome
        if not (self.sizes_alone and isinstance(outcome, Success)):
            return True
        if isinstance(value, dict) and outcome.value.keys() != value.keys():
            return True
        return len(outcome.value) != len(value)

    def finish(self) -> None:
        """End the trial.

        Raises:
            Unavailable: no value was ever accepted.
        """
        if not self.accepted and not self.judge.failed and self.refusal:
            raise Unavailable(f"no value was ever accepted: {self.refusal}")

    def _refused(self, value: Value, wrote: Exchange, *, quiet: bool) -> bool:
        """Note a refusal of the server's own domain, which must leave the field as it was."""
        self.refusal = self.refusal or describe(wrote)
        if quiet or self.holder is None or self.spot.how != "set" or not self.accepted:
            return not quiet
        now = self.spot.get(self.fmt, self.holder.ref)
        if isinstance(now.reply.outcome, Success) and not self._shows(now, self.kept):
            self.judge.fail(
                f"{show(value)} is refused and {show(self.kept)} stays", f"refused, then {describe(now)}", wrote, now
            )
            self.blamed.add(self.fmt)
            return False
        return True

    def _not_taken(self, value: Value, wrote: Exchange) -> None:
        outcome = wrote.reply.outcome
        if isinstance(outcome, Breach) and not wrote.status:
            self.judge.untested(f"no answer to {wrote.message}: {outcome.kind}; counted under the wire clauses")
        else:
            self.judge.fail(f"{show(value)} is taken", describe(wrote), wrote)
        self.blamed.add(self.fmt)

    def _blame(self, value: Value, wrote: Exchange, ref: Ref, back: Exchange, *, plain: bool) -> None:
        """Ask every format what it shows, and record a finding for the one that changed the value."""
        bench = self.spot.bench
        reads = {fmt: self.spot.get(fmt, ref) for fmt in bench.formats}
        wrong = [fmt for fmt, read in reads.items() if not self._shows(read, value)]
        if not wrong:
            wrong, reads = [back.format], {back.format: back}
        elif len(wrong) == len(reads) or self._alone(reads, wrong, value):
            wrong, reads = [self.fmt], {self.fmt: back}
        self.judge.asserted += 1
        for guilty in wrong:
            unread = isinstance(reads[guilty].reply.outcome, Breach)
            if guilty not in self.blamed and not (plain and unread) and self.is_matter(value, reads[guilty]):
                self.blamed.add(guilty)
                self._find(guilty, value, wrote, reads[guilty])

    def _alone(self, reads: dict[Format, Exchange], wrong: Sequence[Format], value: Value) -> bool:
        """Whether the writing format misreads what it miswrote, so that it alone shows the value.

        The same is seen where the others share a fault in reading. So one of them writes the value too: where it
        shows its own writing, it reads well, and the first writer is at fault.
        """
        if self.fmt in wrong or len(wrong) < 2 or len(reads) - len(wrong) != 1:
            return False
        wrote, ref = self.spot.put(wrong[0], value, self.holder)
        back = self.spot.get(wrong[0], ref) if isinstance(wrote.reply.outcome, Success) else wrote
        if self.holder is None:
            self.drop(ref)
        return self._shows(back, value)

    def _find(self, guilty: Format, value: Value, wrote: Exchange, read: Exchange) -> None:
        expected, actual = f"{show(value)}, as written over {self.fmt}", f"{describe(read)} over {read.format}"
        if guilty is self.fmt:
            self.judge.fail(expected, actual, wrote, read)
            return
        with self.spot.bench.judging(self.clause(guilty), self.judge.element, guilty) as other:
            other.fail(expected, actual, wrote, read)

    def _shows(self, exchange: Exchange, value: Value) -> bool:
        outcome = exchange.reply.outcome
        return isinstance(outcome, Success) and same(self.spot.field.type, value, outcome.value)

    def drop(self, ref: Ref) -> None:
        """Remove the object that carried one value."""
        if self.holder is None and ref:
            self.spot.bench.stock.remove(self.spot.bench.stock.object_of(self.spot.of.name, ref))
