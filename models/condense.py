"""From a class with every message written out to a class file, which leaves out what models/rules.py gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from xenconform.models import rules
from xenconform.models.api import ApiClass, Message
from xenconform.models.load import Enums, class_of

Json = dict[str, Any]


def condense(file: Json, messages: Iterable[tuple[Json, bool | None]], enums: Enums) -> list[str]:
    """Fill in a class file's `implicit`, `roles` and `messages` so that it gives exactly these messages.

    Args:
        file: a class file with fields and no messages yet; changed in place.
        messages: each message in the form of class files, and whether it is said to be implicit (None: not said).
        enums: the values of all classes' enums.

    Returns:
        What is wrong, a line each: messages that the rules give and that the class lacks.
    """
    given = {message["name"]: (message, said) for message, said in messages}
    open_to_rules = {name: message for name, (message, said) in given.items() if said is not False}
    file["implicit"] = [
        name
        for name in rules.GENERIC
        if name in open_to_rules
        and open_to_rules[name]["lifecycle"] == file["lifecycle"]
        and _shape(open_to_rules[name]) == _generic_shape(file["name"], name)
    ]
    _share_roles(file, open_to_rules)
    derived = class_of(file, enums, {})
    written = {name: _written(message) for name, message in derived.messages.items()}
    file["messages"] = [
        message for name, (message, said) in given.items() if said is False or written.get(name) != _comparable(message)
    ]
    return [
        f"{file['name']}.{name}: {_why(derived, message)}, and there is no such message; add it"
        for name, message in derived.messages.items()
        if name not in given
    ]


def _why(cls: ApiClass, message: Message) -> str:
    field = cls.fields.get(message.field)
    return f"the field {field.name} is {field.qualifier} and a {field.type}" if field else "the class has get_record"


def _generic_shape(cls: str, name: str) -> tuple[list[list[str]], str]:
    params, result = rules.GENERIC[name](cls)
    return [[param.name, str(param.type)] for param in params], str(result)


def _shape(message: Mapping[str, Any]) -> tuple[list[list[str]], str]:
    return message["params"], message["result"]


def _comparable(message: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        *_shape(message),
        frozenset(message["roles"]),
        tuple((kind, release) for kind, release in message["lifecycle"]),
        message.get("session", True),
        tuple(message.get("errors", ())),
    )


def _written(message: Message) -> tuple[object, ...]:
    params = [[param.name, str(param.type)] for param in message.params]
    return (params, str(message.result), message.roles, message.lifecycle.transitions, True, ())


def _share_roles(file: Json, messages: Mapping[str, Json]) -> None:
    """Name the roles that most accessors share on the class, and the others on their fields."""
    getters: dict[str, list[list[str]]] = {}
    writers: dict[str, list[list[str]]] = {}
    if "get_record" in file["implicit"]:
        for field in file["fields"]:
            name = field["name"]
            getters[name] = _roles(messages, [f"get_{name}"])
            writers[name] = _roles(messages, [rule.prefix + name for rule in rules.ACCESSORS if rule.writes])
    generic = [name for name in file["implicit"] if name not in {"create", "destroy"}]
    common = {
        "get": _most(_roles(messages, generic) or [r for each in getters.values() for r in each]),
        "set": _most(
            [r for field in file["fields"] if field["qualifier"] == "RW" for r in writers.get(field["name"], [])]
        ),
        **{name: messages[name]["roles"] for name in ("create", "destroy") if name in file["implicit"]},
    }
    file["roles"] = {use: who for use, who in common.items() if who is not None}
    for field in file["fields"]:
        for use, found in (("get", getters), ("set", writers if field["qualifier"] == "RW" else {})):
            own = _most(found.get(field["name"], []))
            if own is not None and own != common[use]:
                field[f"{use}_roles"] = own


def _roles(messages: Mapping[str, Json], names: Iterable[str]) -> list[list[str]]:
    return [messages[name]["roles"] for name in names if name in messages]


def _most(found: list[list[str]]) -> list[str] | None:
    counted = Counter(tuple(each) for each in found)
    return list(counted.most_common(1)[0][0]) if counted else None
