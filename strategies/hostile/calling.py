"""Hostile calls of messages: wrong numbers of parameters, crossed types, boundaries, odd references, odd sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Final

from xenconform.models.api import Message
from xenconform.models.types import NULL_REF, Enum, Float, MapOf, RefTo, SetOf, Str, Type, Void, refs_in
from xenconform.models.values import Value
from xenconform.strategies.boundary import LARGE, MANY, boundaries, hostile_keys, numbered, special_floats
from xenconform.strategies.hostile.cases import Owed
from xenconform.strategies.hostile.dice import Dice, T, pick
from xenconform.strategies.plain import tame
from xenconform.strategies.texts import TEXTS
from xenconform.strategies.wrong import Typed, is_a_name, nearly_names, wrong_typed

WRITES: Final = frozenset({"set", "add", "add_to"})
"""Verbs of accessors whose values must be of the field's type."""
INJECTED: Final = (
    "", " ", "'", '"', "' OR '1'='1", "\\", "%s%n%x", "{0}", "{{7*7}}", "${7*7}", "$(id)", "`id`", "; id",
    "../../etc/passwd", "%00", "%0d%0aX: y", "\r\nX: y", "<!--", "]]>", "<script>", "&amp;", "*", "(uid=*)",
    "\u202e", "\ufeff", "e\u0301", "\u00e9", "\U0001f600", "\u0131", "a", "null", "true", "0", "-1", "NaN",
    "OpaqueRef:NULL", "\u2028", "\ufffd", "constructor", "hasOwnProperty", '"jsonrpc":"2.0"', "jsonrpc",
    "</string></value>", "\\u0041", "&#65;",
)  # fmt: skip
"""Texts that careless code takes for more than text."""
HANDFUL: Final = 4
"""So many odd texts stand in a set or map together."""
_SHORT: Final = (*dict.fromkeys((*INJECTED, *(text for text in TEXTS if len(text) < MANY))),)
COUNT_MISMATCH: Final = "MESSAGE_PARAMETER_COUNT_MISMATCH"
OTHERS: Final = ("VM", "network", "host", "session", "secret", "VLAN", "task", "no_such_class")
"""Classes whose names stand before the names of other classes' messages."""
ODD_REFS: Final = (
    "OpaqueRef:00000000-0000-0000-0000-000000000000", NULL_REF, "", "OpaqueRef:", "Ref:1", "opaqueref:null", "*", "%",
    "1", "OpaqueRef:" + "0" * 5_000, "' OR '1'='1", "\u202e", "../..", "OpaqueRef:NULL ",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HostileCall:
    """A call: the method, its parameters behind the session, what is owed, and what a server breaks otherwise.

    `code` is the error code that a refusal should have, with its first parameters. `has_id` says that it has an id,
    where its format has one. The parameter at `null_at` is null, whatever its value says.
    """

    what: str
    method: str
    params: tuple[Typed, ...]
    owed: Owed = Owed.EITHER
    clause: str = "ROBUST-ALIVE"
    code: tuple[str, ...] = ()
    has_id: bool = True
    null_at: int = -1


def hostile_call(dice: Dice, message: Message, args: Sequence[Value], kind: str, *, free: bool) -> HostileCall:
    """Return a call of one of the `KINDS` of a message, of which `args` are good arguments.

    `free` says that any value of the types may be given; without it no other value is that a server might carry out.
    """
    good = [(param.type, value) for param, value in zip(message.params, args, strict=True)]
    return _MAKERS["plain" if kind == "bounds" and not free else kind](dice, message, good)


def _plain(_dice: Dice, message: Message, good: list[Typed]) -> HostileCall:
    """A good call: what comes back is read by its types."""
    return HostileCall(message.full_name, message.full_name, tuple(good))


def _crossed(dice: Dice, message: Message, good: list[Typed]) -> HostileCall:
    """One value is of another type: mostly the last, which is what is written."""
    at = dice.below(len(good)) if good and not dice.below(2) else len(good) - 1
    of = message.params[at].type if good else Void()
    wrong = wrong_values(of)
    if not wrong:
        return _number(dice, message, good)
    typed, clause = pick(dice, wrong)
    # A field of an enum has no other value, whatever else a message that writes it does.
    sure = (message.implicit or clause == "WIRE-ENUM") and message.verb in WRITES and at > 0
    code = ("FIELD_TYPE_ERROR",) if clause == "WIRE-TYPE" else ()
    return HostileCall(
        f"{message.full_name} with a {typed[0]} for its {message.params[at].name}",
        message.full_name,
        (*good[:at], typed, *good[at + 1 :]),
        *((Owed.REFUSED, clause, code) if sure else ()),
    )


@cache
def wrong_values(of: Type) -> tuple[tuple[Typed, str], ...]:
    """Return values of other types than one, and texts that are nearly names of its enum, with the clause on each."""
    others = [(each, "WIRE-TYPE") for each in wrong_typed(of) if each[0] != of and not is_a_name(of, each[0])]
    return (*others, *((each, "WIRE-ENUM") for each in _nearly(of)))


def _nearly(of: Type) -> list[Typed]:
    """Return values with a text that is no name of an enum, and that careless code takes for one."""
    match of:
        case Enum() if of.values:
            return [(Str(), text) for text in nearly_names(of)]
        case SetOf(Enum() as item) if item.values:
            return [(SetOf(Str()), (text,)) for text in nearly_names(item)]
        case MapOf(key, Enum() as item) if item.values and not refs_in(key):
            return [(MapOf(key, Str()), {tame(key, 0): text}) for text in nearly_names(item)]
        case _:
            return []


@cache
def bounds_of(of: Type) -> tuple[Value, ...]:
    """Return the values of a type that careless code goes wrong with, the plainest first; none of a reference."""
    match of:
        case Float():
            return (*boundaries(of), *special_floats())
        case Str():
            return (*boundaries(of), *(text for text in INJECTED if text not in boundaries(of)))
        case SetOf(Str()):
            return (*boundaries(of), *_handfuls(_SHORT), numbered(Str(), LARGE))
        case MapOf(Str(), item) if not refs_in(item):
            given = bounds_of(item)
            pairs = [(key, given[at % len(given)]) for at, key in enumerate(dict.fromkeys((*hostile_keys(), *_SHORT)))]
            return (*boundaries(of), *map(dict, _handfuls(pairs)), dict.fromkeys(numbered(Str(), LARGE), given[0]))
        case _:
            return boundaries(of)


def _handfuls(of: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """Yield some things, a few at a time: one that is rightly refused takes few others with it."""
    return (tuple(of[at : at + HANDFUL]) for at in range(0, len(of), HANDFUL))


def _bounds(dice: Dice, message: Message, good: list[Typed]) -> HostileCall:
    """Values behind self are at the boundaries of their types, or are texts that are taken for more."""
    params = list(good)
    for at, (of, _) in enumerate(good):
        if at and not refs_in(of) and not (isinstance(of, Enum) and not of.values):
            params[at] = (of, pick(dice, bounds_of(of)))
    return HostileCall(f"{message.full_name} with values at boundaries", message.full_name, tuple(params))


def _number(dice: Dice, message: Message, good: list[Typed]) -> HostileCall:
    """There are too many parameters, or too few."""
    sure = message.implicit or message.verb == "get"
    came = tuple(good[: dice.below(len(good))] if good and dice.below(2) else good)
    if len(came) == len(good):
        came += ((Str(), pick(dice, INJECTED)),) * (1 + dice.below(3))
    what = f"{message.full_name} with {len(came)} parameters for {len(good)}"
    code = (COUNT_MISMATCH, message.full_name, str(len(good)), str(len(came)))
    owed = (Owed.REFUSED, "WIRE-ARITY", code) if sure else ()
    return HostileCall(what, message.full_name, came, *owed)


def _refs(dice: Dice, message: Message, good: list[Typed]) -> HostileCall:
    """Every reference is an odd one."""
    params = [(of, _odd(dice, of, value)) for of, value in good]
    return HostileCall(f"{message.full_name} with odd references", message.full_name, tuple(params))


def _odd(dice: Dice, of: Type, value: Value) -> Value:
    match of:
        case RefTo():
            return pick(dice, ODD_REFS)
        case SetOf(item) if refs_in(item):
            return tuple(dict.fromkeys(_odd(dice, item, value) for _ in range(dice.below(4))))
        case MapOf(key, item) if refs_in(of):
            return {_odd(dice, key, "a"): _odd(dice, item, "a") for _ in range(dice.below(4))}
        case _:
            return value


def _named(dice: Dice, message: Message, good: list[Typed]) -> HostileCall:
    """The message has a name that is nearly one, or another class's."""
    cls, _, name = message.full_name.partition(".")
    names = (
        f"{message.full_name}s", f"{message.full_name}_x", f"x{message.full_name}", name, f".{name}", f"{cls}.",
        f"{cls}..{name}", f"{cls}.{cls}.{name}", f"{cls}/{name}", message.full_name[:-1],
        message.full_name.swapcase(), message.full_name.upper(), message.full_name.lower(), f"{cls}.{name.title()}",
        f"{message.full_name}()",
        f"{message.full_name};", f"{message.full_name}?", f"{message.full_name}\u200b", f"xenconform.{name}",
        *(f"{other}.{name}" for other in OTHERS if message.verb and other != cls),
    )  # fmt: skip
    named = pick(dice, [each for each in names if each != message.full_name])
    what = f"{named!r} in place of {message.full_name}"
    return HostileCall(what, named, tuple(good), Owed.REFUSED, "WIRE-METHOD-UNKNOWN", ("MESSAGE_METHOD_UNKNOWN", named))


def _unnumbered(_dice: Dice, message: Message, good: list[Typed]) -> HostileCall:
    """A good call without an id."""
    what = f"{message.full_name} without an id"
    return HostileCall(what, message.full_name, tuple(good), Owed.REFUSED, "WIRE-JSON-NO-NOTIFICATION", has_id=False)


def _nulled(dice: Dice, message: Message, good: list[Typed]) -> HostileCall:
    """One value is null, which is a value of no type."""
    if not good:
        return _number(dice, message, good)
    at = dice.below(len(good))
    sure = message.implicit and message.verb in WRITES and at > 0
    what = f"{message.full_name} with null for its {message.params[at].name}"
    owed, clause = (Owed.REFUSED, "WIRE-TYPE") if sure else (Owed.EITHER, "ROBUST-ALIVE")
    return HostileCall(what, message.full_name, tuple(good), owed, clause, null_at=at)


_MAKERS: Final = {
    "bounds": _bounds, "crossed": _crossed, "number": _number, "refs": _refs, "plain": _plain, "named": _named,
    "unnumbered": _unnumbered, "nulled": _nulled,
}  # fmt: skip
KINDS: Final = tuple(_MAKERS)
"""Values at boundaries, one of another type, another number of them, odd references, a good call, under a name that
there is not, without an id, and with null."""
IDENTS: Final[tuple[int | str, ...]] = (
    1, "x", "i" * 300, 2**53 + 1, -1, 0, "7", "", " a\t", 'quo"te\\', "\u00e9\U0001f600", 2**63 - 1,
    "\\u0041", "\\n", "&#65;&amp;", "%41", "1e3", "0x10", "null", "\u2028",
)  # fmt: skip
"""Ids of JSON calls."""


def sessionless(dice: Dice, message: Message, args: Sequence[Value]) -> HostileCall:
    """Return a call that no session is to be found for; `args` are good arguments, fewer where they are not known.

    Who looks at sessions by the names of messages may overlook another spelling of one.
    """
    full = message.full_name
    method = pick(dice, (full, full, full, f"{message.cls}_{message.name}", f"Async.{full}"))
    params = tuple([(param.type, value) for param, value in zip(message.params, args, strict=False)])
    return HostileCall(f"{method} with no session of this server", method, params, Owed.REFUSED, "ROBUST-AUTH")


def odd_session(dice: Dice, session: str, others: Sequence[str]) -> str:
    """Return a text that is no session, nearly one, or a ref of something else; `others` are such refs."""
    changed = (
        "", session[:-1], f"{session}0", f" {session}", f"{session} ", session.upper(), session.lower(),
        session.swapcase(), session[::-1], session.partition(":")[2], f"{session}\n", session.replace("-", ""),
        session.replace(":", "%3A"), f"{session}\u200b", *ODD_REFS, *INJECTED[:-15], *others,
    )  # fmt: skip
    found = pick(dice, changed)
    return found if found != session else ""


def is_special(value: Value) -> bool:
    """Whether a value is, or holds, a float that is not finite, which JSON has no notation for."""
    match value:
        case float():
            return not isfinite(value)
        case tuple():
            return any(map(is_special, value))
        case dict():
            return any(map(is_special, value.values()))
        case _:
            return False
