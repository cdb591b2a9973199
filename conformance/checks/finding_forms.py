"""Level 3, uuids themselves: what they look like, and that no two objects share one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from weakref import WeakKeyDictionary

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.births import DCE
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.destroying import own_targets
from xenconform.conformance.checks.finding import has_uuid, neighbours, several, uuid_of
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, show
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref

FORM = "32 hex digits in groups of 8-4-4-4-12"
NEW = 4
"""So many objects are made to look at their uuids: a mistake may spare the first ones."""


def uuids_have_their_form(bench: Bench, of: ApiClass) -> None:
    """Uuids are in OSF DCE form, and unique. Source: wire protocol page.

    Judged are all objects of the class, and whether those of ours share one with an object that they refer to.
    """
    for fmt in bench.formats:
        with bench.judging("UUID-FORM", of.name, fmt) as judge:
            for obj in several(bench, of):
                text, exchange = uuid_of(bench, fmt, of.name, obj.ref)
                judge.true(bool(DCE.fullmatch(text)), FORM, show(text), exchange)
            if "get_all_records" in of.messages:
                records, exchange = bench.ask(fmt, f"{of.name}.get_all_records")
                texts = [str(record.get("uuid")) for record in records.values()]
                bad = [text for text in texts if not DCE.fullmatch(text)]
                judge.true(not bad, FORM, show(bad[:3]), exchange)
                twice = [text for text, count in Counter(map(str.lower, texts)).items() if count > 1]
                judge.true(not twice, "each uuid once", f"more than once: {twice[:3]}", exchange)
            if fmt == bench.formats[0]:
                _new_ones_have_their_form(bench, judge, of, fmt)
                _no_uuid_is_shared(bench, judge, of, fmt)
                if "get_all_records" in of.messages:
                    _no_other_class_has_it(bench, judge, of, (dict(zip(texts, records, strict=True)), exchange))


def _new_ones_have_their_form(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Judge the uuids of several new objects, all there at the same time."""
    crowd: list[Obj] = []
    with suppress(Unavailable):
        while len(crowd) < NEW:
            crowd.append(bench.stock.make(of.name))
    for over in in_turn(bench, of):
        with suppress(Unavailable):
            crowd.append(made_by_task(bench, of, over))
    for obj in crowd:
        text, exchange = uuid_of(bench, fmt, of.name, obj.ref)
        judge.true(bool(DCE.fullmatch(text)), FORM, show(text), exchange)
        bench.stock.remove(obj)


COUNTED = ("network", "secret")
"""Of these classes new objects are made, whatever the class that is judged."""
_KNOWN: WeakKeyDictionary[Bench, dict[str, str]] = WeakKeyDictionary()
"""The uuids of a run's server, each with the class of its object, as they were when they were first asked for."""


def _no_other_class_has_it(bench: Bench, judge: Judge, of: ApiClass, told: tuple[dict[str, Ref], Exchange]) -> None:
    """Judge that no object of another class has the uuid of one of this; those that a client chooses are left out."""
    if bench not in _KNOWN:
        _KNOWN[bench] = {**dict(_all_uuids(bench)), **dict(_new_uuids(bench))}
    uuids, exchange = told
    known = _KNOWN[bench]
    shared = [] if _is_given(of) else [text for text in uuids if known.get(text, of.name) != of.name]
    known.update({text: of.name for text in uuids if text not in known} if not _is_given(of) else {})
    said = f"{shared[:3]}, as objects of {[known[text] for text in shared[:3]]}" if shared else ""
    judge.true(not shared, f"no uuid of an object of another class than {of.name}", said, exchange)


def _all_uuids(bench: Bench) -> Iterator[tuple[str, str]]:
    for of in bench.api.classes.values():
        if has_uuid(bench.api, of) and "get_all_records" in of.messages and not _is_given(of):
            outcome = bench.call(bench.formats[0], f"{of.name}.get_all_records").reply.outcome
            for record in outcome.value.values() if isinstance(outcome, Success) else ():
                yield str(record.get("uuid")), of.name


def _new_uuids(bench: Bench) -> Iterator[tuple[str, str]]:
    """Make some objects of two plain classes, and return the uuids that they have."""
    for cls in COUNTED:
        with suppress(Unavailable, Unanswered):
            made = [bench.stock.make(cls) for _ in range(NEW)]
            for obj in made:
                yield uuid_of(bench, bench.formats[0], cls, obj.ref)[0], cls
                bench.stock.remove(obj)


def _is_given(of: ApiClass) -> bool:
    """Whether a constructor of a class takes the uuid of what it makes."""
    return any(param.name == "uuid" for each in of.constructors for param in each.message.params)


def _no_uuid_is_shared(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Judge that a new object of ours, and each new one that it refers to, have different uuids."""
    try:
        obj = bench.stock.make(of.name, own_targets(bench, of))
    except Unavailable:
        return
    text, exchange = uuid_of(bench, fmt, of.name, obj.ref)
    for name, other, seen in neighbours(bench, of, fmt, obj):
        judge.true(other != text, f"not the uuid of its {name}", show(text), exchange, seen)
    bench.stock.remove(obj)


CHECKS = (Check("UUID-FORM", per_class=uuids_have_their_form, applies=has_uuid),)
