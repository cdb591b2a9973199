"""What of much a sequence is about: a class, a few of its fields, a few of their values, and a few objects.

A sequence that does everything comes back to nothing. Each has a `focus`, a number that is drawn once: it tells which
fields the sequence writes, how many, and which part of their values, so that what it wrote it meets again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from xenconform.conformance.checks.stock import TAG
from xenconform.conformance.machine.plan import Abilities
from xenconform.models.api import Api, Message, Parameter
from xenconform.models.belief import Belief
from xenconform.models.binding import bonds
from xenconform.models.calls import Call, Success
from xenconform.models.types import RefTo, Str
from xenconform.models.values import Handle, Value

T = TypeVar("T")

LABELS: Final = (f"{TAG} a", f"{TAG} b", f"{TAG} A")
"""The names of objects: so few that several objects bear one."""
LIKE: Final = {"size": "virtual_size"}
"""Parameters of acts that take the values of a field of another name."""
NEVER_NULL: Final = frozenset({"host", "network"})
"""Parameters of acts for which a null reference is no choice."""
FIELDS: Final = (1, 2, 2, 4)
"""How many fields of a class a sequence writes, by the focus."""
VALUES: Final = (2, 3, 3, 12)
"""How many values of a type it writes."""
OBJECTS: Final = (2, 3, 3, 6)
"""How many objects of a class there are at once."""
FOCUSES: Final = 4**8
"""How many focuses there are."""
MOVES: Final = (
    {"write": 23, "look_up": 3, "make": 2, "destroy": 2, "read": 1, "log_out": 1},
    {"write": 17, "look_up": 4, "make": 4, "destroy": 4, "read": 2, "log_out": 1},
    {"write": 9, "look_up": 8, "make": 7, "destroy": 7, "log_out": 1},
    {"act": 14, "write": 11, "look_up": 2, "make": 2, "destroy": 2, "log_out": 1},
)
"""How often each move is made of 32, by the focus: to write, to begin and end objects, to change states."""
PARTS: Final = 4
"""An object's number is one of the focus' own classes unless it is a multiple of this."""


@dataclass(frozen=True, slots=True)
class How:
    """Over which format and in which session a move is made, as numbers."""

    fmt: int
    session: int


@dataclass(frozen=True, slots=True)
class About:
    """What a sequence is about: a class before all others ("" for none), and a focus below FOCUSES.

    `muted` are the messages and classes that are left out.
    """

    cls: str
    focus: int
    muted: frozenset[str]

    def move(self, number: int, *, acts: bool = False) -> str:
        """Return the name of a move, by a number below 32; `acts` says that the class has states to be changed."""
        table = self.focus // 4**7 % 4
        moves = MOVES[3 if acts and table == 0 else table]
        return [name for name, times in moves.items() for _ in range(times)][number % 32]

    @property
    def only_power(self) -> bool:
        """Whether the acts of the sequence are those that change a power state."""
        return self.focus // 128 % 2 == 0

    @property
    def most(self) -> int:
        """How many objects of a class there are at once."""
        return OBJECTS[self.focus // 16 % 4]

    def values(self, values: Sequence[T]) -> Sequence[T]:
        """Return the few values of a pool that the sequence writes."""
        width, first = VALUES[self.focus // 4 % 4], self.focus // 64
        return values if len(values) <= width else [values[(first + at) % len(values)] for at in range(width)]

    def fields(self, api: Api, cls: str, writers: Sequence[Message]) -> frozenset[str]:
        """Return the fields of a class that the sequence writes and reads.

        The name and the ends of bound pairs, which others follow, are among them half of the time, and where they
        bind the class that it is about, always.
        """
        every = list(dict.fromkeys(m.field for m in writers))
        if not every:
            return frozenset()
        first, stride = self.focus // 64 % len(every), 1 + self.focus // 1024 % 7
        chosen = {every[(first + at * stride) % len(every)] for at in range(FIELDS[self.focus % 4])}
        if self.focus // 256 % 2:
            chosen |= {"name_label"} & set(every)
        bound = {name: far for name, far in bound_ends(api, cls).items() if self.focus // 512 % 2 or far == self.cls}
        return frozenset(chosen | set(bound))


def bound_ends(api: Api, cls: str) -> Mapping[str, str]:
    """Return the fields of a class that are an end of a pair, each with the class of the other end."""
    pairs = bonds(api)
    owned = {name: r.derived_cls for (of, name), r in pairs.by_owner.items() if of == cls}
    return owned | {name: r.owner_cls for (of, name), r in pairs.by_derived.items() if of == cls}


def near(api: Api, plan: Mapping[str, Abilities], cls: str) -> tuple[str, ...]:
    """Return the class that a sequence is about, and those of which a field that binds it can be written."""
    if not cls:
        return tuple(plan)
    writable = {of: {m.field for m in plan[of].writers} for of in plan}
    others = (of for of in plan if of != cls and any(
        far == cls and name in writable[of] for name, far in bound_ends(api, of).items()))  # fmt: skip
    return (cls, *others)


def act_values(able: Abilities, param: Parameter, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return what a parameter of an act may be, `values` being those of its type."""
    if isinstance(param.type, Str):
        return LABELS
    if param.name in NEVER_NULL:
        return tuple(each for each in values if not each.is_null)
    return able.domains.get(LIKE.get(param.name, param.name)) or values


def picked(number: int, first: Sequence[Handle], rest: Sequence[Handle], last: Handle | None) -> Handle | None:
    """Return an object by a number: the last again for one number in four, of all for another, else of `first`.

    None where there is none.
    """
    if number % PARTS == 1 and last in first:
        return last
    candidates = first if first and number % PARTS else rest
    return candidates[number // PARTS % len(candidates)] if candidates else None


def likely(belief: Belief, calls: Sequence[Call], number: int) -> Call | None:
    """Return one of some calls by a number: one that the rules allow now, but for a multiple of PARTS."""
    allowed = [call for call in calls if isinstance(belief.branch(call).outcome, Success)] if number % PARTS else []
    candidates = allowed or calls
    return candidates[number // PARTS % len(candidates)] if candidates else None


def meeting(
    message: Message, present: Value, values: Sequence[Value], every: Sequence[Value], number: int
) -> Sequence[Value]:
    """Return the values for a writer that do something, by a number: members to be removed, other values to be set.

    Members and keys are added that are there, and more often such that are not. For one number in four all are left.
    `every` are the values of the type, of which `values` are the few of the sequence.
    """
    turn, verb = number // 16 % PARTS, message.verb
    if turn == 0:
        return values
    if verb == "set":
        return [each for each in values if each != present] or values
    there = tuple(present or ())
    if verb in {"remove", "remove_from"} or turn == 1:
        return there or values
    absent = [each for each in values if each not in there]
    return absent or [each for each in every if each not in there] or values


def made_by(belief: Belief, call: Call) -> Handle | None:
    """Return the handle of what a call makes, None where it makes nothing."""
    message = belief.message(call)
    outcome = belief.branch(call).outcome if message is not None and isinstance(message.result, RefTo) else None
    made = outcome.value if isinstance(outcome, Success) else None
    return made if isinstance(made, Handle) and not made.is_null and made not in belief.known else None
