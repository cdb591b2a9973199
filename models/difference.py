"""What changed from one run to the next.

The rules, in this order:

1. A part is one clause × element × format, with the verdict that `results` gives it; PASS, FAIL and WAIVED are
   judged. What became of a part is one table, `_BECAME`, by what it was and what it is; a part that one of the runs
   does not have is None there. What parts that are gone mean is in `models.vanished`.
2. A run that is not whole (interrupted, broken off, ended by an error, or judged nothing) shows what it failed, and
   nothing else: nothing is fixed, won or lost by it. Which kind needs which run whole is one table, `RULES`. Two runs
   of which one is not whole are not comparable, whatever they show.
3. Regressions are changes of the kinds that `RULES` says, of required clauses alone unless asked for. Being slower is
   one only where that is asked for.
4. Flaky is told beside the kinds, of a part that was judged at least once PASS and at least once FAIL within one run,
   or FAIL in one run and PASS in the other where their seeds differ. So it is a hint, no proof: several checks that
   judge one part may differ for good, and the server may have changed between the seeds. It takes nothing away from
   a new failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from xenconform.models.clauses import Clause, catalogue
from xenconform.models.results import Part, Results, summarise
from xenconform.models.run import Run
from xenconform.models.vanished import Key, Sides, sides_of
from xenconform.models.verdicts import Verdict
from xenconform.models.weakness import Slower, Weakness, slower_of, weaknesses_of

SLOWER = 1.5
"""From which factor on a run counts as slower, where nothing else is said."""


class Kind(StrEnum):
    """What became of a part; the values are the words shown."""

    NEW_FAILURE = "new failure"
    UNWAIVED = "no longer waived"
    """It failed as a waiver says, and fails without one now."""
    UNTESTED = "newly untested"
    LOST = "coverage lost"
    STILL_FAILING = "still failing"
    FLAKY = "flaky"
    FIXED = "fixed"
    WAIVED = "waived"
    WON = "coverage won"
    DRAWN = "drawn otherwise"
    """Judged in one run alone, by the draw: the seeds differ, or hostile input was sent until a time was over."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Whether changes of a kind are regressions, and whether they are told where the old or the new run is cut."""

    regression: bool = False
    needs_old: bool = False
    needs_new: bool = False


RULES: Mapping[Kind, Rule] = MappingProxyType(
    {
        Kind.NEW_FAILURE: Rule(regression=True),
        Kind.UNWAIVED: Rule(regression=True),
        Kind.UNTESTED: Rule(regression=True, needs_new=True),
        Kind.LOST: Rule(regression=True, needs_new=True),
        Kind.STILL_FAILING: Rule(),
        Kind.FLAKY: Rule(),
        Kind.FIXED: Rule(needs_new=True),
        Kind.WAIVED: Rule(needs_new=True),
        Kind.WON: Rule(needs_old=True, needs_new=True),
        Kind.DRAWN: Rule(needs_old=True, needs_new=True),
    }
)
"""The kinds in the order in which they are told."""

_P, _F, _W, _U, _N, _E = (
    Verdict.PASS, Verdict.FAIL, Verdict.WAIVED, Verdict.UNTESTED, Verdict.UNSUPPORTED, Verdict.ERROR,
)  # fmt: skip
_BECAME: Mapping[Verdict | None, Mapping[Verdict | None, Kind]] = {
    _F: {_F: Kind.STILL_FAILING, _W: Kind.UNWAIVED, **dict.fromkeys((_P, _U, _N, _E, None), Kind.NEW_FAILURE)},
    _P: {**dict.fromkeys((_F, _W), Kind.FIXED), **dict.fromkeys((_U, _N, _E, None), Kind.WON)},
    _W: dict.fromkeys((_P, _F, _U, _N, _E, None), Kind.WAIVED),
    _U: dict.fromkeys((_P, _F, _W), Kind.UNTESTED),
    _N: dict.fromkeys((_P, _F, _W), Kind.LOST),
    _E: {},
    None: dict.fromkeys((_P, _F, _W), Kind.LOST),
}
"""What a part is now, then what it was, to what became of it; what is not here is no change."""

