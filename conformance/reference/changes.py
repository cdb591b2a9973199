"""What changed, in order: the log that events are read from.

Laws: ids grow by one a change; of an object that changed several times since a token only the latest state is told;
an object made and ended between two readings is told as ended alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xenconform.models.values import Handle, Ref

_MOST_GONE = 10_000
SILENT = frozenset({"session"})
"""Classes whose changes are no events: a login is of no interest to anyone's cache."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an object: its latest change's id, and add, mod or del."""

    id: int
    operation: str
    handle: Handle
    ref: Ref


class ChangeLog:
    """The latest change of every object, oldest first."""

    def __init__(self) -> None:
        self.last = 0
        self._born: dict[Handle, int] = {}
        self._latest: dict[Handle, Change] = {}
        self._gone = 0
        self._forgotten = 0

    def note(self, operation: str, handle: Handle, ref: Ref) -> None:
        """Add a change."""
        self.last += 1
        self._latest.pop(handle, None)
        self._latest[handle] = Change(self.last, operation, handle, ref)
        if operation == "add":
            self._born[handle] = self.last
        if operation == "del":
            self._born.pop(handle, None)
            self._gone += 1
            if self._gone > _MOST_GONE:
                self._forget()

    def since(self, token: int) -> Iterator[Change]:
        """Yield the latest change of each object that changed after the id `token`, oldest first."""
        found = []
        for change in reversed(self._latest.values()):
            if change.id <= token:
                break
            found.append(change)
        for change in reversed(found):
            born = self._born.get(change.handle, 0) > token
            yield Change(change.id, "add", change.handle, change.ref) if born else change

    def lost(self, token: int) -> bool:
        """Whether ends of objects after `token` are no longer known."""
        return token < self._forgotten

    def _forget(self) -> None:
        first = next(c for c in self._latest.values() if c.operation == "del")
        del self._latest[first.handle]
        self._forgotten, self._gone = first.id, self._gone - 1
