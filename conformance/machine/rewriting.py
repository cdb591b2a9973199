"""The steps of a case, written anew: without some of them, with one object for two, with one value for another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from xenconform.conformance.checks import nature
from xenconform.models.api import Api
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


def about(steps: Steps, fields: Collection[str]) -> Steps:
    """Return the steps that make objects or write one of some fields, and the last."""
    gone = {at for at, s in enumerate(steps[:-1]) if s.makes is None and (reads(s) or field_of(s) not in fields)}
    return without(steps, gone)


def reads(step: Step) -> bool:
    """Whether a step only reads."""
    return step.call.message.partition(".")[2].startswith("get_") and step.makes is None


def renewed(api: Api, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return steps that introduce what they make under uuids that nobody has: a server may take none twice."""
    return tuple(_renewed(api, step) for step in steps)


def _renewed(api: Api, step: Step) -> Step:
    message = api.message(step.call.message)
    if step.makes is None or message is None:
        return step
    named = zip([param.name for param in message.params], step.call.args, strict=False)
    args = tuple(nature.new_uuid() if name == "uuid" and isinstance(arg, str) else arg for name, arg in named)
    return replace(step, call=replace(step.call, args=args)) if "uuid" in (p.name for p in message.params) else step


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


def reopened(steps: Steps) -> Iterator[Steps]:
    """Yield the steps without one that is made in a further session, and with an earlier one made in that instead."""
    for at, step in enumerate(steps[:-1]):
        if step.session and step.makes is None:
            rest = kept(steps, {at})
            for place, each in enumerate(rest[:at]):
                if not each.session:
                    yield (*rest[:place], replace(each, session=step.session), *rest[place + 1 :])


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


def field_of(step: Step) -> str:
    """Return the field that an accessor, or a look-up by name, is about; "" for other messages."""
    name = step.call.message.partition(".")[2].removeprefix("get_by_")
    for verb in ("add_to_", "remove_from_", "set_", "add_", "remove_", "get_"):
        if name.startswith(verb):
            return name.removeprefix(verb)
    return name if name == "name_label" else ""


def texts(steps: Steps) -> dict[str, list[str]]:
    """Return the different texts that the steps give to each field, those of names in records too."""
    found: dict[str, dict[str, None]] = {}
    for step in steps:
        for field, value in _given(step):
            found.setdefault(field, {}).update({each: None for each in (value, *_members(value)) if _is_text(each)})
    return {field: list(each) for field, each in found.items()}


def _given(step: Step) -> Iterator[tuple[str, Value]]:
    field = field_of(step)
    for arg in step.call.args:
        if isinstance(arg, dict) and step.makes is not None:
            yield "name_label", arg.get("name_label")
        elif field:
            yield field, arg


def _is_text(value: Value) -> bool:
    return isinstance(value, str)


def retold(steps: Steps) -> Iterator[Steps]:
    """Yield the steps with another text in one of them, which another step gives to the same field."""
    given = texts(steps)
    for at, step in enumerate(steps):
        for old in [each for arg in step.call.args for each in (arg, *_members(arg)) if _is_text(each)]:
            for new in given.get(field_of(step), ()) if step.makes is None else ():
                if new != old:
                    yield (*steps[:at], *renamed((step,), old, new), *steps[at + 1 :])


def folded(steps: Steps) -> Iterator[Steps]:
    """Yield the steps with a written value given to the object when it is made, in place of the step that wrote it."""
    makers = {step.makes: at for at, step in enumerate(steps) if step.makes is not None and _record(step) is not None}
    for at, step in enumerate(steps[:-1]):
        field, args = field_of(step), step.call.args
        maker = makers.get(args[0]) if args and isinstance(args[0], Handle) else None
        record = _record(steps[maker]) if maker is not None else None
        if maker is None or record is None or field not in record:
            continue
        match step.call.message.partition(".")[2].removesuffix(field), args[1:]:
            case "set_", (value,):
                written = value
            case "add_", (value,):
                written = (*record[field], value)
            case "add_to_", (key, value):
                written = {**record[field], key: value}
            case _:
                continue
        made = replace(steps[maker], call=replace(steps[maker].call, args=({**record, field: written},)))
        between = steps[maker + 1 : at]
        later = {step.makes for step in between} & set(handles_in(args[1:]))
        yield (*steps[:maker], *((*between, made) if later else (made, *between)), *steps[at + 1 :])


def _record(step: Step) -> dict[str, Value] | None:
    args = step.call.args
    return args[0] if len(args) == 1 and isinstance(args[0], dict) else None


def tail(steps: Steps, size: int) -> Steps:
    """Return the last steps, with those before them that make what they use and read the uuids that they use."""
    wanted = {handle for step in steps[-size:] for handle in handles_in(step.call.args)}
    named = {handle for step in steps[-size:] for handle in uuids(step.call.args)}
    gone: set[int] = set()
    for at in reversed(range(len(steps) - size)):
        own = set(handles_in(steps[at].call.args))
        if steps[at].makes in wanted:
            wanted |= own
        elif not (reads_uuid(steps[at]) and own & named):
            gone.add(at)
    return without(steps, gone)


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
