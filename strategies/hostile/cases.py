"""Hostile cases that were written by hand: the data beside this file, read and checked.

A case is a body, a call or a whole request that a server may get from a broken or malicious client, and what the server
owes. The files are TOML; `docs/reference/fuzz.md` describes their members.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

from xenconform.models.calls import Format
from xenconform.models.clauses import catalogue

_FILE: Final = {"layer", "formats", "clause", "owed", "bases", "case"}
_CASE: Final = {"what", "formats", "clause", "owed", "cause"}
_BODY: Final = {"body", "base", "swap", "type", "path"}
_CALL: Final = {"method", "params", "session", "ints"}
_HTTP: Final = {"head", "lines", "then", "pieces", "end", "most", "drip"}

SLOW: Final = 1.0
"""A sender is slow that lets so many seconds pass between two pieces: it is there for others to be held up by."""

Said: TypeAlias = tuple[str, Any]
"""A value of a call as it is written: the kind, and its text, members or items."""


class Owed(StrEnum):
    """What a server owes: to turn the request down, to answer it as a good call, or to do either, soundly."""

    REFUSED = "refused"
    ANSWERED = "answered"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Http:
    """A whole request, in pieces of template text.

    `end` is what the client does at last: "wait" for replies, "half" close its side, "close" it, "reset" it. `most` is
    how many replies there may be at most. `drip` is how many seconds pass between two pieces, of a slow sender at
    least.
    """

    pieces: tuple[str, ...]
    end: str = "half"
    most: int = 1
    drip: float = 0.0

    @property
    def is_slow(self) -> bool:
        """Whether others might be held up while it is sent."""
        return self.drip >= SLOW


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile case; `clause` is what a server breaks that does not do what is owed.

    Cases of one `cause` show the same defect: the first of them is told. Without one, a case is a cause of its own.

    Exactly one of `body` (a template, to be posted), `call` (a method, its session, and values, which each format
    writes in its own way) and `http` is there.
    """

    id: str
    layer: str
    what: str
    formats: tuple[Format, ...]
    owed: Owed
    clause: str
    cause: str = ""
    body: str | None = None
    swaps: tuple[tuple[str, str], ...] = ()
    content_type: str | None = None
    path: str | None = None
    method: str | None = None
    session: str | None = "⟦session⟧"
    params: tuple[Said, ...] = ()
    ints: str = "text"
    http: Http | None = None


@dataclass(frozen=True, slots=True)
class _File:
    layer: str
    said: Mapping[str, Any]
    bases: Mapping[str, str] = field(default_factory=dict)


@cache
def load() -> tuple[Case, ...]:
    """Return every case.

    Raises:
        ValueError: a file is not as it should be; the text names the case.
    """
    found: list[Case] = []
    for entry in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            found += read(entry.name.removesuffix(".toml"), tomllib.loads(entry.read_text(encoding="utf-8")))
    return tuple(found)


def read(name: str, said: Mapping[str, Any]) -> list[Case]:
    """Return the cases of one file's document.

    Raises:
        ValueError: a member is unknown, missing or of another kind; the text names the case.
    """
    if unknown := said.keys() - _FILE:
        raise ValueError(f"{name}: unknown {sorted(unknown)}; a file has {sorted(_FILE)}")
    file = _File(str(said.get("layer", name)), said, said.get("bases", {}))
    cases = [_case(file, f"{name}-{at:03}", case) for at, case in enumerate(said.get("case", ()), 1)]
    names: dict[str, str] = {}
    for case in cases:
        if case.what in names:
            raise ValueError(f"{case.id}: {names[case.what]} says the same: {case.what!r}")
        names[case.what] = case.id
    return cases


def _case(file: _File, ident: str, said: Mapping[str, Any]) -> Case:
    if unknown := said.keys() - (_CASE | _BODY | _CALL | _HTTP):
        raise ValueError(f"{ident}: unknown {sorted(unknown)}")
    whole: dict[str, Any] = {name: file.said[name] for name in ("formats", "clause", "owed") if name in file.said}
    whole |= said
    kinds = [kind for kind in ("body", "base", "method", "head", "pieces") if kind in said]
    if len(kinds) != 1:
        raise ValueError(f"{ident}: has {kinds or 'nothing'}; give one of body, base, method, head and pieces")
    if whole.get("clause") not in catalogue():
        raise ValueError(f"{ident}: clause {whole.get('clause')!r} is none of the catalogue")
    if not whole.get("what"):
        raise ValueError(f"{ident}: says not what it is")
    return Case(
        id=ident,
        layer=file.layer,
        what=whole["what"],
        formats=tuple(Format(each) for each in whole.get("formats", Format)),
        owed=Owed(whole.get("owed", Owed.EITHER)),
        clause=whole["clause"],
        cause=said.get("cause", ""),
        content_type=said.get("type"),
        path=said.get("path"),
        **_content(file, ident, kinds[0], said),
    )


def _content(file: _File, ident: str, kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    match kind:
        case "body":
            return {"body": said["body"]}
        case "base":
            body = file.bases.get(said["base"], f"⟦{said['base']}⟧")
            return {"body": body, "swaps": tuple((old, new) for old, new in said.get("swap", ()))}
        case "method":
            session = said.get("session", "⟦session⟧")
            return {
                "method": said["method"],
                "session": None if session is False else session,
                "params": tuple(_value(ident, each) for each in said.get("params", ())),
                "ints": said.get("ints", "text"),
            }
        case _:
            return {
                "http": Http(tuple(_pieces(kind, said)), **{n: said[n] for n in ("end", "most", "drip") if n in said})
            }


def _pieces(kind: str, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the pieces of a request: given as such, or a head's lines, a body, and what stands behind it."""
    if kind == "pieces":
        yield from said["pieces"]
        return
    lines: Sequence[str] = (said["head"], *said.get("lines", ("Host: ⟦host⟧", "Content-Type: ⟦type⟧")))
    yield "".join(f"{line}\r\n" for line in lines) + "\r\n" + "".join(said.get("then", ()))


def _value(ident: str, said: Mapping[str, Any]) -> Said:
    """Return a value: one member, of which the name is the kind."""
    if len(said) != 1:
        raise ValueError(f"{ident}: a value has one member, and this has {sorted(said)}")
    kind, inner = next(iter(said.items()))
    match kind:
        case "array":
            return kind, tuple(_value(ident, each) for each in inner)
        case "struct":
            return kind, tuple((name, _value(ident, each)) for name, each in inner)
        case "string" | "int" | "i4" | "i8" | "double" | "boolean" | "dateTime.iso8601" | "base64" | "nil" | "raw" | "":
            return kind, str(inner)
        case _:
            raise ValueError(f"{ident}: a value of the kind {kind!r}; known are the tags of XML-RPC, array and struct")
