"""From a reply's tree to typed values, seeing every departure from the wire's rules.

What can be read is read, and its departures are noted as flaws; what cannot be read at all raises. Inside a record, a
set or a map one unreadable value is left out and noted, so that the others can still be judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from xenconform.conformance.codec.composites import COMPOSITES
from xenconform.conformance.codec.scalars import SCALARS
from xenconform.conformance.codec.spelling import Reader, Spelling, Unreadable
from xenconform.conformance.codec.tree import Node
from xenconform.models.api import Api
from xenconform.models.calls import Flaw
from xenconform.models.types import Type
from xenconform.models.values import Value

_READERS = {**SCALARS, **COMPOSITES}


@dataclass(slots=True)
class StrictReader:
    """Reads one reply's values; `flaws` grows as it does."""

    spelling: Spelling
    api: Api | None
    flaws: list[Flaw] = field(default_factory=list)

    def read(self, of: Type, node: Node, where: str = "") -> Value:
        """Return the value of the type `of` that a node holds.

        Raises:
            Unreadable: the node holds nothing of the type.
        """
        return _READERS[type(of)](self, of, node, where)

    def read_or_note(self, of: Type, node: Node, where: str) -> tuple[bool, Value]:
        """Return whether a value could be read, and the value; note it where not."""
        try:
            return True, _READERS[type(of)](self, of, node, where)
        except Unreadable as bad:
            self.note(bad.kind, bad.detail, bad.where)
            return False, None

    def note(self, kind: str, detail: str, where: str) -> None:
        """Add a flaw."""
        self.flaws.append(Flaw(kind, detail, where))

    def another(self) -> Reader:
        """Return a reader like this one with no flaws yet."""
        return StrictReader(self.spelling, self.api)
