"""Level 2, writing: what a setter, among many objects that were written before, makes of the field that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

from xenconform.conformance.checks.awkward import settable
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.fields import Place, is_scalar, plain_values, written
from xenconform.conformance.checks.judging import Unavailable, show
from xenconform.conformance.checks.roundtrip import writer
from xenconform.conformance.checks.snapshots import Record
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass, Field, Qualifier, State
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, SetOf, Type, refs_in
from xenconform.models.values import Value, same

OWN: Mapping[str, str] = MappingProxyType(
    {"set": "SET-VALUE", "add": "SET-ADD", "remove": "SET-REMOVE", "add_to": "MAP-ADD", "remove_from": "MAP-REMOVE"}
)
"""The clause that says what a verb makes of its own field."""


def tell_own_clause(
    place: Place, done: tuple[str, tuple[Value, ...]], records: tuple[Record, Record], seen: tuple[Exchange, ...]
) -> None:
    """Tell where the field is not as the verb makes it, by the record and by its getter.

    The records are those before and after it.
    """
    verb, args = done
    name, of = place.field.name, place.field.type
    before, after = (record.get(name) for record in records)
    wanted = expected(place, verb, args, before)
    if wanted is None or after is None or same(of, wanted, once(place, after)):
        return
    single = place.bench.call(place.bench.other(place.fmt), place.message("get"), place.obj.ref)
    outcome = single.reply.outcome
    if isinstance(outcome, Success) and not same(of, wanted, once(place, outcome.value)):
        with place.bench.judging(OWN[verb], f"{place.of.name}.{name}", place.fmt) as judge:
            judge.fail(show(wanted), show(outcome.value), *seen, single)


def expected(place: Place, verb: str, args: tuple[Value, ...], before: Value) -> Value:
    """Return what a verb makes of a value; None where nothing is said of it."""
    match verb:
        case "set":
            return args[0] if is_scalar(place.field) else None
        case "add" if before is not None:
            return tuple(dict.fromkeys((*before, args[0])))
        case "remove" if before is not None:
            return tuple(each for each in dict.fromkeys(before) if each != args[0])
        case "add_to" if before is not None and args[0] not in before:
            return {**before, args[0]: args[1]}
        case "remove_from" if before is not None:
            return {key: value for key, value in before.items() if key != args[0]}
    return None


def once(place: Place, value: Value) -> Value:
    """Return a set with each member once: that it has one twice is another clause's; any other value as it is."""
    return tuple(dict.fromkeys(value)) if isinstance(place.field.type, SetOf) else value


def add_members(bench: Bench, of: ApiClass, obj: Obj) -> None:
    """Add a member to each set and map of an object of ours, one that checks come upon last; what is refused is let be.

    What is added to another object then, which may share what both began with, is not to take its place.
    """
    for field in written(of):
        if is_scalar(field) or not bench.profile.domain(of.name, field.name).is_free:
            continue
        item, rest = (
            (field.type.key, [field.type.value]) if isinstance(field.type, MapOf) else (members_type(field), [])
        )
        with suppress(Unavailable):
            values = [plain_values(bench, "", field, each, 5) for each in (item, *rest)]
            verb = "add_to" if rest else "add"
            bench.call(bench.formats[0], f"{of.name}.{verb}_{field.name}", obj.ref, *(each[-1] for each in values))


def members_type(field: Field) -> Type:
    """Return the type of the members of a set."""
    assert isinstance(field.type, SetOf), "only sets come here"
    return field.type.item


def write_plainly(bench: Bench, of: ApiClass, obj: Obj, *, without_rw: bool = False) -> None:
    """Write what messages set or add to, as far as a server lets it be; refs are left as they are.

    `without_rw` leaves out what generic accessors write.
    """
    for field in of.fields.values():
        left_out = without_rw and field.qualifier is Qualifier.RW
        if left_out or field.lifecycle.state is State.REMOVED or refs_in(field.type):
            continue
        with suppress(Unavailable):
            _write_another(bench, of, field, obj)


def _write_another(bench: Bench, of: ApiClass, field: Field, obj: Obj) -> None:
    """Write a value that a field does not have, or add a member."""
    setter, adder = (writer(bench, of, field.name, verb) for verb in ("set", "add"))
    if setter is not None and field in settable(bench, of) and len(setter.params) == 2:
        now = bench.call(bench.formats[0], f"{of.name}.get_{field.name}", obj.ref).reply.outcome
        for value in plain_values(bench, of.name, field, field.type, 2):
            if isinstance(now, Success) and not same(field.type, value, now.value):
                bench.call(bench.formats[0], setter.full_name, obj.ref, value)
                return
    elif adder is not None and isinstance(field.type, SetOf) and len(adder.params) == 2:
        for value in plain_values(bench, of.name, field, field.type.item, 1):
            bench.call(bench.formats[0], adder.full_name, obj.ref, value)
