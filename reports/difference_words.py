"""Words and groups that every form of a comparison shares.

The law of the groups: failures of one cause are one group, as in `reports.causes`; what is untested or waived is
grouped by its reason; what was lost, by what went as a whole or by its clause; the rest is one group a kind, flaky
parts one a clause and evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xenconform.models.difference import RULES, Change, Difference, Kind, Outcome
from xenconform.models.results import Results
from xenconform.models.weakness import Slower, Weakness
from xenconform.reports.causes import Cause, Finding, causes_of, findings_of, pattern_of
from xenconform.reports.words import plural

COUNTED: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.NEW_FAILURE: ("new failure", ""),
        Kind.UNWAIVED: ("failure", " no longer waived"),
        Kind.UNTESTED: ("part", " newly untested"),
        Kind.LOST: ("part", " lost"),
        Kind.STILL_FAILING: ("part", " still failing"),
        Kind.FLAKY: ("part", " flaky"),
        Kind.FIXED: ("part", " fixed"),
        Kind.WAIVED: ("part", " newly waived"),
        Kind.WON: ("part", " won"),
        Kind.DRAWN: ("part", " drawn otherwise"),
    }
)
"""How many of each kind: the noun that is counted, and what follows it."""

ABOUT: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.LOST: "judged in the old run, not in the new one",
        Kind.DRAWN: "judged in one run alone, as the seed or the clock had it; neither fixed nor lost",
        Kind.FLAKY: "came out both ways; a hint, which takes nothing away from a failure",
    }
)
"""What a kind means, where its name does not say it."""

IN_FULL = (Kind.NEW_FAILURE, Kind.UNWAIVED)
"""The kinds of which each cause is told with its evidence."""


_LISTED = 8


def counted(kind: Kind, number: int) -> str:
    """Return how many there are of a kind: `3 new failures`, `1 part newly untested`."""
    noun, rest = COUNTED[kind]
    return plural(number, noun) + rest


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one kind that are told as one, at least one, and what they share in words, "" if nothing."""

    text: str
    changes: tuple[Change, ...]

    @property
    def clauses(self) -> tuple[tuple[str, int], ...]:
        """The clauses, the most frequent first, with how many changes are of each."""
        return tuple(Counter(each.clause.id for each in self.changes).most_common())

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements, each once."""
        return tuple(dict.fromkeys(each.element for each in self.changes))

    @property
    def formats(self) -> tuple[str, ...]:
        """The wire formats, each once."""
        return tuple(sorted({each.format for each in self.changes if each.format}))

    @property
    def required(self) -> bool:
        """Whether any of the clauses is required."""
        return any(each.clause.required for each in self.changes)


def groups_of(difference: Difference, kind: Kind) -> tuple[Group, ...]:
    """Return the groups of a kind: those of required clauses first, then the largest, else in the order of clauses."""
    key = _keys(difference).get(kind, _as_one)
    found: dict[tuple[str, ...], tuple[str, list[Change]]] = {}
    for change in difference.of(kind):
        what, text = key(change)
        found.setdefault(what, (text, []))[1].append(change)
    groups = [Group(text, tuple(changes)) for text, changes in found.values()]
    return tuple(sorted(groups, key=lambda each: (not each.required, -len(each.changes))))


_Key = Callable[[Change], tuple[tuple[str, ...], str]]


def _as_one(_: Change) -> tuple[tuple[str, ...], str]:
    return ("",), ""


def _keys(difference: Difference) -> Mapping[Kind, _Key]:
    """Return for each kind the function that gives a change's group and what the group shares in words."""
    old, new = failures_of(difference.old), failures_of(difference.new)

    def by_cause(change: Change) -> tuple[tuple[str, ...], str]:
        finding = new.get(change.key) or old.get(change.key)
        if finding is None:
            return (change.clause.id, pattern_of(change.why)), change.why
        told = f"expected {finding.expected}, got {finding.actual}" if finding.actual else finding.expected
        return finding.cause, told

    def by_reason(change: Change) -> tuple[tuple[str, ...], str]:
        return (pattern_of(change.why),), change.why or "no reason was given"

    def by_whole(change: Change) -> tuple[tuple[str, ...], str]:
        if change.now is not None or not change.why:
            return (change.clause.id, change.why), f"{change.now}: {change.why}" if change.now else ""
        if change.why.startswith("clause "):
            return ("clauses",), "nothing of these clauses is judged any more"
        return (change.why,), f"nothing of {change.why} is judged any more"

    def by_clause(change: Change) -> tuple[tuple[str, ...], str]:
        return (change.clause.id, change.why), change.why

    return {
        Kind.NEW_FAILURE: by_cause,
        Kind.UNWAIVED: by_cause,
        Kind.STILL_FAILING: by_cause,
        Kind.FIXED: by_cause,
        Kind.UNTESTED: by_reason,
        Kind.WAIVED: by_reason,
        Kind.LOST: by_whole,
        Kind.FLAKY: by_clause,
    }


