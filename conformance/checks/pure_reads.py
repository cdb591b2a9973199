"""Level 4, pure reads: getters change nothing.

An object is read whole, every getter, listing and look-up is called over every format, and the object is read whole
again: what stands still by the table of models/lasting.py is as before. Where it is not, the messages are called once
more, one by one, to name the one that did it. Watched with it are what it is bound to, an elder of its class, and which
objects the class lists; among the calls are such as fail, for they name what is not there.

For each format the object is filled anew, and its getters are asked first: what a record spoils but once shows so.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import TypeAlias

from xenconform.conformance.checks.awkward import fill, put_back_later, settable
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, show
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.snapshots import Record, changes, has_objects
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Field, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import lasting_fields, stands
from xenconform.models.profiles import Scope
from xenconform.models.query import where_message
from xenconform.models.types import NULL_REF, RefTo, SetOf
from xenconform.models.values import Ref, Value

CLAUSE = "STATE-READ-ONLY-READS"
NEIGHBOURS = 2
"""So many objects at the far ends of an object's bound fields are watched with it."""
SURE = 8
"""How many times in a row a getter has to add an object, before it is believed that it was the getter."""
FULL = 3
"""The kind of the values that elders are full of (checks/awkward.py)."""
FULLS = (4, 3, 2)
"""The kinds of the values that the object is full of, by the turn of the format: none has empty collections."""
SHOWN = 3
"""How many differences a finding tells."""
Way: TypeAlias = "tuple[Obj, bool]"
"""An object, and whether it is looked at by the getters of what clients write, or else by its record."""
Look: TypeAlias = "dict[Way, tuple[Record, Exchange]]"
"""What was seen of each object, and the last exchange that told it."""


def is_read(_api: Api, of: ApiClass) -> bool:
    """Whether objects of the class can be read."""
    return has_objects(of)


def getters_change_nothing(bench: Bench, of: ApiClass) -> None:
    """Getters, listings and look-ups leave an object and its neighbours as they were. Source: introduction.

    The object is ours, full of values that a careless getter would tidy up; where none can be made, one that is there.
    """
    with ExitStack() as afterwards:
        watched = Watched(bench, of, afterwards)
        for fmt in bench.formats:
            with bench.judging(CLAUSE, of.name, fmt) as judge:
                _judge(watched, judge, fmt)


class Watched:
    """An object that is read, found when first asked for, and the objects that it is bound to.

    What is written of an object that is not ours is put back with `afterwards`.
    """

    def __init__(self, bench: Bench, of: ApiClass, afterwards: ExitStack) -> None:
        self.bench, self.of, self._afterwards = bench, of, afterwards
        self._obj: Obj | None = None
        self._filled = True
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
                self._obj = self.bench.stock.make(self.of.name)
            except Unavailable:
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
        """Fill the object with what a careless read would tidy up."""
        obj = self.obj
        if self._filled:
            fill(self.bench, self.of, obj, FULLS[self.bench.formats.index(fmt) % len(FULLS)])

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
        """Return what is seen of the object, by its getters first, and of its neighbours."""
        return self.by_getters(fmt) | self.records(fmt)

    def records(self, fmt: Format) -> Look:
        """Return the records of the object and of those neighbours that can be read."""
        found: Look = {(self.obj, False): self._record(fmt, self.obj)}
        for each in self._neighbours:
            with suppress(Unanswered, Unavailable):
                found[each, False] = self._record(fmt, each)
        return found

    def by_getters(self, fmt: Format) -> Look:
        """Return what the getters of what clients write say, the last field first over every other format."""
        fields = settable(self.bench, self.of)
        found, seen = dict[str, Value](), None
        for field in reversed(fields) if self.bench.formats.index(fmt) % 2 else fields:
            with suppress(Unanswered, Unavailable):
                found[field.name], seen = self.bench.ask(fmt, f"{self.of.name}.get_{field.name}", self.obj.ref)
        return {(self.obj, True): (found, seen)} if seen is not None else {}

    def _record(self, fmt: Format, obj: Obj) -> tuple[Record, Exchange]:
        return self.bench.ask(fmt, f"{obj.cls}.get_record", obj.ref)

    def calls(self, fmt: Format) -> Iterator[tuple[str, tuple[Value, ...], Field | None]]:
        """Return every getter, listing and look-up with its arguments, and the field whose getter it is.

        Explicit getters, which may ask hardware, are called on objects of our own alone.
        """
        record = self._record(fmt, self.obj)[0]
        given: dict[str, tuple[Value, ...]] = {"get_all": (), "get_all_records": ()}
        given |= {f"get_by_{name}": (record[name],) for name in ("uuid", "name_label") if name in record}
        query = where_message(self.bench.api, f"{self.of.name}.get_all_records_where")
        if query is not None and query.full_name not in self.bench.profile.never:
            yield query.full_name, ("true",), None
        for name, message in self.of.messages.items():
            if not name.startswith("get_") or message.lifecycle.state is State.REMOVED:
                continue
            if message.full_name in self.bench.profile.never or not (message.implicit or self.obj.own):
                continue
            if name in given:
                yield message.full_name, given[name], None
            elif [param.type for param in message.params] == [RefTo(self.of.name)]:
                yield message.full_name, (self.obj.ref,), self.of.fields.get(message.field)

    def failing(self, fmt: Format) -> Iterator[tuple[str, tuple[Value, ...]]]:
        """Return getters and look-ups of what is not there, each over one format."""
        formats = self.bench.formats
        for at, (name, message) in enumerate(self.of.messages.items()):
            if formats[at % len(formats)] != fmt or not message.implicit or message.lifecycle.state is State.REMOVED:
                continue
            if name in {"get_by_uuid", "get_by_name_label"}:
                yield message.full_name, (str(uuid.uuid4()),)
            elif name.startswith("get_") and [param.type for param in message.params] == [RefTo(self.of.name)]:
                yield message.full_name, (unknown_ref(),)


