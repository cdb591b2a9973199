"""From the model's files to `Api`: one JSON file a class, and the lists that all classes share.

The files' format is models/data/schema/class.schema.json. A directory that lacks a shared list takes the one of the
shipped model, so that a directory of class files alone is a model.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from xenconform.models import rules
from xenconform.models import types as t
from xenconform.models.api import (
    Api,
    ApiClass,
    Constructor,
    ErrorCode,
    Field,
    Lifecycle,
    Message,
    Parameter,
    Qualifier,
    Relation,
    Release,
    State,
)
from xenconform.models.values import Value, null

DATA = Path(__file__).parent / "data"
"""The shipped model."""

ANY_CLASS = "<class>"
"""The class of event.snapshot: the record of whatever object the event is about."""

STATES = frozenset(State)
"""The kinds of transition that change the state; the others tell of changes within it."""

Enums = Mapping[str, tuple[str, ...]]
Roles = Mapping[str, frozenset[str]]


class ModelError(ValueError):
    """A model's file that cannot be read: where, what is wrong, and how to mend it."""


@cache
def load(path: Path | None = None) -> Api:
    """Return the model in a directory, the shipped one if none is given; read once a process.

    Raises:
        ModelError: a file is missing, is no JSON, or says what no model can.
    """
    root = DATA if path is None else path
    files = [read_json(file) for file in class_files(root)]
    try:
        return _api(root, files)
    except ModelError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{root}: not a model: {error!r}; run `xenconform model check` on its class files to see the place"
        ) from error


def _api(root: Path, files: list[Any]) -> Api:
    enums = {name: tuple(values) for file in files for name, values in file["enums"].items()}
    roles = {name: frozenset(names) for name, names in shared(root, "roles").items()}
    classes = {file["name"]: class_of(file, enums, roles) for file in files}
    unknown = _releases_named(classes.values()) - {each["name"] for each in shared(root, "releases")}
    if unknown:
        raise ModelError(f"{root}: releases {sorted(unknown)} are not in releases.json; add them in their place")
    releases = tuple(Release(each["name"], each["product"]) for each in shared(root, "releases"))
    return Api(
        release=releases[-1].name,
        classes=classes,
        relations=relations_of(shared(root, "relations"), classes),
        errors={code: ErrorCode(code, tuple(params)) for code, params in shared(root, "errors").items()},
        releases=releases,
    )


def _releases_named(classes: Collection[ApiClass]) -> set[str]:
    lives = {cls.lifecycle for cls in classes}
    for cls in classes:
        lives |= {field.lifecycle for field in cls.fields.values()}
        lives |= {message.lifecycle for message in cls.messages.values()}
    return {release for life in lives for _, release in life.transitions}


def class_files(root: Path) -> list[Path]:
    """Return the class files of a model's directory in the model's order: as classes.json says, then by name."""
    listed = root / "classes.json"
    order: list[str] = json.loads(listed.read_bytes()) if listed.is_file() else []
    rank = {name: at for at, name in enumerate(order)}
    found = sorted((root / "classes").glob("*.json"), key=lambda file: (rank.get(file.stem, len(rank)), file.stem))
    if not found:
        raise ModelError(f"{root}: no class files; expected classes/<Class>.json in it")
    return found


