"""Level 4, pure reads: getters change nothing.

An object is read whole, every getter, listing and look-up is called over every format, and the object is read whole
again: what stands still by the table of models/lasting.py is as before. Where it is not, the messages are called once
more, one by one, to name the one that did it. Watched with it are what it is bound to, an elder of its class, and which
objects the class lists; among the calls are such as fail, for they name what is not there.

For each format the object is filled anew, and its getters are asked first: what a record spoils but once shows so.
Beside it stands a bare one, which a getter may not fill with what it thinks is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, show
from xenconform.conformance.checks.lifecycle import has_power
from xenconform.conformance.checks.power_walk import Walk
from xenconform.conformance.checks.snapshots import changes, has_objects
from xenconform.conformance.checks.states import POWER
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.checks.watched import Look, Watched, Way
from xenconform.models.api import Api, ApiClass, State
from xenconform.models.calls import Format, Success
from xenconform.models.lasting import lasting_fields, stands
from xenconform.models.values import Ref, Value

CLAUSE = "STATE-READ-ONLY-READS"
SURE = 8
"""How many times in a row a getter has to change something, before it is believed that it was the getter."""
LONGEST = 1.0
"""Seconds that are waited at most to see whether others do what a call seems to do."""
STEP = 0.1
"""Seconds within which a look is moved, so that it keeps step with nobody."""
SHOWN = 3
"""How many differences a finding tells."""


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


def getters_leave_power_states(bench: Bench, of: ApiClass) -> None:
    """A VM that runs, is paused or is suspended is so after its getters were called too. Source: introduction.

    Its record and what is listed are read in each state, the other getters of one state each.
    """
    walk = Walk(bench, of)
    every = (m for m in of.messages.values() if m.implicit and m.verb == "get")
    getters = [m for m in every if m.lifecycle.state is not State.REMOVED]
    try:
        for at, (fmt, state) in enumerate(zip(bench.formats, POWER, strict=False)):
            with bench.judging(CLAUSE, f"{of.name} {state}", fmt) as judge:
                walk.reach(state)
                names = [m.full_name for m in getters[at :: len(POWER)] if m.full_name not in bench.profile.never]
                _judge_power(walk, judge, state, [f"{of.name}.get_record", f"{of.name}.get_power_state", *names])
    finally:
        walk.end()


def _judge_power(walk: Walk, judge: Judge, state: str, names: Sequence[str]) -> None:
    """Call getters of a VM in a state, and all listings; look twice, for a machine may stop by itself."""
    bench, vm, fmt = walk.bench, walk.vm.ref, Format(judge.format)
    listings = [name for name in ("get_all", "get_all_records") if name in walk.of.messages]
    for _ in range(2):
        walk.reach(state)
        lives, _ = bench.ask(bench.other(fmt), "VM.get_resident_on", vm)
        for name in names:
            bench.call(fmt, name, vm, probe=True)
        for name in listings:
            bench.call(fmt, f"{walk.of.name}.{name}")
        now, seen = walk.state(bench.other(fmt))
        still, lived = bench.ask(bench.other(fmt), "VM.get_resident_on", vm)
        if (now, still) == (state, lives):
            judge.true(True, "", "")
            return
    judge.fail(f"a VM {state} on {lives}, as before its getters were called", f"{now} on {still}", seen, lived)


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
        wrong = {
            way: said for way, said in wrong.items() if way[0].own or way[0] in later or _spoils(watched, fmt, way)
        }
    for way, said in wrong.items():
        judge.fail(
            f"{way[0].cls} {way[0].ref} as it was before the getters of {watched.of.name} were called",
            f"{'; '.join(said[:SHOWN])}{_culprit(watched, fmt, way)}",
            before[way][1],
            after[way][1],
        )


def _spoils(watched: Watched, fmt: Format, way: Way) -> bool:
    """Whether looking at an object changes what is seen of it each time, and no time that goes by without a look."""
    look = watched.by_getters if way[1] else watched.records
    read = watched.bench.other(fmt)
    for at in range(SURE):
        _fall_out_of_step(watched.bench, way[0].ref, at)
        watched.refill(fmt)
        begun = nature.now()
        first, second = look(read), look(read)
        took = nature.now() - begun
        watched.refill(fmt)
        nature.pause(took * (1 + at / SURE))  # the control, which waits for nothing
        if way not in _differences(watched, first, second) or way in _differences(watched, first, look(read)):
            return False
    return True


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


def _fall_out_of_step(bench: Bench, name: str, at: int) -> None:
    """Wait for some time or other: whoever comes by regularly is met by chance then, and not by each call."""
    nature.pause(STEP * (draw(bench.seed, "step", name, at) % 100) / 100)


def _makes_one(watched: Watched, fmt: Format, message: str, args: tuple[Value, ...]) -> bool:
    """Whether a message adds to what its class lists each time that it is called, and nobody else does between."""
    bench, read, took = watched.bench, watched.bench.other(fmt), 0.0
    for at in range(SURE):
        _fall_out_of_step(bench, message, at)
        first = watched.listed(read)
        nature.pause(took)  # who comes by in as long as the call takes is no call's doing
        *still, before = (watched.listed(read) for _ in range(at + 2))
        if any(each != before for each in (first, *still)):
            return False
        with suppress(Unavailable):
            took = min(LONGEST, bench.call(fmt, message, *args, probe=True).elapsed)
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


CHECKS = (
    Check(CLAUSE, per_class=getters_change_nothing, applies=is_read),
    Check(CLAUSE, per_class=getters_leave_power_states, applies=has_power),
)
