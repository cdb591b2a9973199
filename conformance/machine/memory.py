"""The examples that failed, kept for the next run: a part of Hypothesis's database for each machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis.database import ExampleDatabase


@dataclass(eq=False)
class Part(ExampleDatabase):
    """A part of a database for one machine, so that what one machine found is not tried on another."""

    whole: ExampleDatabase
    name: str

    def __post_init__(self) -> None:
        super().__init__()

    def _key(self, key: bytes) -> bytes:
        return f"xenconform/{self.name}/".encode() + key

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        self.whole.save(self._key(key), value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of a key."""
        return self.whole.fetch(self._key(key))

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget an example."""
        self.whole.delete(self._key(key), value)
