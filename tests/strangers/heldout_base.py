"""What the held-out defects share: ways to change one field of one class, on its way in or on its way out.

The held-out defects were written without a look at the checks, to learn what the suite misses; see test_strangers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strangers.base import around
from strangers.plain_server import Plain

Change = Callable[[Any], Any]


def written(s: Plain, cls: str, field: str, change: Change) -> None:
    """Change what a setter stores in a field."""

    def do_set(old: Any, of: Any, ref: str, obj: Any, f: Any, value: Any) -> None:
        old(of, ref, obj, f, change(value) if (of.name, f.name) == (cls, field) else value)

    around(s, "do_set", do_set)


def made(s: Plain, cls: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the values with which the objects of a class are made, by whichever constructor."""
    around(s, "make", lambda old, of, given: old(of, change(given) if of.name == cls else given))


def stored(s: Plain, cls: str, field: str, change: Change) -> None:
    """Change what a setter or a constructor stores in a field."""
    written(s, cls, field, change)
    made(s, cls, lambda given: {n: change(v) if n == field else v for n, v in given.items()})


def told(s: Plain, cls: str, field: str, change: Change, formats: str = "xml json1 json2") -> None:
    """Change what every reader tells of a field, over some of the formats."""

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        return change(value) if (of.name, f.name) == (cls, field) and s.fmt in formats.split() else value

    around(s, "get", get)


def doing(s: Plain, verb: str, cls: str, field: str, new: Callable[..., Any]) -> None:
    """Put `new(old, ref, obj, *values)` in place of what a verb does to a field; `old(*values)` does it."""

    def both(old: Any, of: Any, ref: str, obj: Any, f: Any, *values: Any) -> None:
        if (of.name, f.name) != (cls, field):
            old(of, ref, obj, f, *values)
        else:
            new(lambda *others: old(of, ref, obj, f, *others), ref, obj, *values)

    around(s, f"do_{verb}", both)


def pairs(s: Plain, cls: str, field: str, key: Change, value: Change = lambda each: each) -> None:
    """Change the keys and the values of a map before they are stored, however they are written."""
    stored(s, cls, field, lambda given: {key(k): value(v) for k, v in given.items()})
    doing(s, "add_to", cls, field, lambda old, _ref, _obj, k, v: old(key(k), value(v)))


def members(s: Plain, cls: str, field: str, change: Change) -> None:
    """Change the members of a set before they are stored, however they are written."""
    stored(s, cls, field, lambda given: [change(each) for each in given])
    doing(s, "add", cls, field, lambda old, _ref, _obj, each: old(change(each)))
