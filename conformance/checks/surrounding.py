"""Objects of ours to which others of ours refer: what is bound to an object shows at it, and may follow it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Field, Message, State
from xenconform.models.calls import Success
from xenconform.models.types import RefTo, SetOf
from xenconform.models.values import Ref

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench


@dataclass(frozen=True, slots=True)
class Holder:
    """A constructor's value, `name`, that makes an object of class `cls` refer to one of class `target`."""

    cls: str
    name: str
    field: str
    target: str


def is_destroyed(_api: Api, of: ApiClass) -> bool:
    """Whether the model knows how an object of the class is made and how it is ended."""
    return bool(of.constructors) and bool(of.destructor)


def holders(api: Api, of: ApiClass) -> Iterator[Holder]:
    """Return each way to make an object that refers, by a field that owns the reference, to one of this class."""
    derived = {(r.derived_cls, r.derived_field) for r in api.relations}
    for cls in api.classes.values():
        if not is_destroyed(api, cls):
            continue
        for name, field in given_fields(cls):
            if field.type == RefTo(of.name) and (cls.name, field.name) not in derived:
                yield Holder(cls.name, name, field.name, of.name)


def takers(bench: Bench, of: ApiClass) -> Iterator[tuple[ApiClass, Field, Message]]:
    """Return each field that may be made to refer to an object of a class, with the message that sets or adds it."""
    for cls in bench.api.classes.values():
        for field in cls.fields.values():
            setter = cls.messages.get(f"set_{field.name}") or cls.messages.get(f"add_{field.name}")
            if setter is None or field.type not in {RefTo(of.name), SetOf(RefTo(of.name))} or len(setter.params) != 2:
                continue
            if setter.lifecycle.state is not State.REMOVED and setter.full_name not in bench.profile.never:
                yield cls, field, setter


@contextmanager
def surrounded(bench: Bench, of: ApiClass, count: int, ref: Ref = "") -> Iterator[list[Obj]]:
    """Make objects that refer to one of ours, `count` by each field that can, and give them; they end with the block.

    `ref` names the object; without it one is made where that can be.
    """
    made: list[Obj] = []
    with suppress(Unavailable):
        if not ref and of.constructors and of.destructor:
            made.append(bench.stock.make(of.name))
    target = ref or (made[0].ref if made else "")
    for holder in holders(bench.api, of) if target else ():
        with suppress(Unavailable):
            for _ in range(count):
                exchange = bench.stock.try_make(holder.cls, {holder.name: target})
                if not isinstance(exchange.reply.outcome, Success):
                    break
                made.append(bench.stock.adopt(holder.cls, exchange))
    try:
        yield made if ref else made[1:]
    finally:
        for obj in reversed(made):
            bench.stock.remove(obj)
