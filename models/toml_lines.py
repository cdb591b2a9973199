"""On which line of a TOML document each key is.

`tomllib` gives values without places. This scanner reads keys and tables alone, and expects a document that `tomllib`
has accepted: it finds the line, it does not judge. Grammar: TOML 1.0.0, sections on keys, strings and tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]
"""The way to a value: keys of tables, and the numbers of tables in an array of tables, from 0."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[A-Za-z0-9_+:-]+"
    r"|[ \t\r]+"
    r"|.|\n",
    re.DOTALL,
)
_KEY = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[A-Za-z0-9_-]+')
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def lines(text: str) -> Mapping[Path, int]:
    """Return the line, from 1, of every key and table header in a TOML document.

    Keys inside an inline table or an array on several lines have the line of the key that it is the value of; look
    them up with `line_of`.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        if statement.startswith("["):
            table = _header(statement, counts)
            _note(found, table, (), line)
        else:
            _note(found, table, _keys(_before_equals(statement)), line)
    return found


def line_of(found: Mapping[Path, int], path: Path) -> int:
    """Return the line of the longest part of `path` that has one, 1 if none has."""
    for end in range(len(path), 0, -1):
        if path[:end] in found:
            return found[path[:end]]
    return 1


def _note(found: dict[Path, int], table: Path, keys: Path, line: int) -> None:
    """Remember the line of a path, and of its parts that had none yet."""
    whole = table + keys
    for end in range(1, len(whole) + 1):
        found.setdefault(whole[:end], line)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield every header and every `key = value` with its first line; brackets and strings may span lines."""
    line = start = 1
    depth, parts = 0, list[str]()
    for part in _TOKEN.findall(text):
        depth += (part in "[{") - (part in "]}")
        if part == "\n" and depth == 0:
            if statement := "".join(parts).strip():
                yield start, statement
            parts, start = [], line + 1
        elif not part.startswith("#"):
            parts.append(part)
        line += part.count("\n")
    if statement := "".join(parts).strip():
        yield start, statement


def _before_equals(statement: str) -> str:
    at = 0
    while at < len(statement) and statement[at] != "=":
        key = _KEY.match(statement, at)
        at = key.end() if key else at + 1
    return statement[:at]


def _keys(text: str) -> Path:
    return tuple(_plain(key) for key in _KEY.findall(text))


def _plain(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    if not key.startswith('"'):
        return key
    return _ESCAPE.sub(_unescape, key[1:-1])


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES.get(code, code)


def _header(statement: str, counts: dict[Path, int]) -> Path:
    """Return a header's path; an array of tables on the way is at its latest table."""
    is_array = statement.startswith("[[")
    path: Path = ()
    keys = _keys(statement)
    for at, key in enumerate(keys):
        path = (*path, key)
        if is_array and at == len(keys) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
