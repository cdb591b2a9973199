"""What parts mean that only one of two runs has.

The laws:

1. Messages and sequences are often judged under the name of their class, and have a part of their own only when they
   fail (`network` passes; `network.destroy` or `network.create || network.create` fails). So the class's part that is
   gone is not lost where members of the class fail by the same clause over the same format. And a failure that is
   gone is fixed where only failures have names of their own and what is judged of the class passes; where others of
   the class fail, it is not. Where members are judged by their names, a failure that is gone was not judged again:
   that is lost coverage and no fix.
2. `VM (not called)` and `VM (not offered)` tell what a part `VM` leaves out. One that is new says that something of a
   part that was judged is untested, or offered no more.
3. Which values, messages and formats a check takes is drawn by the seed. So where the seeds differ, a part is lost
   only if its clause judges nothing of its class any more, or nothing over its format.
4. A run of the fuzzer ends by the clock, and its findings are named by layer and cause (`xml: the server is gone`). So
   a part of it is lost only if nothing of its layer is judged any more, or nothing over its format, by any clause; and
   that a failure was not met again is no fix, with the same seed neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeAlias

from xenconform.models.api import Api
from xenconform.models.results import Part, Results
from xenconform.models.verdicts import Verdict

Key: TypeAlias = tuple[str, str, str]
"""Clause, element and format."""

JUDGED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.WAIVED})
"""The verdicts of a part that was exercised."""

NOT_CALLED, NOT_OFFERED = " (not called)", " (not offered)"
"""How the names of parts end that tell what another part leaves out."""

_NAME = re.compile(r"[A-Za-z_]\w*")
_MEMBER = re.compile(r"\w\.\w")


def judged(verdict: Verdict | None) -> bool:
    """Whether a part with this verdict was exercised."""
    return verdict in JUDGED


@cache
def class_of(element: str) -> str:
    """Return the class that an element is of: `network` of `network.tags` and of `living network as vm-admin`.

    It is "" for what is of no class, such as `server, session ended`.
    """
    head = re.split(r"[,(\[]", element, maxsplit=1)[0]
    return next((name for name in _NAME.findall(head) if name in _class_names()), "")


@cache
def _class_names() -> frozenset[str]:
    return frozenset(Api.load().classes)


@dataclass(frozen=True)
class Side:
    """The parts of one run by their keys, and by what they share."""

    parts: Mapping[Key, Part]

    @cached_property
    def kin(self) -> Mapping[Key, tuple[Part, ...]]:
        """The parts by clause, class and format."""
        found: dict[Key, list[Part]] = {}
        for (clause, element, wire), part in self.parts.items():
            found.setdefault((clause, class_of(element), wire), []).append(part)
        return {key: tuple(group) for key, group in found.items()}

    @cached_property
    def over(self) -> Mapping[tuple[str, str], tuple[Part, ...]]:
        """The parts by clause and format."""
        found: dict[tuple[str, str], list[Part]] = {}
        for (clause, _, wire), part in self.parts.items():
            found.setdefault((clause, wire), []).append(part)
        return {key: tuple(group) for key, group in found.items()}

    @cached_property
    def of(self) -> frozenset[tuple[str, str]]:
        """Each clause with the classes, or elements of no class, of which it judges something."""
        return frozenset((clause, _subject(element)) for (clause, element, _), part in self._judged())

    @cached_property
    def judged_over(self) -> frozenset[tuple[str, str]]:
        """Each clause with the formats over which it judges something."""
        return frozenset((clause, wire) for (clause, _, wire), part in self._judged())

    @cached_property
    def layers(self) -> frozenset[str]:
        """The layers of a fuzzer's run of which it judges something."""
        return frozenset(_layer(element) for (_, element, _), part in self._judged())

    @cached_property
    def formats(self) -> frozenset[str]:
        """The formats over which anything is judged."""
        return frozenset(wire for (_, _, wire), part in self._judged())

    @cached_property
    def names(self) -> frozenset[str]:
        """What there is any part of: `format xmlrpc`, `clause WHERE`, `class VM`."""
        return frozenset(name for key in self.parts for name in wholes(key))

    def _judged(self) -> list[tuple[Key, Part]]:
        return [(key, part) for key, part in self.parts.items() if judged(part.verdict)]


def wholes(key: Key) -> tuple[str, ...]:
    """Return what a part is of, the widest first: `format xmlrpc`, `clause WHERE`, `class VM`."""
    clause, element, wire = key
    named = (("format", wire), ("clause", clause), ("class", class_of(element)))
    return tuple(f"{what} {name}" for what, name in named if name)


