"""The objects of other clients: they may come and go at any time, and what follows from that is no defect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from xenconform.models.values import Ref, Value


@dataclass(slots=True)
class Others:
    """Which objects a server listed that this run did not make, by class."""

    _theirs: dict[str, set[Ref]] = field(default_factory=dict)
    _ours: set[Ref] = field(default_factory=set)

    def note(self, cls: str, refs: Iterable[Ref]) -> None:
        """Note which objects a listing showed, so that it is known whose they are when they end."""
        self._theirs.setdefault(cls, set()).update(set(refs) - self._ours)

    def disown(self, cls: str, ref: Ref) -> None:
        """Note that an object is our own, whoever listed it first."""
        self._ours.add(ref)
        self._theirs.get(cls, set()).discard(ref)

    def was_ours(self, ref: Ref) -> bool:
        """Whether an object is or was of our own making."""
        return ref in self._ours

    def among(self, cls: str, args: Sequence[Value]) -> set[Ref]:
        """Return which objects of others a call's arguments name, inside records, sets and maps too."""
        return set(_texts(args)) & self._theirs.get(cls, set())


def _texts(value: Value) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from _texts(tuple(value))
            yield from _texts(tuple(value.values()))
        case tuple() | list():
            for each in value:
                yield from _texts(each)
