"""Why a certificate does not hold: each reason once, with the exit code that it gives."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a certificate is refused; the values are the words shown, in the order in which is looked."""

    ENVELOPE = "no envelope"
    """The file is no DSSE envelope of an in-toto Statement."""
    SIGNATURE = "wrong signature"
    """No key that is trusted has signed what the envelope holds."""
    STATEMENT = "no test result"
    """What was signed is no statement of a run of xenconform."""
    MISSING = "file missing"
    CHANGED = "file changed"
    ADDED = "file added"
    LOG = "log broken"
    """The log is not what one whole run writes."""
    REPORTS = "reports differ"
    """A report is not what the log gives."""
    VERDICT = "verdict differs"
    """The statement is not what the log gives."""
    UNFINISHED = "run not finished"
    """The run has no verdict."""
    WAIVER = "waiver expired"
    PARTIAL = "partial run"

    @property
    def exit_code(self) -> int:
        """The exit code: 3 for a run without a verdict, 4 for a part of one, 1 for all else."""
        return {Reason.UNFINISHED: 3, Reason.PARTIAL: 4}.get(self, 1)


class RefusedError(ValueError):
    """A certificate does not hold: the reason, what was found, by value, and what to do about it."""

    def __init__(self, reason: Reason, found: str, fix: str) -> None:
        super().__init__(f"{reason}: {found}; {fix}")
        self.reason = reason
        self.found = found
        self.fix = fix
