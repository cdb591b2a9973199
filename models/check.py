"""What no schema can say of a class file: that names mean something, and that values are of their types."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from xenconform.models import types as t
from xenconform.models.load import ANY_CLASS, DATA, load, shared
from xenconform.models.types import NULL_REF

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a class file may name: classes, enums with their values, releases, and named sets of roles."""

    classes: frozenset[str]
    enums: Mapping[str, tuple[str, ...]]
    releases: frozenset[str]
    roles: frozenset[str]


def surroundings(file: Path) -> Surroundings:
    """Return what lies around a class file: the model whose classes/ it is in, and the shipped model.

    Neighbours that cannot be read count by their name alone.

    Raises:
        ModelError: the model's own releases.json or roles.json cannot be read.
    """
    known = load()
    root = file.resolve().parent.parent if file.resolve().parent.name == "classes" else DATA
    enums = {name: values for each in known.classes.values() for name, values in each.enums.items()}
    near = list((root / "classes").glob("*.json"))
    for each in near:
        with suppress(ValueError, TypeError, KeyError, OSError, AttributeError):
            enums |= {name: tuple(values) for name, values in json.loads(each.read_bytes())["enums"].items()}
    return Surroundings(
        classes=frozenset(known.classes) | {each.stem for each in near},
        enums=enums,
        releases=frozenset(each["name"] for each in shared(root, "releases")),
        roles=frozenset(shared(root, "roles")),
    )


def problems(file: Json, around: Surroundings) -> list[str]:
    """Return what is wrong with a class file that fits the schema, a line each: where, what, and the fix."""
    enums = {**around.enums, **{name: tuple(values) for name, values in file["enums"].items()}}
    classes = {*around.classes, file["name"], ANY_CLASS}
    found = [*_names(file), *_lifecycles(file, around.releases), *_roles(file, around.roles), *_implicit(file)]
    for where, text in _types(file):
        found += _type(where, text, enums, classes)
    if not found:
        found += [*_defaults(file, enums), *_constructors(file)]
    return found


def _names(file: Json) -> Iterator[str]:
    for what in ("fields", "messages"):
        counted = Counter(each["name"] for each in file[what])
        for name, count in counted.items():
            if count > 1:
                yield f"{file['name']}.{name}: {count} times among the {what}; leave one"


def _lifecycles(file: Json, releases: Collection[str]) -> Iterator[str]:
    for where, each in (("", file), *((f".{e['name']}", e) for e in (*file["fields"], *file["messages"]))):
        for _, release in each["lifecycle"]:
            if release not in releases:
                yield f"{file['name']}{where}: release {release!r} is not known; write one of releases.json"


def _roles(file: Json, roles: Collection[str]) -> Iterator[str]:
    used = [(f"{file['name']}: roles.{use}", who) for use, who in file["roles"].items()]
    used += [(f"{file['name']}.{each['name']}: roles", each["roles"]) for each in file["messages"]]
    for each in file["fields"]:
        used += [(f"{file['name']}.{each['name']}: {k}", each[k]) for k in ("get_roles", "set_roles") if k in each]
    for where, who in used:
        if isinstance(who, str) and who not in roles:
            yield f"{where}: {who!r} is no set of roles; write one of {', '.join(sorted(roles))}, or a list of roles"


def _implicit(file: Json) -> Iterator[str]:
    fields = {each["name"] for each in file["fields"]}
    if "get_by_name_label" in file["implicit"] and "name_label" not in fields:
        yield f"{file['name']}: get_by_name_label without a field name_label; add the field or leave the message out"
    if file["implicit"] and "get" not in file["roles"]:
        yield f'{file["name"]}: roles say nothing of "get"; add who may call the getters, like "get": "all"'
    own = {each["name"] for each in file["messages"]}
    for name in sorted(own.intersection(file["implicit"])):
        yield f"{file['name']}.{name}: both implicit and among the messages; leave one out"


def _types(file: Json) -> Iterator[tuple[str, str]]:
    for each in file["fields"]:
        yield f"{file['name']}.{each['name']}", each["type"]
    for each in file["messages"]:
        yield f"{file['name']}.{each['name']}: result", each["result"]
        for name, text in each["params"]:
            yield f"{file['name']}.{each['name']}: parameter {name}", text


def _type(where: str, text: str, enums: Collection[str], classes: Collection[str]) -> Iterator[str]:
    if text == f"{ANY_CLASS} record":
        return
    try:
        t.parse(text)
    except ValueError:
        yield f"{where}: {text!r} is no type; write it like 'string', 'VM ref set' or '(int -> float) map'"
        return
    for name in re.findall(r"enum (\w+)", text):
        if name not in enums:
            yield f"{where}: enum {name} is declared nowhere; add it to the class's enums"
    for name in re.findall(r"(\w+) (?:ref|record)\b", text):
        if name not in classes:
            yield f"{where}: there is no class {name}; correct the name, or check it together with that class"


def _defaults(file: Json, enums: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for each in file["fields"]:
        if "default" in each and not fits(t.parse(each["type"], enums), each["default"]):
            where = f"{file['name']}.{each['name']}"
            yield f"{where}: default {each['default']!r} is no {each['type']}; correct or remove it"


def fits(of: t.Type, value: Any) -> bool:
    """Whether a default in a class file, as JSON, is of the type."""
    match of:
        case t.SetOf(item):
            return isinstance(value, list) and all(fits(item, each) for each in value)
        case t.MapOf(_, item):
            return isinstance(value, dict) and all(fits(item, each) for each in value.values())
        case t.Enum(_, values):
            return value in values
        case t.DateTime():
            return isinstance(value, str) and _is_instant(value)
        case t.RefTo():
            return bool(value == NULL_REF)
        case _:
            return type(value) in _PLAIN.get(type(of), ())


_PLAIN: Mapping[type, tuple[type, ...]] = {
    t.Str: (str,),
    t.Int: (int,),
    t.Float: (float, int),
    t.Bool: (bool,),
}


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _constructors(file: Json) -> Iterator[str]:
    fields = {each["name"]: each["type"] for each in file["fields"]}
    messages = {each["name"]: each for each in file["messages"]}
    for made in file.get("constructors", ()):
        where = f"{file['name']}: constructor {made['message']}"
        message = messages.get(made["message"])
        if message is None:
            yield f"{where}: no such message; name one of the class's messages"
        elif len(message["params"]) != len(made["fields"]):
            counts = f"{len(made['fields'])} fields for {len(message['params'])} parameters"
            yield f'{where}: {counts}; write one each, or ""'
        else:
            for (name, text), field in zip(message["params"], made["fields"], strict=True):
                if field and fields.get(field) != text:
                    yield f'{where}: parameter {name} is a {text}, field {field} is not; map it to "" or to another'
