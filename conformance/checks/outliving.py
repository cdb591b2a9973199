"""What is there before a restart: objects made and written in every way, and some ended, with all that was seen then.

What is judged after it is in checks/persistence.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.awkward import KINDS, SMALL, empty_out, fill, make_awkward, put_back_later
from xenconform.conformance.checks.bad_calls import refusals
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.findable import Ways, ways
from xenconform.conformance.checks.judging import Unanswered, Unavailable, unheard
from xenconform.conformance.checks.snapshots import Record, Records, Snapshot, has_objects, read_all, take
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.stops import take as make_stop
from xenconform.conformance.checks.surrounding import holders
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.checks.tasks_refused import spoilt_records
from xenconform.conformance.checks.watch import change
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import ENDING, has_not_ended, may_end
from xenconform.models.profiles import Scope
from xenconform.models.types import SetOf, refs_in
from xenconform.models.values import Ref, is_null_text, same

DESTROYED = 2
"""So many objects of a class are destroyed before, and so many made after: a server that counts on from the objects
it finds would give a ref again."""
ENDED, MADE, SET = LASTS = ("ended", "made", "set")
"""What is written last of a class before a restart: a server may write each thing when the next one comes."""
FEW = 8
"""Up to so many classes of a run are few."""
LOOKED_UP = 3
"""So many objects of a class are asked for in every way, before and after."""

Found: TypeAlias = "tuple[Records, tuple[Exchange, ...]] | Exception"
"""The records of a class with the exchanges that told them, or why there are none."""


@dataclass(slots=True)
class Kept:
    """What is to be there after a restart.

    `first` and `last` are what the server showed before and after our own objects were made, over the first format;
    `told` is `last` of the run's classes as each format told it, and `found` are the ways in which it found some of
    our own. `gone` are the objects that were destroyed then, with their last records, and `left` the records of what
    referred to them, as they were after that: a far end that still shows one is another clause's. `renamed` is an
    object by class with a label that it had once and is not found by any more; `refused` is by class the label of an
    object that the server refused to make.
    """

    bench: Bench
    first: Snapshot
    last: Snapshot
    told: dict[tuple[str, Format], Found] = field(default_factory=dict)
    found: dict[tuple[Ref, Format], Ways] = field(default_factory=dict)
    gone: dict[str, dict[Ref, Record]] = field(default_factory=dict)
    left: dict[str, Records] = field(default_factory=dict)
    renamed: dict[str, tuple[Ref, str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def own(self) -> set[tuple[str, Ref]]:
        """The objects that this run made."""
        return {(obj.cls, obj.ref) for obj in self.bench.stock.made}

    @property
    def classes(self) -> list[ApiClass]:
        """The run's classes, and those of which objects were made for them."""
        made = {obj.cls for obj in self.bench.stock.made}
        bench = self.bench
        return [of for of in bench.api.classes.values() if has_objects(of) and (of in bench.classes or of.name in made)]

    def moving(self, of: ApiClass, ref: Ref, busy: set[str]) -> set[str]:
        """Return the fields of an object that others, or a task's end, may change: they are not compared."""
        relations = [r for r in self.bench.api.relations if r.derived_cls == of.name and r.owner_cls in busy]
        found = {relation.derived_field for relation in relations}
        if of.name == "task" and has_not_ended(self.last[of.name][ref]):
            found |= ENDING
        if (of.name, ref) not in self.own:
            then, now = self.first[of.name][ref], self.last[of.name][ref]
            found |= {n for n, f in of.fields.items() if not same(f.type, then.get(n), now.get(n))}
        return found


