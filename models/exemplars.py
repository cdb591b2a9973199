"""What a server is given to make an object: a complete record or complete parameters, and other values of a field.

The base values are models/data/exemplars.toml; a profile overrides single fields and narrows their domains.
"""

from __future__ import annotations

import re
import tomllib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Constructor, Qualifier
from xenconform.models.profiles import Domain, Profile
from xenconform.models.types import Type
from xenconform.models.values import Value, default_of, null

_FILE = Path(__file__).parent / "data" / "exemplars.toml"
_SPACE = uuid.UUID("8d0e5bd2-3b44-4d0f-9c6f-0b9f2f6e3a11")
_STEPS_SHOWN = 5
_DECIMAL = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Need:
    """A place in a record that an object must fill.

    `prefer_existing`: one that is there is taken before a new one is made. `as_uuid`: its uuid is written, as text,
    in place of its reference.
    """

    cls: str
    prefer_existing: bool = False
    as_uuid: bool = False


@cache
def base() -> Mapping[str, Mapping[str, object]]:
    """Return the base exemplars as the file has them: class, then field or parameter, to a value or template."""
    return tomllib.loads(_FILE.read_text("utf-8"))


def constructor_of(api: Api, profile: Profile, cls: str) -> Constructor | None:
    """Return the constructor to make objects of a class with: the first that the profile allows, None without one."""
    allowed = (each for each in api.classes[cls].constructors if each.message.full_name not in profile.never)
    return next(allowed, None)


def exemplar(
    api: Api, profile: Profile, cls: str, n: int, *, tag: str = "xc", constructor: Constructor | None = None
) -> dict[str, Value]:
    """Return what a constructor is given for object number `n`, by field (implicit create) or by parameter name.

    Values are typed. Where an object is needed there is a `Need`, inside sets and maps too. Fields that no exemplar
    names get their published default, or a plain value: text `TAG-N`, empty collections, an object without which
    there is no default.

    Args:
        api: the model.
        profile: overrides, and which constructors are allowed.
        cls: the class.
        n: the object's number, from 1: unique names and addresses follow from it.
        tag: marks the objects of one run.
        constructor: which one; the first that the profile allows if not given.

    Raises:
        ValueError: the class has no such constructor, or an exemplar's value is not of the type; the text says which.
    """
    chosen = constructor or constructor_of(api, profile, cls)
    if chosen is None:
        raise ValueError(f"{cls} has no constructor that profile {profile.name} allows")
    found: dict[str, Value] = {}
    for name, (of, default) in _places(api.classes[cls], chosen).items():
        given = _given(profile, cls, name)
        found[name] = typed(of, given, n, tag=tag) if given is not None else _unnamed(of, default, n, tag)
    return found


def alternatives(api: Api, profile: Profile, cls: str, field: str, *, n: int = 1, tag: str = "xc") -> tuple[Value, ...]:
    """Return values of a field within its domain, the plainest first, none where the domain is free or skipped.

    A field without a domain of its own takes every value of its type: draw it. A fixed field has one value, its
    exemplar's. Bounds give both ends and values between them; patterns give their examples.
    """
    domain, of = profile.domain(cls, field), api.classes[cls].fields[field].type
    if domain.is_free or domain.skip:
        return ()
    if domain.fixed:
        given = _given(profile, cls, field)
        return (default_of(of) if given is None else typed(of, given, n, tag=tag),)
    listed = domain.values if domain.values is not None else domain.examples
    found = tuple(typed(of, each, n, tag=tag) for each in listed) or _between(of, domain)
    return tuple(each for at, each in enumerate(found) if each not in found[:at])


def variables(n: int, tag: str) -> Mapping[str, str]:
    """Return what the names in a template stand for, for object number `n` of a run."""
    low = n % 2**24
    return {
        "n": str(n),
        "tag": tag,
        "slot": str(n % 7),
        "octet": str(1 + n % 254),
        "vlan": str(1 + n % 4094),
        "mac": f"{low >> 16:02x}:{low >> 8 & 255:02x}:{low & 255:02x}",
        "uuid": str(uuid.UUID(bytes=uuid.uuid5(_SPACE, f"{tag}/{n}").bytes, version=4)),
    }


