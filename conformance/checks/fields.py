"""Fields under test: which there are, the plain values they take, and a place to write and read them.

Only plain values are used here: what hard values do on the wire is level 1's business, so that a finding names the
rule that is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, show
from xenconform.conformance.checks.onlooker import ask
from xenconform.conformance.checks.stock import TAG, Obj
from xenconform.models.api import Api, ApiClass, Field, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.exemplars import Need, alternatives
from xenconform.models.types import NULL_REF, Enum, MapOf, SetOf, Str, Type, refs_in
from xenconform.models.values import Handle, Value, same
from xenconform.strategies.plain import tame

ABSENT = "xc-absent"
"""A member of no set, and a key of no map."""


@dataclass(frozen=True, slots=True)
class Place:
    """A field of an object under test and the format that writes it; `elsewhere` in the run's second session."""

    bench: Bench
    of: ApiClass
    field: Field
    obj: Obj
    fmt: Format
    elsewhere: bool = False

    def message(self, verb: str) -> str:
        """Return the accessor's full name."""
        return f"{self.of.name}.{verb}_{self.field.name}"

    def call(self, verb: str, *args: Value) -> Exchange:
        """Write and return the exchange, whatever came."""
        bench, message = self.bench, self.message(verb)
        if self.elsewhere:
            return bench.onlooker.call(bench, self.fmt, message, self.obj.ref, *args)
        return bench.call(self.fmt, message, self.obj.ref, *args)

    def do(self, verb: str, *args: Value) -> Exchange:
        """Write; the call has to succeed."""
        return ask(self.bench, self.fmt, self.message(verb), self.obj.ref, *args, elsewhere=self.elsewhere)[1]

    def read(self) -> tuple[Value, Exchange]:
        """Read back over every format by turns, the one that writes last, and in either session by turns.

        What a server keeps by format is not only to show there what came over others.

        Raises:
            Unavailable: that format does not read what another one reads, which is no matter of the writing.
            Unanswered: no format reads it.
        """
        elsewhere, number = self.bench.onlooker.turn()
        fmt = self.bench.other(self.fmt, number)
        try:
            return ask(self.bench, fmt, self.message("get"), self.obj.ref, elsewhere=elsewhere)
        except Unanswered as why:
            others = (self.bench.call(fmt, self.message("get"), self.obj.ref) for fmt in self.bench.formats)
            if any(isinstance(each.reply.outcome, Success) for each in others):
                raise Unavailable(f"{why}; counted under GET-EVERY-FIELD") from why
            raise

    def plain(self, count: int) -> list[Value]:
        """Return `count` different plain values that the field takes, fewer where there are no more."""
        return plain_values(self.bench, self.of.name, self.field, self.field.type, count)


def plain_values(bench: Bench, cls: str, field: Field, of: Type, count: int) -> list[Value]:
    """Return up to `count` different plain values of a type for a field, within the profile's domain.

    Raises:
        Unavailable: the profile says not to vary the field, or there is no object to refer to.
    """
    domain = bench.profile.domain(cls, field.name)
    if domain.skip:
        raise Unavailable(f"the profile {bench.profile.name} does not vary {cls}.{field.name}: {domain.skip}")
    if not domain.is_free and of == field.type:
        taken = alternatives(bench.api, bench.profile, cls, field.name, n=bench.stock.number(), tag=TAG)
        return [_wired(bench, value) for value in taken][:count]
    refs = {}
    for target in refs_in(of):
        refs[target] = [obj.ref for obj in bench.stock.readable(target, count)]
    found: list[Value] = []
    for n in range(count * 3):
        value = tame(of, n + 1, refs=refs)
        if not any(same(of, value, seen) for seen in found):
            found.append(value)
    return found[:count]


def _wired(bench: Bench, value: Value) -> Value:
    """Return a value of a profile with its needs met and its null references as the wire has them."""
    match value:
        case Need():
            return bench.stock.need(value)
        case Handle():
            return NULL_REF
        case tuple():
            return tuple(_wired(bench, each) for each in value)
        case dict():
            return {_wired(bench, key): _wired(bench, each) for key, each in value.items()}
        case _:
            return value


def has_getters(_api: Api, of: ApiClass) -> bool:
    """Whether any field of the class has a getter by the model."""
    return any(message.verb == "get" for message in of.messages.values())


def getters(of: ApiClass) -> Iterator[tuple[Field, str]]:
    """Return each field that has a getter, with the getter's full name."""
    for field in of.fields.values():
        message = of.messages.get(f"get_{field.name}")
        if message is not None and message.verb == "get":
            yield field, message.full_name


def written(of: ApiClass) -> Iterator[Field]:
    """Return the fields that any client may write with generic setters."""
    for field in of.fields.values():
        if field.qualifier is Qualifier.RW and f"get_{field.name}" in of.messages:
            yield field