def prepare(bench: Bench, turn: int, afterwards: ExitStack) -> Kept:
    """Make objects, write to them, destroy the newest; what is written last of a class goes by `turn`.

    The first of those that stay has what its constructor gave it and no more; the last is like the second in all that
    it is given, its name too.

    Objects that were there before are written, where they may be, before the first look at them.
    """
    fmt, classes = bench.formats[0], bench.classes
    for of in classes:
        if has_objects(of) and bench.profile.scope is not Scope.OWN and not _can_make(bench, of):
            with suppress(Unavailable):
                _write_existing(bench, of, afterwards)
    first = take(bench, fmt)
    for of in classes:
        with suppress(Unavailable):
            if of.constructors:
                make_awkward(bench, of, 1, written=False)
                empty_out(bench, of, bench.stock.make(of.name))
                for kind in (*range(KINDS), 0):
                    make_awkward(bench, of, kind)
    refused: dict[str, str] = {}
    for of in () if turn else classes:
        with suppress(Unanswered, Unavailable):
            refused |= {of.name: label} if (label := _refuse(bench, of)) else {}
    doomed = {of.name: _doomed(bench, of) for of in classes if of.constructors and of.destructor}
    gone: dict[str, dict[Ref, Record]] = {}
    for of in classes:
        gone[of.name] = _by_tasks(bench, of) if of.name in doomed else {}
        last = last_of(bench, of, turn)
        if last != ENDED:
            gone[of.name] |= _end(bench, doomed.pop(of.name, []), {})
            with suppress(Unanswered, Unavailable):
                _write_last(bench, of, last)
            if of.destructor and turn == rounds_of(bench) - 1 and _is_emptied(bench, of):
                gone[of.name] |= _empty(bench, of)
    renamed = {of.name: found for of in classes if not turn and (found := _renamed(bench, of)) is not None}
    kept = Kept(bench, first, take(bench, fmt), renamed=renamed, refused=refused)
    _look_around(kept)
    for cls, objs in doomed.items():
        gone[cls] |= _end(bench, objs, kept.last.get(cls, {}))
    kept.gone.update({cls: rows for cls, rows in gone.items() if rows})
    for of in kept.classes:
        if any(isinstance(f.type, SetOf) and refs_in(f.type) & kept.gone.keys() for f in of.fields.values()):
            with suppress(Unanswered, Unavailable):
                kept.left[of.name] = read_all(bench, of, fmt)[0]
    return kept


def rounds_of(bench: Bench) -> int:
    """Return how many restarts a run has: one of few classes has each last write, and one for what is gone."""
    if bench.budget.name == "quick":
        return 1
    return len(LASTS) + 1 if len(bench.classes) <= FEW else 2


def _is_emptied(bench: Bench, of: ApiClass) -> bool:
    """Whether a class is left without objects before the last restart; in a run of many classes one in three is."""
    drawn = len(bench.classes) <= FEW or draw(bench.seed, "emptied", of.name) % 3 == 0
    return drawn and set(bench.stock.all_refs(of.name)) <= {obj.ref for obj in bench.stock.made if obj.cls == of.name}


def _empty(bench: Bench, of: ApiClass) -> dict[Ref, Record]:
    """End our objects of a class, the newest first, and before them those of no class of the run that hold them."""
    made, run = tuple(reversed(bench.stock.made)), {each.name for each in bench.classes}
    holding = {each.cls for each in holders(bench.api, of)} - run
    _end(bench, (obj for obj in made if obj.cls in holding), {})
    return _end(bench, (obj for obj in made if obj.cls == of.name), {})


def _refuse(bench: Bench, of: ApiClass) -> str:
    """Make calls that must fail, whose journal must not be played; return the label of what was not made, if any."""
    obj, fmt = bench.stock.make(of.name), bench.formats[-1]
    fill(bench, of, obj, SMALL)
    for stop in refusals(bench, of, obj):
        if stop.writes is not None:
            make_stop(bench, fmt, stop)
    with suppress(Unavailable):
        holder = next(iter(holders(bench.api, of)), None)
        if holder is not None and of.destructor:
            bench.stock.make(holder.cls, {holder.name: obj.ref})
            ended = bench.call(fmt, of.messages[of.destructor].full_name, obj.ref, probe=True)
            if isinstance(ended.reply.outcome, Success):
                bench.stock.forget(obj)  # counted under DESTROY-REFERENCED
    return _refuse_record(bench, of, fmt)


def _refuse_record(bench: Bench, of: ApiClass, fmt: Format) -> str:
    """Have a record refused; return its label, "" where it has none or was taken."""
    constructor, given = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
    label = str(given.get("name_label", ""))
    if not (constructor.record and label and "get_by_name_label" in of.messages):
        return ""
    intact = (each for each in spoilt_records(bench, of, given) if each[0].get("name_label") == label)
    for spoilt, api, _ in islice(intact, 1):
        made = bench.call(fmt, constructor.message.full_name, spoilt, probe=True, api=api)
        if isinstance(made.reply.outcome, Success):
            bench.stock.remove(bench.stock.adopt(of.name, made))
        else:
            return label
    return ""