def failures_of(results: Results) -> Mapping[tuple[str, str, str], Finding]:
    """Return the first finding of each part that failed."""
    found: dict[tuple[str, str, str], Finding] = {}
    for each in findings_of(results):
        found.setdefault((each.clause.id, each.element, each.format), each)
    return found


def causes_in_full(difference: Difference, kind: Kind) -> tuple[Cause, ...]:
    """Return the causes of the new run's failures of a kind, as certify tells them."""
    wanted = {each.key for each in difference.of(kind)}
    return causes_of(
        each for each in findings_of(difference.new) if (each.clause.id, each.element, each.format) in wanted
    )


def headline(difference: Difference) -> str:
    """Return what the comparison comes to, in one line."""
    if difference.outcome is Outcome.NOT_COMPARABLE:
        return "; ".join(
            f"the {name} run is not whole: {each.problem}"
            for name, each in (("old", difference.old), ("new", difference.new))
            if each.problem
        )
    bad = Counter(each.kind for each in difference.regressions)
    told = [counted(kind, bad[kind]) for kind in RULES if bad[kind]]
    if difference.asked.fail_slower and difference.slower:
        told.append("the run is slower")
    return ", ".join(told) or "nothing that is required got worse"


def beside(difference: Difference) -> tuple[str, ...]:
    """Return in words, kind by kind, how many changes there are that are no regressions."""
    found = Counter(each.kind for each in difference.changes if not difference.counts(each))
    return tuple(
        counted(kind, found[kind]) + ", of SHOULD clauses" * rule.regression
        for kind, rule in RULES.items()
        if found[kind]
    )


def tallies(difference: Difference) -> tuple[tuple[Kind, int], ...]:
    """Return the kinds that there are changes of, with how many."""
    found = Counter(each.kind for each in difference.changes)
    return tuple((kind, found[kind]) for kind in RULES if found[kind])


def slower_text(slower: Slower) -> str:
    """Return in words by how much one measure is worse: `calls a second: 931 → 560, 1.7 times slower`."""
    return f"{slower.measure}: {slower.old:,.1f} → {slower.new:,.1f}, {slower.factor:.2f} times slower"


def weakness_text(weakness: Weakness) -> str:
    """Return in words what makes the comparison weak."""
    if weakness.name.endswith(" run"):
        return f"the {weakness.name} is {weakness.meaning}: {weakness.old or weakness.new}"
    if weakness.name in {"formats", "clauses"}:
        parts = (("only old: ", weakness.old), ("only new: ", weakness.new))
        return f"{weakness.meaning}; " + "; ".join(f"{name}{_first(text)}" for name, text in parts if text)
    return f"{weakness.meaning} ({weakness.old or 'none'} → {weakness.new or 'none'})"


def _first(names: str) -> str:
    """Return the first few of names with commas, and how many more there are."""
    listed = names.split(", ")
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more


def runs_table(difference: Difference) -> Iterator[tuple[str, str, str]]:
    """Yield what each run was: name, the old run's value, the new one's; rows without values left out."""
    for name, tell in _RUNS.items():
        old, new = tell(difference.old), tell(difference.new)
        if old or new:
            yield name, old, new


_RUNS: Mapping[str, Callable[[Results], str]] = {
    "verdict": lambda each: each.verdict.value,
    "started": lambda each: each.start.started,
    "target": lambda each: each.start.target,
    "release": lambda each: each.start.release,
    "profile": lambda each: each.start.profile,
    "scope": lambda each: each.start.scope,
    "budget": lambda each: each.start.budget,
    "seed": lambda each: str(each.start.seed),
    "clauses": lambda each: str(len(each.start.clauses) or ""),
    "calls": lambda each: f"{each.calls:,}",
    "a second": lambda each: f"{each.calls / each.seconds:,.0f}" if each.seconds else "",
    "time": lambda each: f"{each.seconds:.1f} s" if each.seconds else "",
    "xenconform": lambda each: each.start.version,
}
"""What is told of both runs, and how it is found."""