def write_some(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> None:
    """Write the first scalar, set and map of an object of ours with plain values; what is refused is let be."""
    kinds: dict[type, Field] = {}
    for field in written(of):
        if field.name != "name_label" and not refs_in(field.type):
            kinds.setdefault(type(field.type) if isinstance(field.type, SetOf | MapOf) else Str, field)
    for field in kinds.values():
        with suppress(Unavailable):
            for value in plain_values(bench, of.name, field, field.type, 2)[-1:]:
                bench.call(fmt, f"{of.name}.set_{field.name}", obj.ref, value)


def is_scalar(field: Field) -> bool:
    """Whether a field is neither a set nor a map."""
    return not isinstance(field.type, SetOf | MapOf)


def has_scalars(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a RW field that is neither set nor map."""
    return any(is_scalar(field) for field in written(of))


def has_sets(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a RW set."""
    return any(isinstance(field.type, SetOf) for field in written(of))


def has_maps(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a RW map."""
    return any(isinstance(field.type, MapOf) for field in written(of))


def has_written(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a RW field."""
    return any(True for _ in written(of))


Act = Callable[[Place, Judge], None]


def over_fields(bench: Bench, of: ApiClass, *, clause: str, kind: type | None, act: Act) -> None:
    """Judge a clause on each RW field of a class × format; `kind` narrows to sets or maps, None to scalars."""
    for field in written(of):
        if not (is_scalar(field) if kind is None else isinstance(field.type, kind)):
            continue
        for fmt in bench.formats:
            with bench.judging(clause, f"{of.name}.{field.name}", fmt) as judge:
                obj = bench.stock.writable(of.name)
                with bench.restoring(obj, field.name):
                    act(Place(bench, of, field, obj, fmt), judge)


def compare(place: Place, judge: Judge, expected: Value, actual: Value, seen: tuple[Exchange, ...]) -> None:
    """Assert what was read back; on a difference ask every format, to name the guilty one."""
    of = place.field.type
    judge.asserted += 1
    if same(of, expected, actual):
        return
    wrong = []
    for fmt in place.bench.formats:
        outcome = place.bench.call(fmt, place.message("get"), place.obj.ref).reply.outcome
        if not (isinstance(outcome, Success) and same(of, expected, outcome.value)):
            wrong.append(fmt)
    guilty = place.fmt if len(wrong) == len(place.bench.formats) or not wrong else wrong[0]
    judge.fail(show(expected), show(actual), *seen, fmt=guilty)


def is_free(place: Place) -> bool:
    """Whether a field takes every value of its type."""
    return place.bench.profile.domain(place.of.name, place.field.name).is_free


def at_length(place: Place) -> bool:
    """Whether this is a place for more than plain values: a class's first field of a type, each other in one format."""
    alike = [each.name for each in written(place.of) if each.type == place.field.type]
    at, formats = alike.index(place.field.name), place.bench.formats
    return (not at and place.bench.budget.boundaries) or formats.index(place.fmt) == at % len(formats)


def takes_whole(place: Place, value: Value) -> bool:
    """Set a large value at once; whether the field takes it and shows it afterwards."""
    if not is_free(place) or not at_length(place):
        return False
    wrote = place.bench.call(place.fmt, place.message("set"), place.obj.ref, value)
    return isinstance(wrote.reply.outcome, Success) and same(place.field.type, value, place.read()[0])


def turned(place: Place, step: int) -> Place:
    """Return the same place written over another format, and in the other session."""
    return replace(place, fmt=place.bench.other(place.fmt, step), elsewhere=not place.elsewhere)


def alike(place: Place, values: Sequence[Value]) -> Sequence[Value]:
    """Return three values of which the last differs from the first in case alone, where text is free to be any."""
    item = place.field.type.key if isinstance(place.field.type, MapOf) else getattr(place.field.type, "item", None)
    return (*values[:2], str(values[0]).swapcase()) if is_free(place) and isinstance(item, Str) else values


def one_by_one(
    place: Place, current: Value, others: Sequence[Value] = (), *, shared: bool = False
) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Return the ways to write a field, with values that it does not have: set, then one member in and out again.

    The values differ, where there are so many, from those that `others` have. Where it is empty the member comes first:
    what is empty may be one thing that many objects share until it is set. A `shared` member is one that others have.
    """
    of = place.field.type
    values = place.plain(len(of.values) if isinstance(of, Enum) else 2 + len(others))
    fresh = [value for value in values if not same(of, value, current)]
    new = (value for value in fresh if not any(same(of, value, other) for other in others))
    value = next(new, (fresh or values[-1:] or [None])[0])
    # What follows from one value of an enum need not follow from another.
    each = [other for other in fresh if other != value] if isinstance(of, Enum) else []
    whole: list[tuple[str, tuple[Value, ...]]] = [("set", (one,)) for one in (*each, value)] if values else []
    theirs = [each for other in others for each in other] if shared and not is_scalar(place.field) else []
    members = list(_member_by_member(place, value, theirs))
    yield from (*whole, *members) if current else (*members, *whole)


def _member_by_member(place: Place, value: Value, first: Sequence[Value]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Return additions and removals of a member that a value has not, one of the `first` where that can be."""
    of, bench = place.field.type, place.bench
    if not isinstance(of, SetOf | MapOf) or not is_free(place):
        return
    item = of.item if isinstance(of, SetOf) else of.key
    members = (*first, *plain_values(bench, "", place.field, item, 5))
    fresh = next((each for each in members if each not in (value or ())), None)
    if fresh is None:
        return
    if isinstance(of, SetOf):
        yield "add", (fresh,)
        yield "remove", (fresh,)
    else:
        yield "add_to", (fresh, *plain_values(bench, "", place.field, of.value, 1))
        yield "remove_from", (fresh,)


@contextmanager
def readily() -> Iterator[None]:
    """Go on behind the block where a server has reasons of its own not to do what is asked there."""
    try:
        yield
    except Unavailable:
        return
    except Unanswered as why:
        if not why.domain:
            raise