def _renamed(bench: Bench, of: ApiClass) -> tuple[Ref, str] | None:
    """Make an object and give it another label; return it with the one of before, None where that still finds it."""
    if not (of.constructors and {"set_name_label", "get_by_name_label", "get_name_label"} <= of.messages.keys()):
        return None
    with suppress(Unanswered, Unavailable):
        obj, fmt = bench.stock.make(of.name), bench.formats[0]
        label, _ = bench.ask(fmt, f"{of.name}.get_name_label", obj.ref)
        bench.ask(fmt, f"{of.name}.set_name_label", obj.ref, f"{label} renamed")
        if label and obj.ref not in bench.ask(fmt, f"{of.name}.get_by_name_label", label)[0]:
            return obj.ref, label
    return None


def _can_make(bench: Bench, of: ApiClass) -> bool:
    with suppress(Unavailable):
        bench.stock.own(of.name)
        return True
    return False


def last_of(bench: Bench, of: ApiClass, turn: int) -> str:
    """Return what is written last of a class before a restart: an end before the first, then the others in turn."""
    return LASTS[1 + (turn + draw(bench.seed, "last", of.name)) % 2] if turn else ENDED


def _doomed(bench: Bench, of: ApiClass) -> list[Obj]:
    """Make objects that are to be destroyed, the first full of values."""
    objs: list[Obj] = []
    with suppress(Unavailable):
        objs.extend(bench.stock.make(of.name) for _ in range(DESTROYED))
        fill(bench, of, objs[0], SMALL)
    return objs


def _end(bench: Bench, objs: Iterable[Obj], known: Records) -> dict[Ref, Record]:
    """End objects of ours; return those that are gone, with the records that they had."""
    gone: dict[Ref, Record] = {}
    for obj in objs:
        with suppress(Unanswered, Unavailable):
            record = known.get(obj.ref) or bench.ask(bench.formats[0], f"{obj.cls}.get_record", obj.ref)[0]
            if bench.stock.remove(obj):
                gone[obj.ref] = record
    return gone


def _by_tasks(bench: Bench, of: ApiClass) -> dict[Ref, Record]:
    """Have a task make an object that is to stay, and another one end an object, which is returned with its record."""
    fmt, judge = bench.formats[0], unheard(bench.formats[0])
    with suppress(Unanswered, Unavailable):
        constructor, given = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
        args = (given,) if constructor.record else tuple(given[p.name] for p in constructor.message.params)
        made = Async(bench, judge, fmt, constructor.message).run(*args)
        if made is not None and made.succeeded and not is_null_text(str(made.value)):
            bench.stock.adopt_ref(of.name, str(made.value))
        obj = bench.stock.make(of.name)
        record, _ = bench.ask(fmt, f"{of.name}.get_record", obj.ref)
        ended = Async(bench, judge, fmt, of.messages[of.destructor]).run(obj.ref)
        if ended is not None and ended.succeeded:
            bench.stock.forget(obj)
            return {obj.ref: record}
    return {}


def _write_last(bench: Bench, of: ApiClass, last: str) -> None:
    if last == MADE and of.constructors:
        bench.stock.make(of.name)
    elif last == SET and of.constructors:
        own = bench.stock.own(of.name)
        # The eldest may have been read from where it is kept, and is to be kept again.
        for obj in dict.fromkeys((next(each for each in bench.stock.made if each.cls == of.name), own)):
            change(bench, bench.formats[-1], obj)


def _look_around(kept: Kept) -> None:
    """Note what each format tells and finds before the restart."""
    for fmt in kept.bench.formats:
        for of in kept.classes:
            for ref in asked_for(kept, of, LOOKED_UP + DESTROYED):
                kept.found[ref, fmt] = ways(kept.bench, of, fmt, ref, kept.last[of.name][ref])
    for fmt in kept.bench.formats:
        for of in kept.classes:
            kept.told[of.name, fmt] = read(kept, of, fmt)


def asked_for(kept: Kept, of: ApiClass, count: int) -> list[Ref]:
    """Return so many of our newest objects of a class that are to stay."""
    lasting = [ref for ref in kept.last.get(of.name, ()) if (of.name, ref) in kept.own]
    return [] if may_end(of.name, own=True) else lasting[-count:]


def _write_existing(bench: Bench, of: ApiClass, afterwards: ExitStack) -> None:
    obj = bench.stock.writable(of.name)
    put_back_later(bench, of, obj, afterwards)
    fill(bench, of, obj, 2)


def read(kept: Kept, of: ApiClass, fmt: Format) -> Found:
    """Return what a class has, or why that cannot be told."""
    try:
        return read_all(kept.bench, of, fmt) if of.name in kept.last else ({}, ())
    except (Unanswered, Unavailable) as why:
        return why
