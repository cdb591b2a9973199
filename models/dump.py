"""Class files as text: one field or message a line, so that a change reads well; and a model's directory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_ROWS = frozenset({"enums", "fields", "messages", "constructors"})


def class_text(file: Mapping[str, Any], roles: Mapping[str, Sequence[str]]) -> str:
    """Return a class file's text; sets of roles that have a name in `roles` are written by it."""
    names = {frozenset(who): name for name, who in roles.items()}
    lines = [
        f"  {_line(key)}: {(_rows if key in _ROWS else _line)(value if key == 'enums' else _named(value, names))}"
        for key, value in file.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _rows(value: Any) -> str:
    if not value:
        return _line(value)
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"    {_line(each)}" for each in value) + "\n  ]"
    return "{\n" + ",\n".join(f"    {_line(key)}: {_line(each)}" for key, each in value.items()) + "\n  }"


def _named(value: Any, names: Mapping[frozenset[str], str]) -> Any:
    """Return the value with every list of roles under a key that holds roles replaced by its name."""
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[str, Any] = {}
    for key, each in value.items():
        is_roles = key in {"get", "set", "create", "destroy", "roles", "get_roles", "set_roles"}
        if is_roles and isinstance(each, list):
            found[key] = names.get(frozenset(each), each)
        else:
            found[key] = each if key == "default" else _named(each, names)
    return found


def write_model(
    files: Sequence[Mapping[str, Any]],
    releases: Sequence[Mapping[str, str]],
    roles: Mapping[str, Sequence[str]],
    out: Path,
) -> None:
    """Write class files and the lists beside them into a directory that `Api.load` can read.

    Raises:
        OSError: it cannot be written.
    """
    (out / "classes").mkdir(parents=True, exist_ok=True)
    for file in files:
        (out / "classes" / f"{file['name']}.json").write_text(class_text(file, roles), encoding="utf-8")
    lists = {"classes": [file["name"] for file in files], "releases": list(releases)}
    for name, rows in lists.items():
        text = "[\n" + ",\n".join(f"  {_line(each)}" for each in rows) + "\n]\n"
        (out / f"{name}.json").write_text(text, encoding="utf-8")
    (out / "roles.json").write_text(json.dumps(roles, indent=2) + "\n", encoding="utf-8")
