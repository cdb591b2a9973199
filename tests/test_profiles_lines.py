"""Claims about finding the line of a key in a TOML document."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from xenconform.models.profiles import SHIPPED, shipped_profiles
from xenconform.models.toml_lines import Path, line_of, lines

DOCUMENT = '''# a comment with = and [brackets]
a = 1
"quoted.key" = "# no comment"
b.c = [ # a list
  "x = 1",
  ["[[y]]"],
]
text = """
[not.a.table]
z = 1
""" # after
raw = \'\'\'
it\'s [x]
\'\'\'

[t]
k = {inner = {deep = 1}, other = "}"}
[t.'lit.eral'."q\\u0041"]
v = 1979-05-27T07:32:00Z

[[many]]
n = 1
[[many]]
n = 2
[many.sub]
m = 3
'''


def paths(value: Any, at: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        return [at, *(path for key, each in value.items() for path in paths(each, (*at, key)))]
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return [at, *(path for n, each in enumerate(value) for path in paths(each, (*at, n)))]
    return [at]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("quoted.key",), 3),
        (("b",), 4),
        (("b", "c"), 4),
        (("text",), 8),
        (("raw",), 12),
        (("t",), 16),
        (("t", "k"), 17),
        (("t", "k", "inner", "deep"), 17),
        (("t", "lit.eral", "qA"), 18),
        (("t", "lit.eral", "qA", "v"), 19),
        (("many", 0), 21),
        (("many", 0, "n"), 22),
        (("many", 1), 23),
        (("many", 1, "n"), 24),
        (("many", 1, "sub", "m"), 26),
        (("nowhere",), 1),
    ],
)
def test_every_key_has_the_line_that_it_is_on(path: Path, line: int) -> None:
    """Strings, comments, arrays over lines, quoted keys and arrays of tables do not lead the scanner astray."""
    assert line_of(lines(DOCUMENT), path) == line


def test_keys_in_strings_are_no_keys() -> None:
    """Exactly the keys that tomllib sees are found, inline tables' members aside."""
    seen = {path for path in paths(tomllib.loads(DOCUMENT)) if path and path[:2] != ("t", "k")} | {("t", "k")}
    assert set(lines(DOCUMENT)) == seen


@pytest.mark.parametrize("name", shipped_profiles())
def test_every_key_of_the_shipped_profiles_is_found(name: str) -> None:
    """Each path of a shipped profile has a line whose text holds its last key."""
    text = (SHIPPED / f"{name}.toml").read_text("utf-8")
    found, rows = lines(text), text.splitlines()
    assert len(found) >= 6
    for path, line in found.items():
        assert str(path[-1]) in rows[line - 1]


def test_lines_ended_by_crlf_count_once() -> None:
    """A file written with CR LF has the same lines."""
    assert lines(DOCUMENT.replace("\n", "\r\n")) == lines(DOCUMENT)
