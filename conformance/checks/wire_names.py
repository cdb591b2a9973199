"""Level 1, names that an enum does not have: each way of writing them is turned down, and nothing changes.

A server may read a name in other letters, or with spaces around it, as that name, as live ones do: then the field must
show the name as the enum has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest

from xenconform.conformance.checks.roundtrip import Trial, writer
from xenconform.conformance.checks.wire_kinds import parts
from xenconform.conformance.checks.wire_odd import judge_kept
from xenconform.conformance.codec import Param, Scalar
from xenconform.models import types as t
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, Value
from xenconform.strategies.boundary import numbered
from xenconform.strategies.wrong import nearly_names

NO_NAME = "no_such_value"
FOREIGN = 2
"""So many names of other enums of the class are tried."""
KIN = 3
"""So many names of enums of other classes are tried, of those that share names with the enum."""
ADDED = 3
"""So many names are also added one by one."""


def outside_names_are_refused(trial: Trial) -> None:
    """Write names that the enum does not have: each is turned down, and the field stays as it was."""
    own = next((part for part in parts(trial.spot.field.type) if isinstance(part, t.Enum) and part.values), None)
    if own is None:
        return
    near = nearly_names(own)
    if not trial.spot.bench.budget.boundaries:
        formats = trial.spot.bench.formats
        near = near[formats.index(trial.fmt) :: len(formats)]
    values = [(name, _named(trial, name)) for name in (NO_NAME, *_foreign(trial, own), *near)]
    refused: tuple[Value, Exchange] | None = None
    for name, value in values:
        if value is None or trial.over:
            break
        wrote, ref = trial.spot.put(trial.fmt, value, trial.holder, probe=True)
        if _is_read_as_a_name(trial, wrote, ref, (name, own)):
            trial.drop(ref)
        elif _is_refused(trial, wrote, name):
            refused = value, wrote
        elif isinstance(wrote.reply.outcome, Success):
            trial.drop(ref)
    _numbers_are_no_names(trial)
    for name, args in _additions(trial, (NO_NAME, *near[: ADDED - 1])):
        if trial.over or trial.holder is None:
            break
        verb = "add" if len(args) == 1 else "add_to"
        adder = writer(trial.spot.bench, trial.spot.of, trial.spot.field.name, verb)
        if adder is not None:
            added = trial.spot.bench.call(trial.fmt, adder.full_name, trial.holder.ref, *args, probe=True)
            if not _is_read_as_a_name(trial, added, trial.holder.ref, (name, own)):
                refused = (args, added) if _is_refused(trial, added, name) else refused
    if refused is not None and not trial.over:
        judge_kept(trial, *refused)


def _numbers_are_no_names(trial: Trial) -> None:
    """Write numbers in place of a name: read as text they are none either, and the place of a name is no name."""
    spot_, holder = trial.spot, trial.holder
    if spot_.how != "set" or not isinstance(spot_.field.type, t.Enum) or holder is None or trial.over:
        return
    for number in ("0", "1"):
        params: list[Param] = [(t.RefTo(spot_.of.name), holder.ref), (None, Scalar("int", number))]
        message = f"{spot_.of.name}.set_{spot_.field.name}"
        wrote = spot_.bench.call(trial.fmt, message, params=params, probe=True)
        if number not in spot_.field.type.values and not _is_refused(trial, wrote, number):
            return


def _is_read_as_a_name(trial: Trial, wrote: Exchange, ref: Ref, what: tuple[str, t.Enum]) -> bool:
    """Whether a text that differs from a name in letters or outer spaces alone was taken, and is shown as that name."""
    text, own = what
    meant = [name for name in own.values if name.lower() == text.strip().lower()]
    if not meant or not isinstance(wrote.reply.outcome, Success):
        return False
    outcome = trial.spot.get(trial.fmt, ref).reply.outcome
    shown = outcome.value if isinstance(outcome, Success) else ()
    names = {shown} if isinstance(shown, str) else {*shown, *(shown.values() if isinstance(shown, dict) else ())}
    return text not in names and bool(names & set(meant))


def _is_refused(trial: Trial, wrote: Exchange, name: str) -> bool:
    if trial.judge.refused(wrote, f"{wrote.message} of the name {name!r}, which the enum does not have,"):
        return True
    if isinstance(wrote.reply.outcome, Success):
        trial.blamed.add(trial.fmt)
    return False


def _foreign(trial: Trial, own: t.Enum) -> tuple[str, ...]:
    """Return some names of other enums: of those that the class has, and of those that are much like this one."""
    fields = sorted(trial.spot.of.fields.values(), key=lambda field: not isinstance(field.type, t.Enum))
    others = [part.values for field in fields for part in parts(field.type) if isinstance(part, t.Enum)]
    return (*islice(_outside(own, others), FOREIGN), *islice(_outside(own, _kin(trial, own)), KIN))


def _kin(trial: Trial, own: t.Enum) -> list[tuple[str, ...]]:
    """Return the enums of the whole API that share names with one, those that share most of theirs first."""
    known, classes = set(own.values), trial.spot.bench.api.classes.values()
    enums = {values for of in classes for values in of.enums.values() if values}
    shares = {values: len(known & set(values)) / len(values) for values in sorted(enums)}
    return sorted((values for values, share in shares.items() if 0 < share < 1), key=lambda each: -shares[each])


def _outside(own: t.Enum, others: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield each name that the enum does not have, in whatever letters, one of each of the others before their next."""
    known = {name.lower() for name in own.values}
    columns = zip_longest(*([name for name in each if name.lower() not in known] for each in others))
    yield from dict.fromkeys(name for column in columns for name in column if name is not None)


def _named(trial: Trial, name: str) -> Value:
    """Return a value of the field with a name in it, None where the field has no plain place for one."""
    match trial.spot.field.type:
        case t.Enum():
            return name
        case t.SetOf(t.Enum()):
            # Where members are added one by one, those that are there stay, so that the refused one alone is tried.
            return (*(trial.kept or ()), name) if trial.spot.how == "add" else (name,)
        case t.MapOf() as of:
            return dict([pair]) if (pair := _pair(of, name)) else None
        case _:
            return None


def _pair(of: t.MapOf, name: str) -> tuple[Value, Value] | None:
    """Return a pair of a map with a name as its key, or as its value where that alone is an enum."""
    plain = numbered(of.value if isinstance(of.key, t.Enum) else of.key, 1)
    if not plain or not isinstance(of.value if not isinstance(of.key, t.Enum) else of.key, t.Enum):
        return None
    return (name, plain[0]) if isinstance(of.key, t.Enum) else (plain[0], name)


def _additions(trial: Trial, names: tuple[str, ...]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Yield names with the parameters that add each to a set or map that is otherwise set as a whole."""
    if trial.spot.how != "set":
        return
    for name in names:
        match trial.spot.field.type:
            case t.SetOf(t.Enum()):
                yield name, (name,)
            case t.MapOf() as of if (pair := _pair(of, name)) is not None:
                yield name, pair
            case _:
                return
