"""Level 3, destructors: what is gone is gone everywhere, whoever ended it and whatever comes after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from xenconform.conformance.checks.aimed import takes_self, why_not, without_refs
from xenconform.conformance.checks.arguments import WRITING
from xenconform.conformance.checks.asking import query
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.destroying import destroy, destroy_as_task, reader, value_of
from xenconform.conformance.checks.fields import getters, write_some
from xenconform.conformance.checks.judging import Judge, Unavailable
from xenconform.conformance.checks.opening import another_session
from xenconform.conformance.checks.querying import is_listed
from xenconform.conformance.checks.stirring import explicit_of
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.surrounding import is_destroyed, takers
from xenconform.conformance.client import UNSET
from xenconform.models.api import ApiClass, Message, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF, RefTo, SetOf
from xenconform.models.values import Value


def destroyed_is_gone(bench: Bench, of: ApiClass) -> None:
    """After destroy every call with the ref fails, and no listing or look-up shows the object. Source: introduction.

    All that is asked afterwards is asked before as well: what a server keeps for later it keeps when it is first asked.
    """
    turns = list(in_turn(bench, of))
    for at, fmt in enumerate(bench.formats):
        with bench.judging("DESTROY-GONE", of.name, fmt) as judge:
            obj = bench.stock.make(of.name)
            record = _asked_before(bench, of, obj, bench.formats, at)
            write_some(bench, of, fmt, obj)  # What was written may be written once more.
            gone = destroy(bench, fmt, obj)
            _every_call_fails(bench, judge, (of, at), obj)
            _every_write_fails(bench, judge, (of, at), (obj, record))
            _no_list_shows(bench, judge, of, (obj, record, bench.formats), gone)
            if fmt in turns:
                _is_no_newcomer(bench, judge, of, obj, fmt)
    for fmt in turns:
        _nobody_takes_it(bench, of, fmt)
        with bench.judging("DESTROY-GONE", of.name, fmt) as judge, suppress(Unavailable):
            judge.asserted += 1
            _in_its_place(bench, judge, of, fmt)
            _gone_by_others(bench, judge, of, fmt)


def _nobody_takes_it(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Give the ref of an object that is gone, and that others were bound to, to what sets or adds such a ref."""
    for cls, field, setter in takers(bench, of):
        with suppress(Unavailable), bench.judging("DESTROY-GONE", of.name, fmt) as judge:
            judge.asserted += 1
            holder, obj = bench.stock.own(cls.name), bench.stock.make(of.name, fmt=fmt)
            was = value_of(bench, fmt, f"{cls.name}.get_{field.name}", holder.ref)
            many = isinstance(field.type, SetOf) and setter.verb == "set"
            bench.call(fmt, setter.full_name, holder.ref, (obj.ref,) if many else obj.ref)
            bench.call(fmt, f"{cls.name}.set_{field.name}", holder.ref, was)
            if not bench.stock.remove(obj):
                continue
            seen = bench.call(fmt, setter.full_name, holder.ref, (obj.ref,) if many else obj.ref, probe=True)
            if not judge.refused(seen, f"{setter.full_name} to a destroyed object"):
                bench.call(fmt, f"{cls.name}.set_{field.name}", holder.ref, was, probe=True)


def _is_no_newcomer(bench: Bench, judge: Judge, of: ApiClass, obj: Obj, fmt: Format) -> None:
    """Make another object, which may have the place of one that is gone: that is read as little as before."""
    newcomer = bench.stock.make(of.name, fmt=fmt)
    for name in ("get_record", *[message.partition(".")[2] for _, message in getters(of)][:2]):
        if name in of.messages:
            seen = bench.call(bench.other(fmt), f"{of.name}.{name}", obj.ref, probe=True)
            judge.refused(seen, f"{of.name}.{name} of a destroyed object when another was made since")
    bench.stock.remove(newcomer)