_INSTEAD: Mapping[Verdict, Kind] = {_P: Kind.FIXED, _F: Kind.STILL_FAILING}
"""How what stands for a failure that is gone is judged, to what became of it."""

_LEFT_OUT: Mapping[Verdict, Kind] = {_U: Kind.UNTESTED, _N: Kind.LOST}
"""The verdict of a part that says what another one leaves out, to what became of that."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one part: `was` and `now` are its verdicts, None where a run has no such part.

    `why` says in a few words what the verdicts do not: the reason of what is untested, what else went with a part
    that was lost, the evidence of what is flaky.
    """

    kind: Kind
    clause: Clause
    element: str
    format: str
    was: Verdict | None
    now: Verdict | None
    why: str = ""

    @property
    def key(self) -> Key:
        """What changed: clause, element and format."""
        return (self.clause.id, self.element, self.format)

    @property
    def label(self) -> str:
        """The element with its format: `network.tags[xmlrpc]`."""
        return f"{self.element}[{self.format}]" if self.format else self.element


class Outcome(StrEnum):
    """The verdict on a comparison."""

    NO_REGRESSION = "NO REGRESSION"
    REGRESSIONS = "REGRESSIONS"
    NOT_COMPARABLE = "NOT COMPARABLE"

    @property
    def exit_code(self) -> int:
        """The exit code of a comparison that ends so; 2 is kept for errors of usage, which compare nothing."""
        return {"NO REGRESSION": 0, "REGRESSIONS": 1}.get(self.value, 3)


