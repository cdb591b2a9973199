"""The steps of a case, written anew: without some of them, with one object for two, with one value for another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from xenconform.models.cases import Step, Wanted
from xenconform.models.matching import handles_in
from xenconform.models.values import Handle, UuidOf, Value

Steps = tuple[Step, ...]


def without(steps: Sequence[Step], gone: set[int]) -> Steps:
    """Return the steps without some, and without those that use what the missing ones would have made or read."""
    lost: set[Handle] = set()
    read: set[Handle] = set()
    kept: list[Step] = []
    for at, step in enumerate(steps):
        used = set(handles_in(step.call.args))
        if at in gone or used & lost or not uuids(step.call.args) <= read:
            if step.makes is not None:
                lost.add(step.makes)
        else:
            kept.append(step)
            if reads_uuid(step):
                read |= used
    return tuple(kept)


def kept(steps: Steps, gone: set[int]) -> Steps:
    """Return the steps that are left; none where the last, which fails, would go too."""
    kept = without(steps, gone)
    return kept if kept and kept[-1] == steps[-1] else ()


def writers(steps: Steps) -> Steps:
    """Return the steps that do not only read, those that read a uuid which counts later, and the last."""
    last = steps[-1].expect
    used = {handle for step in steps for handle in uuids(step.call.args)}
    if last is not None and last.wanted is Wanted.NEW:
        used = {step.makes for step in steps if step.makes is not None}
    needed = {at for at, step in enumerate(steps) if reads_uuid(step) and used & set(handles_in(step.call.args))}
    return without(steps, {at for at, step in enumerate(steps[:-1]) if reads(step) and at not in needed})


def reads(step: Step) -> bool:
    """Whether a step only reads."""
    return step.call.message.partition(".")[2].startswith("get_") and step.makes is None


def reads_uuid(step: Step) -> bool:
    """Whether a step reads the uuid of its object."""
    return step.call.message.endswith((".get_uuid", ".get_record"))


def uuids(value: Value) -> set[Handle]:
    """Return the objects whose uuids a value names."""
    match value:
        case UuidOf(handle):
            return {handle}
        case tuple():
            return {each for item in value for each in uuids(item)}
        case dict():
            return uuids((*value, *value.values()))
        case _:
            return set()


def joined(steps: Steps, one: Handle, other: Handle) -> Steps:
    """Return the steps with one object standing for two."""
    left = (step for step in steps if step.makes != one)
    return tuple(replace(step, call=replace(step.call, args=swapped(step.call.args, one, other))) for step in left)


def swapped(value: Value, one: Value, other: Value) -> Value:
    """Return a value with one object for another."""
    match value:
        case Handle():
            return other if value == one else value
        case UuidOf(handle):
            return UuidOf(other) if handle == one else value
        case tuple():
            return tuple(swapped(each, one, other) for each in value)
        case dict():
            return {swapped(k, one, other): swapped(v, one, other) for k, v in value.items()}
        case _:
            return value


def renamed(steps: Steps, old: Value, new: Value) -> Steps:
    """Return the steps with one value for another wherever it stands in an argument that is no record."""

    def turned(value: Value) -> Value:
        if type(value) is type(old) and value == old:
            return new
        match value:
            case tuple():
                return tuple(turned(each) for each in value)
            case dict():
                return {turned(k): turned(v) for k, v in value.items()}
            case _:
                return value

    def arg(step: Step, value: Value) -> Value:
        return value if isinstance(value, dict) and step.makes is not None else turned(value)

    return tuple(
        replace(step, call=replace(step.call, args=tuple(arg(step, each) for each in step.call.args))) for step in steps
    )


def texts(steps: Steps) -> list[str]:
    """Return the different texts that the steps give, those of names in records too."""
    found: dict[str, None] = {}
    for step in steps:
        for arg in step.call.args:
            record = isinstance(arg, dict) and step.makes is not None
            given = (arg.get("name_label"),) if record else (arg, *_members(arg))
            found |= {each: None for each in given if isinstance(each, str)}
    return list(found)


def plainer(steps: Steps) -> Iterator[tuple[Value, Value]]:
    """Yield each value of the steps with a plainer one, members of sets and maps too."""
    seen: set[str] = set()
    for step in steps:
        for arg in step.call.args:
            if isinstance(arg, dict) and step.makes is not None:
                continue  # a record is whole: what it must have is the exemplar's business
            for each in (arg, *_members(arg)):
                if repr(each) not in seen:
                    seen.add(repr(each))
                    yield from ((each, plain) for plain in _simpler(each))


def _members(value: Value) -> tuple[Value, ...]:
    match value:
        case tuple():
            return value
        case dict():
            return (*value, *value.values())
        case _:
            return ()


def _simpler(value: Value) -> tuple[Value, ...]:
    match value:
        case bool():
            return ()
        case str():
            return tuple(each for each in ("a", "b") if each < value or len(each) < len(value))
        case int():
            return tuple(each for each in (1, 2) if abs(each) < abs(value))
        case float():
            return tuple(each for each in (0.5,) if each != value and abs(value) > 1)
        case tuple() if len(value) > 1:
            return (value[: len(value) // 2], value[:-1], value[1:])
        case dict() if len(value) > 1:
            return ({k: value[k] for k in list(value)[:1]}, {k: value[k] for k in list(value)[1:]})
        case _:
            return ()