def _in_its_place(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Let another object come as soon as one has gone, before anybody looks: as many are there as were before.

    Raises:
        Unavailable: none can be made.
    """
    obj = bench.stock.make(of.name)
    record = _asked_before(bench, of, obj, bench.formats)
    gone = destroy(bench, fmt, obj)
    newcomer = bench.stock.make(of.name, fmt=fmt)
    _no_list_shows(bench, judge, of, (obj, record, bench.formats), gone)
    for listing in ("get_all", "get_all_records") if "get_all" in of.messages else ():
        shown, seen = bench.ask(fmt, f"{of.name}.{listing}")
        with bench.judging("GET-ALL-AGREES", of.name, fmt) as other:
            expected = f"{newcomer.ref}, which was made as soon as another had gone, in {listing}"
            other.true(newcomer.ref in shown, expected, "it is not there", gone, seen)
    bench.stock.remove(newcomer)


def _gone_by_others(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Let a task destroy an object, and another session one that this one read, and the other way round.

    Raises:
        Unavailable: none can be made.
    """
    obj = bench.stock.make(of.name)
    over = tuple(dict.fromkeys((fmt, bench.other(fmt))))
    record = _asked_before(bench, of, obj, over)
    _no_list_shows(bench, judge, of, (obj, record, over), destroy_as_task(bench, fmt, obj))
    read = f"{of.name}.{'get_record' if 'get_record' in of.messages else reader(bench, of.name)}"
    with another_session(bench, fmt) as session:
        for ours in (False, True):
            obj = bench.stock.make(of.name)
            here, there = (session, UNSET) if ours else (UNSET, session)
            bench.call(fmt, read, obj.ref, session=here)
            gone = bench.call(fmt, f"{of.name}.{of.destructor}", obj.ref, session=there)
            if not isinstance(gone.reply.outcome, Success):
                return
            bench.stock.forget(obj)
            seen = bench.call(fmt, read, obj.ref, probe=True, session=here)
            judge.refused(seen, f"{read} in a session of what another session destroyed")


def _getters(bench: Bench, of: ApiClass, shift: int) -> Iterator[tuple[str, Format]]:
    """Return each getter with the format over which it has its turn: each has another one for another shift."""
    for number, (_, message) in enumerate(getters(of)):
        yield message, bench.formats[(number + shift) % len(bench.formats)]


def _asked_before(
    bench: Bench, of: ApiClass, obj: Obj, formats: Sequence[Format], shift: int | None = None
) -> dict[str, Value]:
    """Find an object in every way over some formats; return its record, as far as it can be read.

    With a `shift` by all its getters too, each over the format that `_every_call_fails` asks it over.
    """
    shown: dict[str, Value] = {}
    for message, turn in _getters(bench, of, shift) if shift is not None and bench.budget.boundaries else ():
        value_of(bench, turn, message, obj.ref)
    for fmt in formats:
        shown |= value_of(bench, fmt, f"{of.name}.get_record", obj.ref) or {}
        uuid, label = shown.get("uuid"), shown.get("name_label")
        if uuid is not None:
            value_of(bench, fmt, f"{of.name}.get_by_uuid", uuid)
            if is_listed(bench.api, of):
                query(bench, of, fmt, f'field "uuid" = "{uuid}"')
        if label is not None:
            value_of(bench, fmt, f"{of.name}.get_by_name_label", label)
        for listing in ("get_all", "get_all_records"):
            value_of(bench, fmt, f"{of.name}.{listing}")
    return shown


def _every_call_fails(bench: Bench, judge: Judge, at: tuple[ApiClass, int], obj: Obj) -> None:
    of, shift = at
    for message, turn in _getters(bench, of, shift):
        judge.refused(bench.call(turn, message, obj.ref, probe=True), f"{message} of a destroyed object")
    for fmt in bench.formats if "get_record" in of.messages else ():
        seen = bench.call(fmt, f"{of.name}.get_record", obj.ref, probe=True)
        judge.refused(seen, "get_record of a destroyed object")


def _writers(bench: Bench, of: ApiClass, shift: int) -> Iterator[tuple[Message, Format]]:
    """Return messages that write an object, or do something with it, each with a format; each for one shift alone.

    In a quick run one of each kind.
    """
    found = [
        message
        for message in of.messages.values()
        if takes_self(message) and message.verb in WRITING and message.lifecycle.state is not State.REMOVED
    ]
    found = [each for each in (*found, *explicit_of(bench, of.name)) if not why_not(bench, each)]
    if not bench.budget.boundaries:
        found = list({message.verb: message for message in found}.values())
    for number, message in enumerate(each for each in found[shift :: len(bench.formats)] if each.name != of.destructor):
        yield message, bench.formats[(number + shift) % len(bench.formats)]


def _every_write_fails(bench: Bench, judge: Judge, at: tuple[ApiClass, int], was: tuple[Obj, dict[str, Value]]) -> None:
    """Judge that what was an object is not written: it gets what it had or a plain value, and objects of ours alone."""
    (of, shift), (obj, record) = at, was
    for message, turn in _writers(bench, of, shift):
        given: list[Value] = []
        for param in message.params[1:]:
            target = param.type.cls if isinstance(param.type, RefTo) else ""
            ours = next(iter(sorted(bench.stock.known_refs(target))), NULL_REF)
            given.append(ours if target else without_refs(param.type))
        if message.verb == "set" and message.field in record and len(given) == 1:
            given = [record[message.field]]
        seen = bench.call(turn, message.full_name, obj.ref, *given, probe=True)
        judge.refused(seen, f"{message.full_name} of a destroyed object")


def _no_list_shows(
    bench: Bench,
    judge: Judge,
    of: ApiClass,
    was: tuple[Obj, dict[str, Value], Sequence[Format]],
    gone: Exchange,
) -> None:
    obj, record, formats = was
    uuid, label = record.get("uuid"), record.get("name_label")
    for fmt in formats:
        for name in ("get_all", "get_all_records"):
            if name in of.messages:
                listed, seen = bench.ask(fmt, f"{of.name}.{name}")
                judge.true(
                    obj.ref not in listed, f"{name} without the destroyed object", f"it shows {obj.ref}", gone, seen
                )
        if uuid is not None and "get_by_uuid" in of.messages:
            seen = bench.call(fmt, f"{of.name}.get_by_uuid", uuid, probe=True)
            judge.refused(seen, "get_by_uuid of a destroyed object's uuid")
        if uuid is not None and is_listed(bench.api, of):
            seen = query(bench, of, fmt, f'field "uuid" = "{uuid}"')
            for each in (seen, query(bench, of, fmt, "true")) if fmt is gone.format else (seen,):
                hits = each.reply.outcome.value if isinstance(each.reply.outcome, Success) else {}
                told = f"it shows {obj.ref}"
                judge.true(obj.ref not in hits, "a query without the destroyed object", told, gone, each)
        if label is not None and "get_by_name_label" in of.messages:
            found, seen = bench.ask(fmt, f"{of.name}.get_by_name_label", label)
            judge.true(
                obj.ref not in found, "a look-up without the destroyed object", f"it shows {obj.ref}", gone, seen
            )


CHECKS = (Check("DESTROY-GONE", per_class=destroyed_is_gone, applies=is_destroyed, also=("GET-ALL-AGREES",)),)