@dataclass(frozen=True, slots=True)
class Sides:
    """Two runs side by side. `by_draw` says that they need not have judged the same parts, `by_clock` the fuzzer's."""

    old: Side
    new: Side
    by_draw: bool

    by_clock: bool = False

    @property
    def keys(self) -> tuple[Key, ...]:
        """What either run has a part of, each once."""
        return tuple(dict.fromkeys((*self.old.parts, *self.new.parts)))

    def failed_by_name(self, was: Part) -> bool:
        """Whether a part that is gone stands for a class, of which parts fail in its place that did not before."""
        return was.element == class_of(was.element) and any(
            each.verdict is Verdict.FAIL and not self._failed_before(each) for each in self.new.kin.get(_kin(was), ())
        )

    def _failed_before(self, part: Part) -> bool:
        before = self.old.parts.get((part.clause.id, part.element, part.format))
        return before is not None and before.verdict is Verdict.FAIL

    def left_out(self, was: Part) -> Part | None:
        """Return the new run's part that says that what a part stood for was not called, or is not offered."""
        names = (was.element, class_of(was.element)) if _is_member(was.element) else (was.element,)
        keys = [(was.clause.id, name + end, was.format) for name in names for end in (NOT_CALLED, NOT_OFFERED)]
        return next((part for key in keys if _tells(part := self.new.parts.get(key))), None)

    def whole_of(self, now: Part) -> Part | None:
        """Return the old run's judged part that is judged now too, of which a part that is new leaves something out."""
        for end in (NOT_CALLED, NOT_OFFERED):
            if now.element.endswith(end) and _tells(now):
                key = (now.clause.id, now.element.removesuffix(end), now.format)
                whole = self.old.parts.get(key)
                return whole if whole is not None and judged(whole.verdict) and key in self.new.parts else None
        return None

    def instead_of(self, was: Part) -> Verdict | None:
        """Return how the new run judges what stands for a failure that is gone; None where nothing does.

        FAIL where others of its class fail by the same clause over its format, PASS where all pass.
        """
        if self.by_clock or not _is_member(was.element) or self._by_name(was):
            return None
        kin = self.new.kin.get(_kin(was), ())
        if not kin and not self._but_failures(was):
            kin = self.new.over.get((was.clause.id, was.format), ())
            return Verdict.PASS if any(each.verdict is Verdict.PASS for each in kin) else None
        verdicts = {each.verdict for each in kin}
        return next((each for each in (Verdict.FAIL, Verdict.PASS) if each in verdicts), None)

    def drawn(self, part: Part, other: Side) -> bool:
        """Whether the draw alone, or the clock, may be why the other run lacks a part: laws 3 and 4."""
        if self.by_clock:
            return _layer(part.element) in other.layers and part.format in other.formats
        return (
            self.by_draw
            and (part.clause.id, _subject(part.element)) in other.of
            and (part.clause.id, part.format) in other.judged_over
        )

    def with_it(self, was: Part) -> str:
        """Return what went as a whole with a part that is gone: its format, clause or class; "" where none did."""
        key = (was.clause.id, was.element, was.format)
        return next((name for name in wholes(key) if name not in self.new.names), "")

    def _but_failures(self, was: Part) -> list[Part]:
        """Return the old run's parts of the same clause, class and format that did not fail, waived or not."""
        return [each for each in self.old.kin.get(_kin(was), ()) if not _failed(each)]

    def _by_name(self, was: Part) -> bool:
        """Whether members are judged by name where a failure was: those of its class, or where it has none, any."""
        over = (was.clause.id, was.format)
        sides = (self.old, self.new)
        for parts in (
            [part for side in sides for part in side.kin.get(_kin(was), ())],
            [part for side in sides for part in side.over.get(over, ())],
        ):
            others = [each for each in parts if not _failed(each)]
            if others:
                return any(_is_member(each.element) for each in others)
        return False


def _kin(part: Part) -> Key:
    return (part.clause.id, class_of(part.element), part.format)


def _is_member(element: str) -> bool:
    """Whether an element is a field, a message or a sequence of them, not a class or the server."""
    return _MEMBER.search(element) is not None


def _failed(part: Part) -> bool:
    return part.verdict in {Verdict.FAIL, Verdict.WAIVED}


def _tells(part: Part | None) -> bool:
    """Whether a part says that something was left out."""
    return part is not None and part.verdict in {Verdict.UNTESTED, Verdict.UNSUPPORTED}


def _subject(element: str) -> str:
    return class_of(element) or element


def _layer(element: str) -> str:
    return element.partition(":")[0]


def sides_of(old: Results, new: Results) -> Sides:
    """Return two runs side by side. Their draws are alike for the same seed, and never in runs of the fuzzer."""
    by_clock = new.start.kind == "fuzz"
    by_draw = by_clock or old.start.seed != new.start.seed
    return Sides(Side(_parts(old)), Side(_parts(new)), by_draw, by_clock)


def _parts(results: Results) -> Mapping[Key, Part]:
    return {(each.clause.id, part.element, part.format): part for each in results.clauses for part in each.parts}
