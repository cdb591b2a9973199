"""What checks take from elsewhere than the server: the time, pauses, and names that nobody has.

Everything else that a check does follows from the run's seed and from what the server answers. So a run can be judged
again from its log where these, too, can be had from there: who does that takes nature's place for a while.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Protocol
from uuid import UUID


class Nature(Protocol):
    """What checks ask nature for."""

    def now(self) -> float:
        """Return seconds on a clock that only goes forward."""
        ...

    def over(self, until: float) -> bool:
        """Return whether the clock shows so many seconds."""
        ...

    def pause(self, seconds: float) -> None:
        """Let so many seconds go by."""
        ...

    def file_of(self, text: str) -> AbstractContextManager[str]:
        """Give the URI of a file with a text, which is there until the block ends."""
        ...


class Real:
    """Nature itself."""

    def now(self) -> float:
        """Return seconds on a clock that only goes forward."""
        return time.monotonic()

    def over(self, until: float) -> bool:
        """Return whether the clock shows so many seconds."""
        return time.monotonic() >= until

    def pause(self, seconds: float) -> None:
        """Let so many seconds go by."""
        time.sleep(seconds)

    @contextmanager
    def file_of(self, text: str) -> Iterator[str]:
        """Give the URI of a file with a text, which is there until the block ends."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "canary")
            file.write_text(text, encoding="ascii")
            yield file.as_uri()


@dataclass(slots=True)
class _Here:
    nature: Nature
    salt: str
    names: Iterator[int]
    tell: Callable[[], None] = lambda: None


def new_salt() -> str:
    """Return what the names of one item are made of: nobody can guess it, and with it they can be made again."""
    return secrets.token_hex(8)


_here = _Here(Real(), new_salt(), count())


def now() -> float:
    """Return seconds on a clock that only goes forward."""
    return _here.nature.now()


def over(until: float) -> bool:
    """Return whether the clock shows so many seconds; where it does, the run's log tells so."""
    if not _here.nature.over(until):
        return False
    _here.tell()
    return True


def told_when_over(tell: Callable[[], None]) -> None:
    """Call this from now on where a time is over."""
    _here.tell = tell


def pause(seconds: float) -> None:
    """Let so many seconds go by."""
    _here.nature.pause(seconds)


def salted(salt: str) -> None:
    """Make names of another salt from now on: the same names, one after the other, each time that it is given."""
    _here.salt, _here.names = salt, count()


def new_uuid() -> str:
    """Return a uuid that nobody has."""
    return str(UUID(int=_name(), version=4))


def new_number() -> int:
    """Return a number of twelve digits, the first a 1, that nobody has."""
    return 10**11 + _name() % 10**11


def _name() -> int:
    return int.from_bytes(sha256(f"{_here.salt} {next(_here.names)}".encode()).digest()[:16])


def file_of(text: str) -> AbstractContextManager[str]:
    """Give the URI of a file with a text, which is there until the block ends."""
    return _here.nature.file_of(text)


@contextmanager
def in_place_of_nature(other: Nature) -> Iterator[None]:
    """Let another answer in nature's place, in all threads, until the block ends."""
    before, _here.nature = _here.nature, other
    try:
        yield
    finally:
        _here.nature = before
