"""What is watched while getters are called: an object full of values, one nearly empty, and what is around them.

Which messages read them is told here too; checks/pure_reads.py has what is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TypeAlias

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.awkward import EMPTY, LARGE, fill, put_back_later, settable
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.snapshots import Record
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass, Field, Message, State
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange
from xenconform.models.profiles import Scope
from xenconform.models.query import where_message
from xenconform.models.types import NULL_REF, DateTime, RefTo, SetOf
from xenconform.models.values import Ref, Value

NEIGHBOURS = 2
"""So many objects at the far ends of an object's bound fields are watched with it."""
FULL = 3
"""The kind of the values that elders are full of (checks/awkward.py)."""
EARLY, LATE = datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
"""Dates before and after that of everything."""
FULLS = (LARGE, 3, 2)
"""The kinds of the values that the object is full of, by the turn of the format: none has empty collections."""
Way: TypeAlias = "tuple[Obj, bool]"
"""An object, and whether it is looked at by the getters of what clients write, or else by its record."""
Look: TypeAlias = "dict[Way, tuple[Record, Exchange]]"
"""What was seen of each object, and the last exchange that told it."""
Calls: TypeAlias = "Iterator[tuple[str, tuple[Value, ...], Field | None]]"


class Watched:
    """An object that is read, found when first asked for, a bare one beside it, and the objects that it is bound to.

    The bare one has first what its constructor gave it, then nothing that can be taken away: a lazy getter fills it.
    What is written of an object that is not ours is put back with `afterwards`.
    """

    def __init__(self, bench: Bench, of: ApiClass, afterwards: ExitStack) -> None:
        self.bench, self.of, self._afterwards = bench, of, afterwards
        self._obj: Obj | None = None
        self._filled = True
        self._bare: Obj | None = None
        self._neighbours: tuple[Obj, ...] = ()

    @property
    def obj(self) -> Obj:
        """The object.

        Raises:
            Unavailable: there is none and none can be made.
        """
        if self._obj is None:
            elder: tuple[Obj, ...] = ()
            try:
                elder = (self.bench.stock.make(self.of.name),)
                fill(self.bench, self.of, elder[0], FULL)
                self._bare = self.bench.stock.make(self.of.name)
                self._obj = self.bench.stock.make(self.of.name)
            except Unavailable:
                self._bare = None
                self._obj, *_ = self.bench.stock.readable(self.of.name)
                self._filled = self._obj.own or self._may_fill(self._obj)
            self._neighbours = (*elder, *self._find_neighbours())
        return self._obj

    def _may_fill(self, obj: Obj) -> bool:
        """Whether an object that is not ours may be written; all of it is put back afterwards."""
        with suppress(Unavailable):
            if self.bench.profile.scope is not Scope.OWN:
                put_back_later(self.bench, self.of, obj, self._afterwards)
                return True
        return False

    def refill(self, fmt: Format) -> None:
        """Fill the object with what a careless read would tidy up, and empty the bare one; others' are emptied last."""
        obj, turn = self.obj, self.bench.formats.index(fmt)
        if self._filled:
            last = EMPTY if turn == len(FULLS) - 1 and self._bare is None else FULLS[turn % len(FULLS)]
            fill(self.bench, self.of, obj, last)
        if self._bare is not None and turn:
            fill(self.bench, self.of, self._bare, EMPTY)

    def listed(self, fmt: Format) -> frozenset[Ref]:
        """Return which objects the class lists; none where it lists none."""
        if "get_all" not in self.of.messages:
            return frozenset()
        return frozenset(self.bench.ask(fmt, f"{self.of.name}.get_all")[0])

    def _find_neighbours(self) -> Iterator[Obj]:
        """Return objects at the far ends of the object's bound fields."""
        assert self._obj is not None
        record = self._record(self.bench.formats[0], self._obj)[0]
        made = {(each.cls, each.ref) for each in self.bench.stock.made}
        seen: set[Ref] = {NULL_REF, "", self._obj.ref}
        ends = {end for r in self.bench.api.relations for end in (
            (r.owner_cls, r.owner_field), (r.derived_cls, r.derived_field))}  # fmt: skip
        for field in self.of.fields.values():
            match field.type:
                case RefTo(cls) | SetOf(RefTo(cls)) if (self.of.name, field.name) in ends:
                    value = record.get(field.name, ())
                    for ref in (value,) if isinstance(value, str) else value:
                        if ref not in seen and len(seen) < 3 + NEIGHBOURS and cls != "session":
                            seen.add(ref)
                            yield Obj(cls, ref, own=(cls, ref) in made)

    def read(self, fmt: Format) -> Look:
        """Return what is seen of the objects, by their getters first, and of the neighbours."""
        return self.by_getters(fmt) | self.records(fmt)

    def records(self, fmt: Format) -> Look:
        """Return the records of the objects and of those neighbours that can be read."""
        found: Look = {(self.obj, False): self._record(fmt, self.obj)}
        for each in (*self._beside(), *self._neighbours):
            with suppress(Unanswered, Unavailable):
                found[each, False] = self._record(fmt, each)
        return found

    def by_getters(self, fmt: Format) -> Look:
        """Return what the getters of what clients write say, the last field first over every other format."""
        found: Look = {}
        fields = settable(self.bench, self.of)
        for obj in (self.obj, *self._beside()):
            values, seen = dict[str, Value](), None
            for field in reversed(fields) if self.bench.formats.index(fmt) % 2 else fields:
                with suppress(Unanswered, Unavailable):
                    values[field.name], seen = self.bench.ask(fmt, f"{self.of.name}.get_{field.name}", obj.ref)
            if seen is not None:
                found[obj, True] = values, seen
        return found

    def _beside(self) -> tuple[Obj, ...]:
        return () if self._bare is None else (self._bare,)

    def _record(self, fmt: Format, obj: Obj) -> tuple[Record, Exchange]:
        return self.bench.ask(fmt, f"{obj.cls}.get_record", obj.ref)

    def calls(self, fmt: Format) -> Calls:
        """Return every getter, listing and look-up with its arguments, and the field whose getter it is.

        Explicit getters, which may ask hardware, are called on objects of our own alone; the bare one's getters are
        each called over one of the formats.
        """
        record = self._record(fmt, self.obj)[0]
        given: dict[str, tuple[Value, ...]] = {"get_all": (), "get_all_records": ()}
        given |= {f"get_by_{name}": (record[name],) for name in ("uuid", "name_label") if name in record}
        query = where_message(self.bench.api, f"{self.of.name}.get_all_records_where")
        if query is not None and query.full_name not in self.bench.profile.never:
            texts = ("true", f'field "uuid" = "{record["uuid"]}"') if "uuid" in record else ("true",)
            yield from ((query.full_name, (text,), None) for text in texts)
        turn, formats = self.bench.formats.index(fmt), len(self.bench.formats)
        if turn == 1 and self._bare is not None and "get_by_uuid" in self.of.messages:  # to it nothing was done but set
            with suppress(Unanswered, Unavailable):
                uuid, _ = self.bench.ask(fmt, f"{self.of.name}.get_uuid", self._bare.ref)
                yield f"{self.of.name}.get_by_uuid", (uuid,), None
        for at, message in enumerate(self._getters()):
            if message.name in given:
                yield message.full_name, given[message.name], None
            elif [param.type for param in message.params] == [RefTo(self.of.name)]:
                for obj in (self.obj, *(self._beside() if at % formats == turn else ())):
                    yield message.full_name, (obj.ref,), self.of.fields.get(message.field)
            elif not message.implicit:
                told = (self._told(message, record, date) for date in (EARLY, LATE))
                yield from ((message.full_name, args, None) for args in told if args is not None)

    def _told(self, message: Message, record: Record, date: datetime) -> tuple[Value, ...] | None:
        """Return arguments for a getter that asks for more than an object, None where the object tells not all of them.

        They are the object, what it says itself under a parameter's name, and the date.
        """
        args: list[Value] = []
        for param in message.params:
            if param.type == RefTo(self.of.name):
                args.append(self.obj.ref)
            elif isinstance(param.type, DateTime):
                args.append(date)
            elif param.name in record:
                args.append(record[param.name])
            else:
                return None
        return tuple(args)

    def _getters(self) -> Iterator[Message]:
        for name, message in self.of.messages.items():
            if not f"{name}_".startswith("get_") or message.lifecycle.state is State.REMOVED:
                continue
            if message.full_name not in self.bench.profile.never and (message.implicit or self.obj.own):
                yield message

    def failing(self, fmt: Format) -> Iterator[tuple[str, tuple[Value, ...]]]:
        """Return getters and look-ups of what is not there, each over one format."""
        formats = self.bench.formats
        for at, (name, message) in enumerate(self.of.messages.items()):
            if formats[at % len(formats)] != fmt or not message.implicit or message.lifecycle.state is State.REMOVED:
                continue
            if name in {"get_by_uuid", "get_by_name_label"}:
                yield message.full_name, (nature.new_uuid(),)
            elif name.startswith("get_") and [param.type for param in message.params] == [RefTo(self.of.name)]:
                yield message.full_name, (unknown_ref(),)
