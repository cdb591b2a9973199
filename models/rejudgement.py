"""What another judgement of the same log changes, and what lies between two logs that one suite has judged.

The rules:

1. A part is one clause × element × format, as `models.results` gives it its verdict.
2. What is judged otherwise then and now, from the same exchanges, is by the suite: its version, its rules and its
   checks are all that differs. What today asks and the log does not hold is untested, and by the suite too.
3. What two logs differ in, once today's suite has judged both, is by the server: of that, nothing is left but what was
   answered. It may also be by another seed, scope or budget, or by another hour; those are told beside it.
4. Of parts of which one log does not hold what is asked today, nothing is said about the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from xenconform.models.clauses import Severity, catalogue, mark
from xenconform.models.results import Part, Results
from xenconform.models.verdicts import Verdict
from xenconform.models.weakness import Weakness, weaknesses_of

NOT_ASKED = "not asked in that run"
"""How the reason begins of what is untested because the log does not hold it."""

Key = tuple[str, str, str]


class Cause(StrEnum):
    """Whose doing a difference is; the values are the words shown."""

    SUITE = "by the suite"
    SERVER = "by the server"


@dataclass(frozen=True, slots=True)
class Otherwise:
    """One part that is judged otherwise: `was` and `now` are its verdicts, None where there is no such part.

    `log` is 1 or 2, the log that was judged otherwise, or 0 for what lies between the two.
    """

    clause: str
    element: str
    format: str
    was: Verdict | None
    now: Verdict | None
    cause: Cause
    why: str
    log: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """A clause that is another than it was: `was` and `now` are its severities, "" where it was or is none."""

    clause: str
    was: str
    now: str
    reworded: bool


@dataclass(frozen=True, slots=True)
class Account:
    """How a log was judged again: exchanges in all and those that today's checks asked for, item by item.

    `played` counts the items that were judged from bytes alone; `lost` are those that ask otherwise today, each with
    what was missed first; `taken_over` those that hang on time, whose `kept` judgements stand as they were; `gone`
    those that have no check any more, and `not_asked` the checks that the run did not have.
    """

    exchanges: int
    replayed: int
    played: int
    kept: int
    lost: Mapping[str, str]
    taken_over: tuple[str, ...]
    gone: tuple[str, ...]
    not_asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejudgement:
    """One log, judged then and now."""

    path: str
    then: Results
    now: Results
    account: Account

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The clauses that are others than they were."""
        then, today = self.then.start.rules, catalogue()
        marks = {name: mark(clause) for name, clause in today.items()}
        names = [name for name in (*today, *(each for each in then if each not in today)) if _in(self, name)]
        return tuple(
            Rule(name, _severity(then.get(name, "")), _severity(marks.get(name, "")), _reworded(then, marks, name))
            for name in names
            if then.get(name, "") != marks.get(name, "")
        )

    def differences(self, log: int = 1) -> Iterator[Otherwise]:
        """Yield the parts that are judged otherwise now, in the order of the clauses."""
        changed = {each.clause: each for each in self.rules}
        was, now = parts_of(self.then), parts_of(self.now)
        for key in _keys(was, now):
            before, after = was.get(key), now.get(key)
            if _verdict(before) is not _verdict(after):
                why = _why(after, changed.get(key[0]))
                yield Otherwise(*key, _verdict(before), _verdict(after), Cause.SUITE, why, log)


def as_then(results: Results) -> Results:
    """Return results with the severities that the clauses had when their log was made."""
    rules = results.start.rules
    clauses = []
    for each in results.clauses:
        word = _severity(rules.get(each.clause.id, ""))
        clause = replace(each.clause, severity=Severity(word)) if word else each.clause
        clauses.append(replace(each, clause=clause))
    return replace(results, clauses=tuple(clauses))


def between(old: Rejudgement, new: Rejudgement) -> Iterator[Otherwise]:
    """Yield what two logs differ in, both judged by today's suite."""
    was, now = parts_of(old.now), parts_of(new.now)
    for key in _keys(was, now):
        before, after = was.get(key), now.get(key)
        if _verdict(before) is _verdict(after) or _is_unasked(before) or _is_unasked(after):
            continue
        told = after or before
        assert told is not None, "a key is of a part"
        yield Otherwise(*key, _verdict(before), _verdict(after), Cause.SERVER, _text(told), 0)


def weak(old: Rejudgement, new: Rejudgement) -> tuple[Weakness, ...]:
    """Return what besides the server may lie between two logs."""
    return weaknesses_of(old.now, new.now)


def parts_of(results: Results) -> dict[Key, Part]:
    """Return every part of some results by clause, element and format."""
    return {(each.clause.id, part.element, part.format): part for each in results.clauses for part in each.parts}


def _keys(was: Mapping[Key, Part], now: Mapping[Key, Part]) -> list[Key]:
    order = {name: at for at, name in enumerate(catalogue())}
    return sorted({**was, **now}, key=lambda key: (order.get(key[0], len(order)), key))


def _in(of: Rejudgement, name: str) -> bool:
    return name in of.then.start.clauses or name in of.now.start.clauses


def _severity(told: str) -> str:
    return told.partition(" ")[0]


def _reworded(then: Mapping[str, str], now: Mapping[str, str], name: str) -> bool:
    return name in then and name in now and then[name].split()[-1] != now[name].split()[-1]


def _verdict(part: Part | None) -> Verdict | None:
    return part.verdict if part else None


def _is_unasked(part: Part | None) -> bool:
    return part is not None and part.verdict is Verdict.UNTESTED and _text(part).startswith(NOT_ASKED)


def _text(part: Part) -> str:
    told = part.because[0]
    return told.reason or (f"expected {told.expected}; actual {told.actual}" if told.actual else "")


def _why(now: Part | None, rule: Rule | None) -> str:
    if rule is not None and not rule.now:
        return "the clause is no longer in the catalogue"
    if now is None:
        return "nothing is judged of it any more"
    changed = [] if rule is None else _changed(rule)
    return "; ".join(filter(None, (*changed, _text(now) or "the same exchanges are judged otherwise")))


def _changed(rule: Rule) -> list[str]:
    if not rule.was:
        return ["the clause is new since"]
    said = [f"{rule.was} then, {rule.now} now"] if rule.was != rule.now else []
    return [*said, "its rule reads otherwise now"] if rule.reworded else said