@dataclass(frozen=True, slots=True)
class Asked:
    """What counts, as the command line says.

    `strict`: changes of SHOULD clauses are regressions too. `slower`: the factor, above 1, from which on a run is
    slower. `fail_slower`: being slower is a regression.
    """

    strict: bool = False
    slower: float = SLOWER
    fail_slower: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from the old run to the new one: all that any report tells of it."""

    old: Results
    new: Results
    changes: tuple[Change, ...]
    weaknesses: tuple[Weakness, ...]
    slower: tuple[Slower, ...]
    asked: Asked = field(default_factory=Asked)

    @property
    def comparable(self) -> bool:
        """Whether both runs are whole."""
        return not self.old.problem and not self.new.problem

    @property
    def outcome(self) -> Outcome:
        """The verdict on the comparison."""
        if not self.comparable:
            return Outcome.NOT_COMPARABLE
        too_slow = self.asked.fail_slower and self.slower
        return Outcome.REGRESSIONS if self.regressions or too_slow else Outcome.NO_REGRESSION

    @property
    def regressions(self) -> tuple[Change, ...]:
        """The changes that count, being slower apart."""
        return tuple(each for each in self.changes if self.counts(each))

    def counts(self, change: Change) -> bool:
        """Whether a change is a regression."""
        return RULES[change.kind].regression and (change.clause.required or self.asked.strict)

    def of(self, kind: Kind) -> tuple[Change, ...]:
        """Return the changes of a kind, in the order of the clauses."""
        return tuple(each for each in self.changes if each.kind is kind)


def compare(old: Run, new: Run, asked: Asked | None = None) -> Difference:
    """Return what changed from `old` to `new`, as the rules on top say.

    Raises:
        ValueError: one is a run of certify and the other one of the fuzzer: they judge other things.
    """
    if old.start.kind != new.start.kind:
        raise ValueError(f"the old run is one of {old.start.kind}, the new one of {new.start.kind}")
    asked = asked or Asked()
    before, after = summarise(old), summarise(new)
    sides = sides_of(before, after)
    found = [*_changes(sides), *_flaky(sides, old, new)]
    told = [each for each in found if _is_told(RULES[each.kind], before, after)]
    kinds = list(RULES)
    order = {name: at for at, name in enumerate(catalogue())}
    told.sort(key=lambda each: (kinds.index(each.kind), order.get(each.clause.id, len(order)), *each.key))
    whole = not before.problem and not after.problem
    return Difference(
        old=before,
        new=after,
        changes=tuple(told),
        weaknesses=weaknesses_of(before, after),
        slower=slower_of(before, after, asked.slower) if whole else (),
        asked=asked,
    )


def _is_told(rule: Rule, old: Results, new: Results) -> bool:
    return not (rule.needs_old and old.problem) and not (rule.needs_new and new.problem)


def _changes(sides: Sides) -> Iterator[Change]:
    for key in sides.keys:
        was, now = sides.old.parts.get(key), sides.new.parts.get(key)
        kind = _BECAME[_verdict(now)].get(_verdict(was))
        if now is None and was is not None:
            yield from _gone(sides, was, kind)
        elif was is None and now is not None:
            yield from _come(sides, now, kind)
        elif kind is not None and now is not None:
            yield _change(kind, was, now, _reason(now))


def _gone(sides: Sides, was: Part, kind: Kind | None) -> Iterator[Change]:
    """Yield what a part means that the new run does not have."""
    if kind is None or sides.failed_by_name(was):
        return
    left_out = sides.left_out(was)
    instead = None if left_out else sides.instead_of(was)
    if instead is not None:
        yield _change(_INSTEAD[instead], was, None, f"gone by this name; what else is judged of it: {instead}")
    elif sides.drawn(was, sides.new):
        yield _change(Kind.DRAWN, was, None)
    elif left_out is not None:
        yield _change(_LEFT_OUT[left_out.verdict], was, None, _reason(left_out))
    else:
        yield _change(kind, was, None, sides.with_it(was))


def _come(sides: Sides, now: Part, kind: Kind | None) -> Iterator[Change]:
    """Yield what a part means that the old run does not have."""
    whole = None if sides.by_draw else sides.whole_of(now)
    if whole is not None:
        yield _change(_LEFT_OUT[now.verdict], whole, now, _reason(now))
    elif kind is Kind.WON and sides.drawn(now, sides.old):
        yield _change(Kind.DRAWN, None, now)
    elif kind is not None:
        yield _change(kind, None, now, _reason(now))


def _flaky(sides: Sides, old: Run, new: Run) -> Iterator[Change]:
    """Yield the parts that came out both ways."""
    mixed = [_mixed(old), _mixed(new)]
    for key in sides.keys:
        was, now = sides.old.parts.get(key), sides.new.parts.get(key)
        ways = [f"PASS and FAIL within the {name} run" for name, in_it in zip(("old", "new"), mixed, strict=True)
                if key in in_it]  # fmt: skip
        pair = {_verdict(was), _verdict(now)}
        if old.start.seed != new.start.seed and pair == {Verdict.PASS, Verdict.FAIL} and was and now:
            ways.append(f"{was.verdict} with seed {old.start.seed}, {now.verdict} with seed {new.start.seed}")
        if ways:
            yield _change(Kind.FLAKY, was, now, "; ".join(ways))


def _mixed(run: Run) -> frozenset[Key]:
    """Return the parts that were judged PASS and FAIL within a run."""
    ways: dict[Verdict, set[Key]] = {Verdict.PASS: set(), Verdict.FAIL: set()}
    for each in run.judgements:
        if each.verdict in ways:
            ways[each.verdict].add(each.key)
    return frozenset(ways[Verdict.PASS] & ways[Verdict.FAIL])


def _change(kind: Kind, was: Part | None, now: Part | None, why: str = "") -> Change:
    part = now or was
    assert part is not None, "a change is one of a part of either run"
    return Change(kind, part.clause, part.element, part.format, _verdict(was), _verdict(now), why)


def _verdict(part: Part | None) -> Verdict | None:
    return part.verdict if part is not None else None


def _reason(part: Part) -> str:
    """Return the first reason of a part's verdict, "" where it has none."""
    return next((each.reason for each in part.because if each.reason), "")
