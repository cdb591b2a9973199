"""What gave new kinds of replies is kept, and is where the next run starts from: feedback without instrumentation.

A kind of reply is its status, how it was read (an error's code, a value's shape), and how long it took, roughly. Kept
are raw cases, with names for what is a server's own, so that a corpus serves any server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.raw import attempt_of, raw_case
from xenconform.conformance.fuzz.stage import Stage
from xenconform.conformance.fuzz.wrong import NOTHING
from xenconform.models.calls import Format
from xenconform.models.rawcases import from_json, to_json

LONG: Final = 64 * 2**10
"""Attempts over so many bytes are not kept."""
MOST: Final = 2_000
"""So many files at most are kept in a folder."""


@dataclass(slots=True)
class Corpus:
    """A folder of kept attempts, or none; and the bodies that were found new in this run, for others to be made of."""

    folder: Path | None = None
    pool: dict[Format, list[bytes]] = field(default_factory=dict)
    kept: int = 0

    def load(self, stage: Stage) -> Iterator[Attempt]:
        """Yield the attempts of the folder, as far as they can be had on a stage.

        Raises:
            ValueError: a file of the folder is no raw case; the text names it.
        """
        for path in sorted(self.folder.glob("*.json")) if self.folder is not None and self.folder.is_dir() else ():
            try:
                case = from_json(path.read_text("utf-8"))
            except (OSError, ValueError) as why:
                raise ValueError(f"{path}: {why}; a corpus holds what --corpus has written, and nothing else") from why
            if case.format not in stage.bench.formats:
                continue
            try:
                yield attempt_of(case, stage)
            except Unavailable:
                continue  # This server has no such object; another one has.

    def keep(self, attempt: Attempt, stage: Stage) -> None:
        """Keep an attempt that gave a new kind of reply.

        Raises:
            OSError: its file cannot be written.
        """
        if len(attempt.data) > LONG:
            return
        if not attempt.end and attempt.may_be_changed:
            self.pool.setdefault(attempt.format, []).append(attempt.data)
        if self.folder is None or self.kept >= MOST:
            return
        text = to_json(raw_case(NOTHING, attempt, stage))
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text, encoding="utf-8", newline="\n")
            self.kept += 1