def typed(of: Type, raw: object, n: int, *, tag: str = "xc") -> Value:
    """Return the typed value that a TOML value stands for, templates filled in.

    Raises:
        ValueError: it stands for no value of the type.
    """
    match of, raw:
        case t.SetOf(item), list():
            return tuple(typed(item, each, n, tag=tag) for each in raw)
        case t.MapOf(key, item), dict():
            return {typed(key, k, n, tag=tag): typed(item, each, n, tag=tag) for k, each in raw.items()}
        case t.Option(item), _:
            return typed(item, raw, n, tag=tag)
        case ((t.Str() | t.Int() | t.RefTo() | t.Enum()), str()):
            return _from_text(of, raw, variables(n, tag))
    convert = _EXACT.get(type(of), {}).get(type(raw))
    if convert is None:
        raise ValueError(f"expected a value of type {of}, got {raw!r}")
    return convert(raw)


def _as_instant(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _as_int(value: Any) -> int:
    if not t.INT_MIN <= value <= t.INT_MAX:
        raise ValueError(f"expected an int of 64 bits, got {value}")
    return int(value)


_EXACT: Mapping[type, Mapping[type, Callable[[Any], Value]]] = {
    t.Int: {int: _as_int},
    t.Float: {float: float, int: float},
    t.Bool: {bool: bool},
    t.DateTime: {datetime: _as_instant, date: lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC)},
}


def _from_text(of: Type, raw: str, names: Mapping[str, str]) -> Value:
    match of:
        case t.RefTo(cls):
            if raw == "@null":
                return null(cls)
            if raw not in {f"@{cls}", f"@{cls}?"}:
                raise ValueError(f'expected "@{cls}", "@{cls}?" or "@null", got "{raw}"')
            return Need(cls, prefer_existing=raw.endswith("?"))
        case t.Enum(name, allowed):
            if raw not in allowed:
                raise ValueError(f'expected one of the values of {name}: {", ".join(allowed)}; got "{raw}"')
            return raw
        case t.Str() if raw.startswith("@uuid:"):
            return Need(raw.removeprefix("@uuid:").removesuffix("?"), prefer_existing=raw.endswith("?"), as_uuid=True)
    text = raw
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    if not isinstance(of, t.Int):
        return text
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f'expected an int, got "{raw}"')
    return _as_int(int(text))


def _given(profile: Profile, cls: str, name: str) -> object:
    own = profile.exemplars.get(cls, {})
    return own[name] if name in own else base().get(cls, {}).get(name)


def _places(cls: ApiClass, constructor: Constructor) -> Mapping[str, tuple[Type, object]]:
    """Return each place of a constructor with its type and its published default, None where it has none."""
    if constructor.record:
        written = (each for each in cls.fields.values() if each.qualifier is not Qualifier.RUNTIME)
        return {each.name: (each.type, each.default if each.has_default else None) for each in written}
    return {each.name: (each.type, None) for each in constructor.message.params}


def _unnamed(of: Type, default: object, n: int, tag: str) -> Value:
    if isinstance(of, t.Str):
        return default or f"{tag}-{n}"
    if default is not None:
        return default
    return Need(of.cls) if isinstance(of, t.RefTo) else default_of(of)


def _between(of: Type, domain: Domain) -> tuple[Value, ...]:
    """Return values inside bounds: the lowest, the highest, and some between, each a multiple of the step."""
    if isinstance(of, t.Float):
        ends = [float(each) for each in (domain.minimum, domain.maximum) if each is not None]
        if domain.multiple_of is None:  # One more, which 32 bits do not hold exactly.
            width = ends[1] - ends[0] if len(ends) > 1 else 1.0 if domain.maximum is None else -1.0
            ends.append(ends[0] + width / 10)
        return tuple(ends)
    step = domain.multiple_of or 1
    first = None if domain.minimum is None else -(-int(domain.minimum) // step)
    last = None if domain.maximum is None else int(domain.maximum) // step
    low = first if first is not None else 0 if last is None else last - _STEPS_SHOWN
    high = last if last is not None else low + _STEPS_SHOWN
    chosen = (low, high, low + 1, (low + high) // 2, high - 1)
    return tuple(step * each for each in chosen if low <= each <= high)
