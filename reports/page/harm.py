"""Proof of no harm: what a log holds about what the run made, wrote and left."""

from __future__ import annotations

from dataclasses import dataclass

from xenconform.models.results import Results
from xenconform.reports.page.commands import EMBEDDED
from xenconform.reports.words import plural

SCOPES = {
    "own": "own: only objects that the run made itself were written; all others were only read",
    "restore": "restore: fields of objects that were there before were written too, and put back",
    "all": "all: any object might be written, also those that were there before",
}
"""What each scope allows."""
MANY = 40


@dataclass(frozen=True, slots=True)
class Lives:
    """Objects of a class as the log has them: made, ended again, ended that no call of the log made, not seen ended."""

    cls: str
    made: int
    ended: int
    strangers: int
    left: int


@dataclass(frozen=True, slots=True)
class Harm:
    """What is told: whether all is clean (None: not known) and in what words, what is left, and the counts."""

    clean: bool | None
    told: str
    scope: str
    left: tuple[str, ...]
    more: int
    remarks: tuple[str, ...]
    lives: tuple[Lives, ...]
    sums: Lives
    logins: int
    logouts: int


def harm_of(results: Results) -> Harm:
    """Return what the log tells of harm, and where it holds too little, that."""
    traffic = results.traffic
    unseen = traffic.left
    names = sorted({*traffic.made, *traffic.strangers}, key=lambda name: (-traffic.made[name], name))
    lives = tuple(
        Lives(name, traffic.made[name], traffic.ended[name], traffic.strangers[name], unseen[name]) for name in names
    )
    sums = Lives(
        "all classes",
        sum(each.made for each in lives),
        sum(each.ended for each in lives),
        sum(each.strangers for each in lives),
        sum(each.left for each in lives),
    )
    clean, told = _told(results)
    left = results.left or ()
    scope = SCOPES.get(results.start.scope, results.start.scope or "not named in the log")
    remarks = tuple(_remarks(results, sums))
    return Harm(
        clean, told, scope, left[:MANY], max(0, len(left) - MANY), remarks, lives, sums, traffic.logins, traffic.logouts
    )


def _told(results: Results) -> tuple[bool | None, str]:
    if results.left is None:
        return None, (
            "Not known: the log does not say that the run cleaned up at its end. "
            "Look for objects whose names begin with xenconform."
        )
    if results.left:
        return False, f"{plural(len(results.left), 'thing')} of this run may still be on the server:"
    return True, "At its end the run removed what it had made and put back what it had written; nothing of it was left."


def _remarks(results: Results, sums: Lives) -> list[str]:
    remarks = []
    if results.start.target.startswith(EMBEDDED):
        remarks.append("The embedded reference server ended with the run, and all objects with it.")
    if results.start.kind == "fuzz":
        remarks.append(
            "The log of the fuzzer holds only the exchanges that a judgement names, so the counts are of those alone."
        )
    if sums.left:
        remarks.append(
            f"{plural(sums.left, 'object')} have no call in the log that ended just them: one that ends another object "
            "may take them along, and what a batch or a raw request ends is not counted."
        )
    if sums.strangers:
        remarks.append(
            f"{plural(sums.strangers, 'object')} were ended that no constructor in the log made: tasks, copies, and "
            "what was made as a task or in a batch."
        )
    return remarks
