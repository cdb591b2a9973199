"""The shape of a profile's file: which keys there are and what each holds, as one table, and the problems of a file.

The shape alone: names of classes, fields and messages, and values of fields are checked against the model by
models/profile_check.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from xenconform.models.calls import Format
from xenconform.models.toml_lines import Path

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The text form of OSF DCE uuids, lower case."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a profile: where, what, and how to mend it."""

    path: Path
    wrong: str
    fix: str

    def text(self, source: str, line: int) -> str:
        """Return the problem as a line: `profile.toml:12: domains.VM.order.min: expected ...; write ...`."""
        where = ".".join(str(part) for part in self.path) or "the profile"
        return f"{source}:{line}: {where}: {self.wrong}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value must be: its description, the test of it, and an example that passes."""

    what: str
    accepts: Callable[[Any], bool]
    example: str


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - no NaN


def _is_list_of(test: Callable[[Any], bool], least: int = 0) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) >= least and all(test(each) for each in value)


def _is_regex(value: Any) -> bool:
    try:
        return bool(_is_text(value) and re.compile(value))
    except re.error:
        return False


def _one_of(names: Iterable[str], what: str) -> Kind:
    allowed = tuple(names)
    listed = ", ".join(f'"{name}"' for name in allowed)
    return Kind(f"{what}: one of {listed}", lambda value: value in allowed, f'"{allowed[0]}"')


_FORMATS = tuple(each.value for each in Format)
_TEXT = Kind("text that is not empty", _is_text, '"..."')
_NUMBER = Kind("an int or a float", _is_number, "0")
_KINDS: Mapping[str, Kind] = {
    "name": _TEXT,
    "description": Kind("text", lambda value: isinstance(value, str), '"..."'),
    "release": Kind("a release's name", _is_text, '"24.18.0"'),
    "formats": Kind(
        f"a list of formats, each once, of {', '.join(_FORMATS)}",
        lambda value: _is_list_of(lambda each: each in _FORMATS, 1)(value) and len(set(value)) == len(value),
        f'["{_FORMATS[0]}"]',
    ),
    "scope": _one_of(("own", "restore", "all"), "a scope"),
    "never": Kind("a list of messages' full names", _is_list_of(_is_text), '["host.reboot"]'),
}
_REQUIRED = ("name", "release", "formats", "scope")
_TABLES = ("exemplars", "domains", "may_refuse", "known", "waivers")
_DOMAIN: Mapping[str, Kind] = {
    "values": Kind("a list of at least one value", _is_list_of(lambda _: True, 1), "[1, 2]"),
    "min": _NUMBER,
    "max": _NUMBER,
    "multiple_of": Kind(
        "an int above 0", lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0, "1"
    ),
    "pattern": Kind("a regular expression", _is_regex, '"[a-z]+"'),
    "examples": Kind("a list of at least one text", _is_list_of(lambda value: isinstance(value, str), 1), '["abc"]'),
    "fixed": Kind("true", lambda value: value is True, "true"),
    "skip": Kind("the reason why the field is not tested", _is_text, '"the host sets it itself"'),
}
_WAIVER: Mapping[str, Kind] = {
    "clause": Kind("a clause's id", _is_text, '"SET-ADD"'),
    "element": Kind("an element, * and ? allowed", _is_text, '"network.tags"'),
    "failure": Kind("a part of what the server does", _is_text, '"INTERNAL_ERROR"'),
    "reason": Kind("why this is accepted", _is_text, '"fixed in the next release"'),
    "link": Kind("where it is tracked", _is_text, '"https://..."'),
    "expires": Kind("a day", lambda value: isinstance(value, date) and not isinstance(value, datetime), "2030-12-31"),
}
_REASON = Kind("the reason", _is_text, '"needs a licence"')
_KNOWN = Kind("a uuid in lower case", lambda value: isinstance(value, str) and bool(UUID.fullmatch(value)), "")


