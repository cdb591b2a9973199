"""What a stranger's accessors write."""
# ruff: noqa: ARG002 - a family of methods has one signature

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strangers.values import NULL, Refusal, Values
from xenconform.models.api import Api, ApiClass, Field, Message, Relation


class Accessors(Values):
    """One method a verb, all of one signature; bound fields are written at the end that owns them."""

    api: Api
    derived: Mapping[tuple[str, str], Relation]

    def object(self, of: ApiClass, ref: str) -> dict[str, Any]:
        if ref not in self.objects[of.name]:
            raise Refusal("HANDLE_INVALID", of.name, ref)
        return self.objects[of.name][ref]

    def write(self, message: Message, field: Field, args: list[Any]) -> None:
        of = self.api.classes[message.cls]
        ref, rest = args[0], args[1:]
        obj = self.object(of, ref)
        relation = self.derived.get((of.name, field.name))
        if relation is not None:
            self.write_derived(relation.owner_cls, relation.owner_field, ref, message.verb, rest[0])
            return
        getattr(self, f"do_{message.verb}")(of, ref, obj, field, *rest)

    def write_derived(self, cls: str, name: str, ref: str, verb: str, value: Any) -> None:
        for owner, row in self.objects[cls].items():
            named = ref in as_list(row[name]) or ref == row[name]
            wanted = owner in as_list(value) or (verb == "add" and named)
            if verb == "remove":
                wanted = named and owner not in as_list(value)
            if named != wanted:
                many = isinstance(row[name], list)
                kept = [each for each in as_list(row[name]) if each != ref]
                row[name] = ([*kept, ref] if wanted else kept) if many else (ref if wanted else NULL)

    def do_set(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        obj[field.name] = value

    def do_add(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        if value not in obj[field.name]:
            obj[field.name] = [*obj[field.name], value]

    def do_remove(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        obj[field.name] = [each for each in obj[field.name] if each != value]

    def do_add_to(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, key: Any, value: Any) -> None:
        if key in obj[field.name]:
            if "other_params" in self.tastes:
                raise Refusal("MAP_DUPLICATE_KEY", str(key))
            raise Refusal("MAP_DUPLICATE_KEY", of.name, field.name, ref, str(key))
        obj[field.name] = {**obj[field.name], key: value}

    def do_remove_from(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, key: Any) -> None:
        obj[field.name] = {k: v for k, v in obj[field.name].items() if k != key}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
