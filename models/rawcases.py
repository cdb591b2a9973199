"""A raw case: the smallest request, byte by byte, that shows what is wrong with a server, as data to be sent again.

What is a server's own stands in it by a name in ⟦ ⟧, such as ⟦session⟧ and ⟦ref.VM⟧, so that it runs against any server
and gives no session away. The JSON form loses nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from xenconform.models.calls import Format
from xenconform.models.plain import from_plain, to_plain
from xenconform.models.values import Value

FORM = 1
"""The version of the JSON form."""


@dataclass(frozen=True, slots=True)
class RawCase:
    """One raw case.

    `pieces` are templates (see strategies/hostile/template.py): a body to be posted alone where `end` is empty, else
    the pieces of whole requests over a connection of their own, `drip` seconds apart. `owed` is what the server owes,
    `most` how many replies there may be. `sound` says that the request is a call as its protocol writes one. `message`
    is what a well-formed call calls; `getter` reads back the `value` that it writes to the object `ref`; without one it
    does no more than read that object, over the other formats too.
    """

    clause: str
    cause: str
    layer: str
    what: str
    expected: str
    actual: str
    format: Format
    owed: str
    own_clause: str
    pieces: tuple[str, ...]
    release: str = ""
    content_type: str | None = None
    path: str | None = None
    end: str = ""
    most: int = 1
    drip: float = 0.0
    sound: bool = False
    message: str = ""
    code: tuple[str, ...] = ()
    ref: str = ""
    getter: str = ""
    verb: str = ""
    value: Value = None
    note: str = ""


def to_json(case: RawCase) -> str:
    """Return a case's JSON text."""
    said = {name: value for name, value in asdict(case).items() if value not in (None, "", 0.0, ()) or name == "value"}
    said["pieces"] = list(case.pieces)
    said["value"] = to_plain(case.value)
    return json.dumps({"raw": FORM, **said}, indent=1, ensure_ascii=True) + "\n"


def is_raw(text: str) -> bool:
    """Whether a JSON text is that of a raw case."""
    try:
        said = json.loads(text)
    except ValueError:
        return False
    return isinstance(said, dict) and "raw" in said


def from_json(text: str) -> RawCase:
    """Return the case of a JSON text.

    Raises:
        ValueError: it is none, or of a later form.
    """
    said: dict[str, Any] = json.loads(text)
    if said.pop("raw", None) != FORM:
        raise ValueError(f"no raw case of the form {FORM}")
    names = {each.name for each in fields(RawCase)}
    if unknown := said.keys() - names:
        raise ValueError(f"unknown members {sorted(unknown)}")
    try:
        made = {**said, "format": Format(said["format"]), "pieces": tuple(said["pieces"])}
        made["code"] = tuple(said.get("code", ()))
        return RawCase(**{**made, "value": from_plain(said.get("value"))})
    except (KeyError, TypeError) as why:
        raise ValueError(f"a member is missing: {why}") from why
