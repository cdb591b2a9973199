"""The first world of a reference server, read from models/data/seed.toml.

Laws: it has at least one object of every class that has objects; it is built by `World.create` and `World.write`
alone, so its bound fields are consistent; the same seed gives the same world.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.values import Handle, Value, null
from xenconform.models.world import World

Names = Mapping[tuple[str, str], Handle]


def seeded(api: Api, seed: int = 0) -> World:
    """Return the seeded world of a model; `seed` is the salt from which uuids are made."""
    world = World(api, salt=str(seed))
    objects = tuple(_objects(api))
    names: dict[tuple[str, str], Handle] = {}
    for cls, name, given in objects:
        plain = {key: value for key, value in given.items() if not t.refs_in(api.classes[cls].fields[key].type)}
        fields = api.classes[cls].fields
        branch = world.create(cls, {key: _typed(fields[key].type, value, {}) for key, value in plain.items()})
        world, names[cls, name] = branch.world, Handle(cls, branch.world.last)
    for cls, name, given in objects:
        for key, value in given.items():
            of = api.classes[cls].fields[key].type
            if t.refs_in(of):
                world = world.write(names[cls, name], key, _typed(of, value, names)).world
    return world


def _objects(api: Api) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield class, name and given fields of each object whose class the model has; fields it has not are left out."""
    data = tomllib.loads(files("xenconform.models").joinpath("data/seed.toml").read_text())
    for cls, named in data.items():
        of = api.classes.get(cls)
        if of is not None:
            for name, given in named.items():
                yield cls, name, {key: value for key, value in given.items() if key in of.fields}


def _typed(of: t.Type, value: Any, names: Names) -> Value:
    match of:
        case t.RefTo(cls):
            return names.get((cls, value), null(cls))
        case t.SetOf(item):
            return tuple(_typed(item, each, names) for each in value)
        case t.MapOf(key, item):
            return {_typed(key, k, names): _typed(item, v, names) for k, v in value.items()}
        case t.Int():
            return int(value)
        case t.Float():
            return float(value)
        case t.DateTime():
            return value.astimezone(UTC) if isinstance(value, datetime) else value
        case t.Enum(_, values) if value not in values:
            raise ValueError(f"{value!r} is no {of}; one of {', '.join(values)}")
        case _:
            return value
