"""What changed in the API from one release to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from xenconform.models.api import Api, ApiClass, Field, Lifecycle, Message, State


class Kind(StrEnum):
    """What became of an element; the values are the words shown."""

    ADDED = "added"
    REMOVED = "removed"
    DEPRECATED = "deprecated"
    PUBLISHED = "published"
    """It was a prototype before."""
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what became of a class, field or message, its name (`VM.tags`), and the transitions that tell it."""

    kind: Kind
    what: str
    name: str
    detail: str = ""


def diff(old: Api, new: Api) -> tuple[Change, ...]:
    """Return what changed from `old` to `new`, in the order of the classes.

    Accessors change as their field does, so they are not listed again; an added or removed class is one change.
    """
    return tuple(_classes(old, new))


def _classes(old: Api, new: Api) -> Iterator[Change]:
    for name in dict.fromkeys((*new.classes, *old.classes)):
        before, after = old.classes.get(name), new.classes.get(name)
        whole = _change("class", name, before, after)
        if whole:
            yield whole
        if before is not None and after is not None:
            yield from _members("field", name, before.fields, after.fields)
            yield from _members("message", name, _own(before), _own(after))


def _own(each: ApiClass) -> dict[str, Message]:
    """Return the messages that no field and no class gives."""
    return {name: message for name, message in each.messages.items() if not message.implicit}


Element = ApiClass | Field | Message


def _members(what: str, cls: str, old: Mapping[str, Element], new: Mapping[str, Element]) -> Iterator[Change]:
    for name in dict.fromkeys((*new, *old)):
        change = _change(what, f"{cls}.{name}", old.get(name), new.get(name))
        if change:
            yield change


def _change(what: str, name: str, old: Element | None, new: Element | None) -> Change | None:
    """Return the change of one element, or None: gone and removed are the same to a client."""
    was = None if old is None or old.lifecycle.state is State.REMOVED else old.lifecycle
    now = None if new is None or new.lifecycle.state is State.REMOVED else new.lifecycle
    detail = _since(old, new)
    if was is None or now is None:
        if was is now:
            return None
        return Change(Kind.REMOVED if now is None else Kind.ADDED, what, name, detail)
    if was.state is not now.state:
        return Change(Kind.DEPRECATED if now.state is State.DEPRECATED else Kind.PUBLISHED, what, name, detail)
    if was.transitions != now.transitions or not _same_shape(old, new):
        return Change(Kind.CHANGED, what, name, detail or _shapes(old, new))
    return None


def _since(old: Element | None, new: Element | None) -> str:
    """Return the transitions that `new` has beyond those of `old`, as words."""
    had = old.lifecycle.transitions if old else ()
    has: Lifecycle | None = new.lifecycle if new else None
    return ", ".join(
        f"{kind} {release}" for kind, release in (has.transitions if has else ()) if (kind, release) not in had
    )


def _same_shape(old: Element | None, new: Element | None) -> bool:
    return _shape(old) == _shape(new)


def _shape(each: Element | None) -> str:
    match each:
        case Field():
            return f"{each.type}, {each.qualifier}"
        case Message():
            return f"({', '.join(f'{p.type} {p.name}' for p in each.params)}) -> {each.result}"
        case _:
            return ""


def _shapes(old: Element | None, new: Element | None) -> str:
    return f"{_shape(old)} became {_shape(new)}"