def _judge(watched: Watched, judge: Judge, fmt: Format) -> None:
    read = watched.bench.other(fmt)
    watched.refill(fmt)
    try:
        before, listed = watched.read(read), watched.listed(read)
    except Unanswered as why:
        raise Unavailable(f"{why}; counted under GET-RECORD-AGREES") from why
    _call_all(watched, judge, fmt)
    after = watched.read(read)
    _judge_listing(watched, judge, fmt, listed)
    judge.asserted += 1
    wrong = _differences(watched, before, after)
    # What others write is no getter's doing: it would have to happen again, and not without the getters.
    if not all(obj.own for obj, _ in wrong):
        watched.refill(fmt)
        still, first = watched.read(read), watched.read(read)
        _call_all(watched, judge, fmt)
        again = watched.read(read)
        moved = {obj for obj, _ in _differences(watched, still, first)}
        later = {obj for obj, _ in _differences(watched, first, again)} - moved
        wrong = {way: said for way, said in wrong.items() if way[0].own or way[0] in later}
    for way, said in wrong.items():
        judge.fail(
            f"{way[0].cls} {way[0].ref} as it was before the getters of {watched.of.name} were called",
            f"{'; '.join(said[:SHOWN])}{_culprit(watched, fmt, way)}",
            before[way][1],
            after[way][1],
        )


def _judge_listing(watched: Watched, judge: Judge, fmt: Format, before: frozenset[Ref]) -> None:
    """Judge that the class lists the same objects; what others make is no getter's doing."""
    cls, read = watched.of.name, watched.bench.other(fmt)
    own = {obj.ref for obj in watched.bench.stock.made if obj.cls == cls}
    after = watched.listed(read)
    lost = sorted(own & (before - after))
    judge.true(not lost, f"the {cls} of ours listed as before", f"without {show(tuple(lost))}")
    if after <= before:
        return
    every = (*((message, args) for message, args, _ in watched.calls(fmt)), *watched.failing(fmt))
    for message, args in every:
        if _makes_one(watched, fmt, message, args):
            judge.fail(f"no more {cls} listed than before", f"{message} adds one each time that it is called")
            return


def _makes_one(watched: Watched, fmt: Format, message: str, args: tuple[Value, ...]) -> bool:
    """Whether a message adds to what its class lists each time that it is called, and nobody else does between."""
    bench, read = watched.bench, watched.bench.other(fmt)
    for at in range(SURE):
        *still, before = (watched.listed(read) for _ in range(at + 2))  # in no step with whoever comes by regularly
        if any(each != before for each in still):
            return False
        with suppress(Unavailable):
            bench.call(fmt, message, *args, probe=True)
        if watched.listed(read) <= before:
            return False
    return True


def _call_all(watched: Watched, judge: Judge, fmt: Format) -> None:
    """Call everything that reads; a getter that is called twice says the same."""
    bench = watched.bench
    lasting = lasting_fields(bench.api, watched.of, own=True) if watched.obj.own else ()
    for message, args, field in tuple(watched.calls(fmt)):
        with suppress(Unavailable):
            first = bench.call(fmt, message, *args)
            if field is None or field not in lasting or not isinstance(first.reply.outcome, Success):
                continue
            second = bench.call(fmt, message, *args)
            if isinstance(second.reply.outcome, Success):
                one, two = first.reply.outcome.value, second.reply.outcome.value
                same = stands(watched.of, field, one, two)
                judge.true(same, f"{message} gives {show(one)} again", show(two), first, second)
    for message, args in watched.failing(fmt):
        with suppress(Unavailable):
            bench.call(fmt, message, *args, probe=True)


def _differences(watched: Watched, before: Look, after: Look) -> dict[Way, list[str]]:
    """Return, for each object that is not as it was, what changed; what its record shows is told but once."""
    api, found = watched.bench.api, {}
    for way in sorted(before.keys() & after.keys(), key=lambda each: each[1]):
        obj, by_getters = way
        said = list(changes(api, api.classes[obj.cls], before[way][0], after[way][0], own=obj.own))
        if said and not (by_getters and (obj, False) in found):
            found[way] = said
    return found


def _culprit(watched: Watched, fmt: Format, way: Way) -> str:
    """Return, as a remark, the first message whose call alone changes an object, "" where none does any more."""
    bench, read = watched.bench, watched.bench.other(fmt)
    calls = [each[:2] for each in watched.calls(fmt)]
    look = watched.by_getters if way[1] else watched.records
    watched.refill(fmt)
    if way[1] and way in _differences(watched, look(read), look(read)):
        return " (its getters alone do it)"
    for message, args in (*calls, *watched.failing(fmt)):
        with suppress(Unavailable, Unanswered):
            before = look(read)
            bench.call(fmt, message, *args, probe=True)
            if way in _differences(watched, before, look(read)):
                return f" (called alone, {message} does it)"
    return ""


CHECKS = (Check(CLAUSE, per_class=getters_change_nothing, applies=is_read),)
