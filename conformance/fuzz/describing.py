"""The OpenAPI description of the messages that do no harm, and the refs that may be given to each of them.

A message that reads gets objects of our own, or existing ones where there are none; one that writes gets objects of our
own alone; one whose values are not free, and that so must not be carried out, gets refs that no server has given out.
The names of the formats say which: `xenapi-read-VM`, `xenapi-write-VM`, `xenapi-none-VM`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from xenconform.conformance.checks.aimed import reads_by_name
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.fuzz.harmless import callable_messages, is_free, is_safe, waits
from xenconform.models.api import Message
from xenconform.models.openapi import ENDPOINT, describe
from xenconform.models.types import RefTo
from xenconform.models.values import Ref

EXISTING: Final = 3
"""So many existing objects of a class are read."""
_REF: Final = "xenapi-ref-"


@dataclass(slots=True)
class Refs:
    """Which refs stand for the objects of a class: `read`, `write` or `none`, by what the message does with them."""

    bench: Bench
    _found: dict[tuple[str, str], list[Ref]] = field(default_factory=dict)

    def one(self, use: str, cls: str, number: int) -> Ref:
        """Return one of the refs; a made-up one where there is no object to be given."""
        if (use, cls) not in self._found:
            self._found[use, cls] = list(self._look_up(use, cls)) or [unknown_ref()]
        found = self._found[use, cls]
        return found[number % len(found)]

    def _look_up(self, use: str, cls: str) -> Iterator[Ref]:
        with suppress(Unavailable, Unanswered):
            if use != "none":
                yield self.bench.stock.own(cls).ref
                return
        with suppress(Unavailable, Unanswered):
            if use == "read":
                yield from self.bench.stock.existing(cls)[:EXISTING]


def use_of(bench: Bench, message: Message) -> str:
    """Return what refs a message is given, "" where it is not to be called with values of any kind."""
    if waits(message):
        return ""
    if is_free(bench, message):
        return "read" if message.verb == "get" or reads_by_name(message) else "write"
    # Without a ref that must be somebody's it could be carried out.
    return "none" if any(isinstance(param.type, RefTo) for param in message.params) else ""


def description(bench: Bench, seed: int) -> dict[str, Any]:
    """Return the description of the messages that do no harm, in an order that the seed gives."""
    uses = {each.full_name: use_of(bench, each) for each in callable_messages(bench) if is_safe(bench, each)}
    names = sorted(name for name, use in uses.items() if use)
    Random(seed).shuffle(names)  # noqa: S311 - a run is to be repeated by its seed
    whole = describe(bench.api, sorted({name.partition(".")[0] for name in names}))
    paths: dict[str, Any] = {}
    for path, use in ((f"{ENDPOINT}#{name}", uses[name]) for name in names):
        operation = dict(whole["paths"][path]["post"])
        operation["requestBody"] = _renamed(operation["requestBody"], f"xenapi-{use}-")
        # Links lead to messages that may not be there.
        operation["responses"] = {
            status: {name: part for name, part in reply.items() if name != "links"}
            for status, reply in operation["responses"].items()
        }
        paths[path] = {"post": operation}
    return {**whole, "paths": paths}


def _renamed(part: Any, prefix: str) -> Any:
    """Return a part of a description whose formats of refs have another prefix."""
    match part:
        case dict():
            return {name: _renamed(each, prefix) for name, each in part.items()}
        case list():
            return [_renamed(each, prefix) for each in part]
        case str() if part.startswith(_REF):
            return prefix + part.removeprefix(_REF)
        case _:
            return part


def formats_of(part: Any) -> set[str]:
    """Return the formats of the project's own that a description names."""
    match part:
        case dict():
            named = {part["format"]} if str(part.get("format", "")).startswith("xenapi-") else set()
            return named.union(*map(formats_of, part.values()))
        case list():
            return set().union(*map(formats_of, part))
        case _:
            return set()