def hint(name: str, known: Iterable[str]) -> str:
    """Return what to write for a name that is not known: the nearest one, or all of a few."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if not near:
        lower = {each.lower(): each for each in names}
        near = [lower[each] for each in get_close_matches(name.lower(), lower, n=1, cutoff=0.6)]
    if near:
        return f"did you mean {near[0]}?"
    return f"use one of {', '.join(names)}" if len(names) <= 12 else "remove it"


def problems_of(document: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return everything that is wrong with the shape of a profile's document; empty when nothing is."""
    return tuple(_top(document))


def _top(document: Mapping[str, Any]) -> Iterator[Problem]:
    own = {key: value for key, value in document.items() if key not in _TABLES}
    yield from _table((), own, _KINDS, _REQUIRED, (*_KINDS, *_TABLES))
    for cls, table in _tables(document, ("exemplars",)):
        yield from () if isinstance(table, dict) else (_no_table(("exemplars", cls)),)
    for cls, fields in _tables(document, ("domains",)):
        if not isinstance(fields, dict):
            yield _no_table(("domains", cls))
            continue
        for name, table in fields.items():
            yield from _domain(("domains", cls, name), table)
    for key, kind in (("may_refuse", _REASON), ("known", _KNOWN)):
        for cls, value in _tables(document, (key,)):
            yield from _value((key, cls), value, kind)
    for key in ("exemplars", "domains", "may_refuse", "known"):
        if not isinstance(document.get(key, {}), dict):
            yield _no_table((key,))
    yield from _waivers(document.get("waivers", []))


def _tables(document: Mapping[str, Any], path: Path) -> Iterable[tuple[str, Any]]:
    found = document.get(str(path[0]), {})
    return found.items() if isinstance(found, dict) else ()


def _no_table(path: Path) -> Problem:
    header = ".".join(str(part) for part in path)
    return Problem(path, "expected a table", f"write [{header}] with keys below it")


def _waivers(waivers: Any) -> Iterator[Problem]:
    if not isinstance(waivers, list):
        yield Problem(("waivers",), "expected an array of tables", "write [[waivers]] with keys below it")
        return
    for at, table in enumerate(waivers):
        if isinstance(table, dict):
            yield from _table(("waivers", at), table, _WAIVER, tuple(_WAIVER), tuple(_WAIVER))
        else:
            yield Problem(("waivers", at), "expected a table", "write [[waivers]] with keys below it")


def _domain(path: Path, table: Any) -> Iterator[Problem]:
    if not isinstance(table, dict):
        yield _no_table(path)
        return
    problems = tuple(_table(path, table, _DOMAIN, (), tuple(_DOMAIN)))
    yield from problems
    if problems:
        return
    if not table:
        yield Problem(path, "an empty domain", f"write one of {', '.join(_DOMAIN)}, or remove it")
    if "min" in table and "max" in table and table["min"] > table["max"]:
        yield Problem((*path, "max"), f"{table['max']} is below min {table['min']}", "exchange them")
    if "pattern" in table and "examples" not in table:
        yield Problem((*path, "pattern"), "a pattern without examples", 'write examples = ["..."] too')
    ways = {"fixed": "fixed", "skip": "skip", "values": "values", "pattern": "pattern", "examples": "pattern"}
    used = {ways.get(key, "min, max and multiple_of") for key in table}
    if len(used) > 1:
        yield Problem(path, f"{' and '.join(sorted(used))} exclude each other", "keep one of them")


def _table(
    path: Path, table: Mapping[str, Any], kinds: Mapping[str, Kind], required: Iterable[str], known: Iterable[str]
) -> Iterator[Problem]:
    for key in required:
        if key not in table:
            yield Problem(path, f"{key} is missing", f"write {key} = {kinds[key].example}")
    for key, value in table.items():
        if key in kinds:
            yield from _value((*path, key), value, kinds[key])
        else:
            yield Problem((*path, key), "unknown key", hint(key, known))


def _value(path: Path, value: Any, kind: Kind) -> Iterator[Problem]:
    if kind.accepts(value):
        return
    example = kind.example or '"01234567-89ab-4def-8123-456789abcdef"'
    yield Problem(path, f"expected {kind.what}, got {_shown(value)}", f"write {path[-1]} = {example}")


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