def read_json(file: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        ModelError: it cannot be read or is no JSON; the message names the file and the place.
    """
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise ModelError(f"{file}: not JSON: {error}; correct the file at that place") from error
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror}; give a file that can be read") from error


def shared(root: Path, name: str) -> Any:
    """Return a list that all classes share, by its name: releases, relations, errors or roles."""
    file = root / f"{name}.json"
    return read_json(file if file.is_file() else DATA / file.name)


def class_of(file: Mapping[str, Any], enums: Enums, roles: Roles) -> ApiClass:
    """Return the class that a class file describes.

    Args:
        file: the class file, already known to be of the schema.
        enums: the values of the enums of all classes.
        roles: the named sets of roles.

    Raises:
        KeyError, ValueError: the file names a type, roles or a message that there is none of; models/check.py tells
            which, and how to mend it.
    """
    cls: str = file["name"]
    types = _Types(enums)
    life = lifecycle_of(file["lifecycle"])
    fields = {each["name"]: _field(each, types) for each in file["fields"]}
    named = {use: _roles(who, roles) for use, who in file["roles"].items()}
    explicit = [rules.marked(_explicit(cls, each, types, roles), fields) for each in file["messages"]]
    derived = [rules.generic(cls, name, named[name if name in named else "get"], life) for name in file["implicit"]]
    if "get_record" in file["implicit"]:
        nobody: dict[str, frozenset[str]] = {"get": frozenset(), "set": frozenset()}
        for each in file["fields"]:
            own = {use: _roles(each[f"{use}_roles"], roles) for use in ("get", "set") if f"{use}_roles" in each}
            derived += rules.accessors_of(cls, fields[each["name"]], nobody | named | own)
    # An explicit message stands where a rule would give another of the same name.
    messages = {message.name: message for message in (*derived, *explicit)}
    constructors = [Constructor(messages["create"], record=True)] if "create" in file["implicit"] else []
    constructors += [
        Constructor(messages[each["message"]], record=False, fields=tuple(each["fields"]))
        for each in file.get("constructors", ())
    ]
    own_enums = {name: tuple(values) for name, values in file["enums"].items()}
    return ApiClass(cls, fields, messages, life, own_enums, tuple(constructors), destructor_of(messages))


def destructor_of(messages: Mapping[str, Message]) -> str:
    """Return the name of the message that ends an object: destroy, else forget, else nothing."""
    return next((name for name in ("destroy", "forget") if name in messages), "")


class _Types:
    """Types by their text, each text parsed once in the whole model."""

    __slots__ = ("_enums", "_known")

    def __init__(self, enums: Enums) -> None:
        self._enums = enums
        self._known: dict[str, t.Type] = {f"{ANY_CLASS} record": t.RecordOf(ANY_CLASS)}

    def __getitem__(self, text: str) -> t.Type:
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = t.parse(text, self._enums)
        return found


def _field(each: Mapping[str, Any], types: _Types) -> Field:
    of = types[each["type"]]
    has = "default" in each
    return Field(
        each["name"],
        of,
        Qualifier(each["qualifier"]),
        lifecycle_of(each["lifecycle"]),
        default=value_of(of, each["default"]) if has else None,
        has_default=has,
    )


def _explicit(cls: str, each: Mapping[str, Any], types: _Types, roles: Roles) -> Message:
    return Message(
        cls,
        each["name"],
        tuple(Parameter(name, types[text]) for name, text in each["params"]),
        types[each["result"]],
        lifecycle_of(each["lifecycle"]),
        takes_session=each.get("session", True),
        errors=tuple(each.get("errors", ())),
        roles=_roles(each["roles"], roles),
    )


def _roles(who: str | list[str], roles: Roles) -> frozenset[str]:
    return roles[who] if isinstance(who, str) else frozenset(who)


def lifecycle_of(transitions: list[list[str]]) -> Lifecycle:
    """Return the lifecycle of these transitions: its state is what the last one that changes the state says."""
    return _lifecycle(tuple((kind, release) for kind, release in transitions))


@cache
def _lifecycle(transitions: tuple[tuple[str, str], ...]) -> Lifecycle:
    last = next((kind for kind, _ in reversed(transitions) if kind in STATES), State.PUBLISHED)
    return Lifecycle(State(last), transitions)


def value_of(of: t.Type, text: Any) -> Value:
    """Return the typed value of a class file's default: JSON, with refs as the null ref and datetimes in ISO 8601."""
    match of:
        case t.RefTo(cls):
            return null(cls)
        case t.SetOf(item):
            return tuple(value_of(item, each) for each in text)
        case t.MapOf(key, item):
            return {value_of(key, k): value_of(item, v) for k, v in text.items()}
        case t.DateTime():
            return datetime.fromisoformat(text).astimezone(UTC)
        case t.Float() | t.Int():
            return float(text) if isinstance(of, t.Float) else int(text)
        case _:
            return text


def relations_of(pairs: list[list[str]], classes: Mapping[str, ApiClass]) -> tuple[Relation, ...]:
    """Return the relations with both ends in these classes; `pairs` are [owner end, derived end] as Class.field."""
    found = []
    for owner, derived in pairs:
        owner_cls, owner_field = owner.split(".")
        derived_cls, derived_field = derived.split(".")
        ends = [
            classes[cls].fields.get(field) if cls in classes else None
            for cls, field in ((owner_cls, owner_field), (derived_cls, derived_field))
        ]
        if ends[0] is not None and ends[1] is not None:
            many = isinstance(ends[0].type, t.SetOf)
            found.append(Relation(owner_cls, owner_field, derived_cls, derived_field, many))
    return tuple(found)
