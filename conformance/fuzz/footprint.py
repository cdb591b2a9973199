"""How much of the machine a server's process takes, where it runs on this one: memory, threads, open files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from xenconform.conformance.fuzz.wrong import Wrong

EVERY: Final = 1.0
"""Seconds between two looks."""
WARM: Final = 3
"""So many looks pass before the first one counts: a server that has just started takes more by right."""
MEMORY: Final = 512 * 2**20
"""Bytes by which the memory may grow."""
TIMES: Final = 4
"""How many times its size the memory may grow to, whichever is more."""
THREADS = FILES = 256
"""Threads, and open files, that may be added."""


@dataclass(frozen=True, slots=True)
class Size:
    """The bytes in memory, the threads and the open files of a process and its children."""

    memory: int
    threads: int
    files: int


class Footprint:
    """Looks at a process now and then.

    Raises:
        ValueError: psutil is not installed, or there is no such process, or nobody may look at it.
    """

    def __init__(self, pid: int) -> None:
        try:
            import psutil  # noqa: PLC0415 - an extra, which few need
        except ImportError as why:
            raise ValueError("--pid needs psutil: pip install 'xenconform[fuzz]'") from why
        self._psutil = psutil
        try:
            self._process = psutil.Process(pid)
            self._size()
        except psutil.Error as why:
            raise ValueError(f"--pid {pid}: {why}; give the process of a server on this machine") from why
        self._looks = 0
        self._last = 0.0
        self.first: Size | None = None
        self.worst = Size(0, 0, 0)

    def look(self) -> Iterator[Wrong]:
        """Look, where it is time to, and yield what has grown beyond bounds."""
        if time.monotonic() - self._last < EVERY:
            return
        self._last = time.monotonic()
        try:
            now = self._size()
        except self._psutil.Error:
            return  # It has ended: that is for the good calls to tell.
        self._looks += 1
        if self._looks <= WARM or self.first is None:
            self.first = now
        self.worst = Size(*(max(pair) for pair in zip(_parts(self.worst), _parts(now), strict=True)))
        limit = max(self.first.memory + MEMORY, TIMES * self.first.memory)
        if now.memory > limit:
            said = f"{now.memory >> 20} MiB, {self.first.memory >> 20} at the beginning"
            yield Wrong("ROBUST-DEPTH-SIZE", "memory grows", f"at most {limit >> 20} MiB of memory", said)
        for what, was, count, more in (
            ("threads", self.first.threads, now.threads, THREADS),
            ("open files", self.first.files, now.files, FILES),
        ):
            if count > was + more:
                yield Wrong("ROBUST-ALIVE", f"{what} grow", f"at most {was + more} {what}", f"{count}, {was} at first")

    def _size(self) -> Size:
        every = [self._process, *self._process.children(recursive=True)]
        return Size(
            sum(each.memory_info().rss for each in every),
            sum(each.num_threads() for each in every),
            sum(each.num_fds() for each in every),
        )


def _parts(size: Size) -> tuple[int, int, int]:
    return (size.memory, size.threads, size.files)
