"""Python values as JSON that gives the very same values back.

The law: `from_plain(json.loads(json.dumps(to_plain(v))))` equals `v` and has its types, for every value of
`models.values` and for bytes and lists besides. What JSON has of its own stays as it is, with tuples as arrays, so
that a person can read a log; everything else is an object with one member, whose name starts with `$`.

| member | holds |
| --- | --- |
| `$bytes` | base64 of bytes |
| `$datetime` | ISO 8601 text |
| `$float` | `nan`, `inf` or `-inf` |
| `$handle` | class and number of a handle |
| `$int` | an integer beyond 64 bits, as hexadecimal text |
| `$list` | the items of a list, an array being a tuple |
| `$map` | pairs, where a key is not text or starts with `$` |
| `$other` | the `repr` of a value of no type above: read back as that text, the only loss |
| `$uuid` | class and number of the handle whose uuid it is |
| `$text` | base64 of text that has surrogates, each as three bytes, which JSON would join into pairs |
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from xenconform.models.types import INT_MAX, INT_MIN
from xenconform.models.values import Handle, UuidOf

_AS_IT_IS = frozenset({bool, type(None)})


def to_plain(value: object) -> Any:
    """Return the value in terms that `json.dumps` takes."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    writer = _WRITERS.get(kind) or next((_WRITERS[base] for base in kind.__mro__ if base in _WRITERS), None)
    return {"$other": repr(value)} if writer is None else writer(value)


def _text(value: str) -> Any:
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"$text": b64encode(value.encode(errors="surrogatepass")).decode()}
    return value


def _int(value: int) -> Any:
    return value if INT_MIN <= value <= INT_MAX else {"$int": hex(value)}


def _float(value: float) -> Any:
    return value if value - value == 0.0 else {"$float": repr(value)}


def _dict(value: dict[Any, Any]) -> Any:
    if all(isinstance(key, str) and key[:1] != "$" and key.isascii() for key in value):
        return {key: to_plain(item) for key, item in value.items()}
    return {"$map": [[to_plain(key), to_plain(item)] for key, item in value.items()]}


_WRITERS: dict[type, Callable[[Any], Any]] = {
    str: _text,
    int: _int,
    float: _float,
    tuple: lambda value: [to_plain(each) for each in value],
    dict: _dict,
    list: lambda value: {"$list": [to_plain(each) for each in value]},
    datetime: lambda value: {"$datetime": value.isoformat()},
    Handle: lambda value: {"$handle": [_text(value.cls), value.n]},
    UuidOf: lambda value: {"$uuid": [_text(value.handle.cls), value.handle.n]},
    bytes: lambda value: {"$bytes": b64encode(value).decode()},
}

_READERS: Mapping[str, Callable[[Any], object]] = {
    "$bytes": b64decode,
    "$datetime": datetime.fromisoformat,
    "$float": float,
    "$handle": lambda held: Handle(*from_plain(held)),
    "$int": lambda held: int(held, 16),
    "$list": lambda held: [from_plain(each) for each in held],
    "$map": lambda held: {from_plain(key): from_plain(item) for key, item in held},
    "$other": str,
    "$uuid": lambda held: UuidOf(Handle(*from_plain(held))),
    "$text": lambda held: b64decode(held).decode(errors="surrogatepass"),
}


def from_plain(plain: Any) -> Any:
    """Return the value that `to_plain` was given.

    Raises:
        ValueError: an object has a `$` member that is none of the table's.
    """
    if isinstance(plain, list):
        return tuple([from_plain(each) for each in plain])
    if not isinstance(plain, dict):
        return plain
    if len(plain) == 1:
        name, held = next(iter(plain.items()))
        if name in _READERS:
            return _READERS[name](held)
        if name[:1] == "$":
            raise ValueError(f"no marker of a value: {name!r}")
    return {key: from_plain(item) for key, item in plain.items()}
