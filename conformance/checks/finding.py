"""Level 3, look-ups by uuid, and uuids themselves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import read_field
from xenconform.conformance.checks.destroying import value_of
from xenconform.conformance.checks.fields import write_some
from xenconform.conformance.checks.introduced import introducers, under
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal, result_of
from xenconform.conformance.checks.opening import another_session
from xenconform.conformance.checks.stock import TAG, Obj
from xenconform.models.api import Api, ApiClass, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF, RefTo
from xenconform.models.values import Ref

OTHERS = 3
"""The uuids of so many other classes are looked up in a class."""
ALONG = 3
"""So many objects are looked up that came along with others."""


def has_uuid(_api: Api, of: ApiClass) -> bool:
    """Whether objects of the class have a uuid that can be read and looked up."""
    return (
        "get_by_uuid" in of.messages and "uuid" in of.fields and bool({"get_uuid", "get_record"} & of.messages.keys())
    )


def uuid_of(bench: Bench, fmt: Format, cls: str, ref: Ref) -> tuple[str, Exchange]:
    """Read the uuid of an object by its getter, or out of the record where there is none."""
    of = bench.api.classes[cls]
    text, exchange = read_field(bench, of, of.fields["uuid"], fmt, ref)
    return str(text), exchange


def by_uuid_finds_the_object(bench: Bench, of: ApiClass) -> None:
    """get_by_uuid(get_uuid(r)) denotes the object r. Source: introduction, identity.

    Of what is there, of the newest, of several with no other call in between, and of those around one that was
    destroyed or renamed.
    """
    for fmt in bench.formats:
        with bench.judging("UUID-LOOKUP", of.name, fmt) as judge:
            found = several(bench, of)
            for obj in found:
                finds_by_uuid(bench, judge, of, (fmt, bench.other(fmt)), obj.ref)
            _finds_in_a_row(bench, judge, of, fmt, [obj.ref for obj in found])
            _finds_what_is_left(bench, judge, of, fmt)
            if fmt in in_turn(bench, of):
                _finds_what_others_made(bench, judge, of, fmt)
                _finds_who_has_it_already(bench, judge, of, fmt)
                for ref in _came_along(bench, of, fmt):
                    finds_by_uuid(bench, judge, of, (fmt, bench.other(fmt)), ref)


def _came_along(bench: Bench, of: ApiClass, fmt: Format) -> list[Ref]:
    """Return some objects that came along with what was made of other classes: a VM's metrics, the PIF of a VLAN."""
    told: list[Ref] = []
    for cls in bench.api.classes.values():
        fields = (f.name for f in cls.fields.values() if f.type == RefTo(of.name) and f.qualifier is Qualifier.RUNTIME)
        names = [name for name in fields if f"get_{name}" in cls.messages]
        with suppress(Unavailable):
            owner = bench.stock.own(cls.name).ref if names else ""
            seen = [bench.call(fmt, f"{cls.name}.get_{name}", owner).reply.outcome for name in names]
            told += [outcome.value for outcome in seen if isinstance(outcome, Success)]
    there = bench.stock.all_refs(of.name) if told else ()
    return [ref for ref in dict.fromkeys(told) if ref in there][:ALONG]


def _finds_in_a_row(bench: Bench, judge: Judge, of: ApiClass, fmt: Format, refs: list[Ref]) -> None:
    """Look up objects one right after another, and the first again: what was found last is not found again."""
    texts = [uuid_of(bench, fmt, of.name, ref)[0] for ref in refs]
    turns = [*zip(texts, refs, strict=True), (texts[0], refs[0])] if len(refs) > 1 else []
    for text, ref, seen in [(text, ref, bench.call(fmt, f"{of.name}.get_by_uuid", text)) for text, ref in turns]:
        found = seen.reply.outcome
        if isinstance(found, Success) and found.value != ref:
            _is_of_uuid(bench, judge, of, text, seen)


def _is_of_uuid(bench: Bench, judge: Judge, of: ApiClass, text: str, seen: Exchange) -> None:
    """Judge that an object that a look-up found is one of that uuid, though not by the ref that was expected."""
    found = result_of(seen)
    again, last = uuid_of(bench, seen.format, of.name, found)
    judge.true(again == text, f"the object of uuid {text}", f"{found} of uuid {again}", seen, last)


def finds_by_uuid(bench: Bench, judge: Judge, of: ApiClass, over: tuple[Format, Format], ref: Ref) -> None:
    """Judge that an object is found by its uuid, which is read over one format and looked up over another.

    Raises:
        Unanswered: the look-up fails.
    """
    fmt, look = over
    text, asked = uuid_of(bench, fmt, of.name, ref)
    seen = bench.call(look, f"{of.name}.get_by_uuid", text)
    if not isinstance(seen.reply.outcome, Success):
        uuid_of(bench, fmt, of.name, ref)  # Somebody else's object may have ended meanwhile.
        raise Unanswered(seen)
    found = seen.reply.outcome.value
    if found == ref:
        judge.asserted += 1
        return
    again, last = uuid_of(bench, fmt, of.name, found)
    judge.true(again == text, f"the object of uuid {text}", f"{found} of uuid {again}", asked, seen, last)


def _finds_what_is_left(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Look up, over the writing format, two objects of three of which the middle one was destroyed, one renamed."""
    made: list[Obj] = []
    with suppress(Unavailable):
        made.extend(bench.stock.make(of.name, fmt=fmt) for _ in range(3))
    if len(made) == 3 and bench.stock.remove(made[1]):
        if "set_name_label" in of.messages:
            bench.call(fmt, f"{of.name}.set_name_label", made[0].ref, f"{TAG} {nature.new_uuid()}")
        write_some(bench, of, fmt, made[0])
        # Where another one went along with the middle one, that is for DESTROY-NO-CASCADE.
        there = bench.stock.all_refs(of.name)
        for obj in (obj for obj in (made[0], made[2]) if obj.ref in there):
            finds_by_uuid(bench, judge, of, (bench.other(fmt), fmt), obj.ref)
        del made[1]
    for obj in made:
        bench.stock.remove(obj)


def _finds_what_others_made(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Look up, in another session, an object that this one made; and one that a task made."""
    with suppress(Unavailable):
        obj = bench.stock.make(of.name, fmt=fmt)
        text, _ = uuid_of(bench, fmt, of.name, obj.ref)
        with another_session(bench, fmt) as session:
            seen = bench.call(fmt, f"{of.name}.get_by_uuid", text, session=session)
        told = describe(seen)
        judge.true(seen.reply.outcome == Success(obj.ref), f"{obj.ref}, in another session too", told, seen)
        bench.stock.remove(obj)
    with suppress(Unavailable):
        obj = made_by_task(bench, of, fmt)
        finds_by_uuid(bench, judge, of, (bench.other(fmt), fmt), obj.ref)
        bench.stock.remove(obj)


def _finds_who_has_it_already(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Look up an object after another was to be introduced under its uuid, and was refused."""
    for constructor in introducers(of):
        name = constructor.message.full_name
        with suppress(Unavailable):
            if name in bench.profile.never:
                continue
            obj = bench.stock.make(of.name, fmt=fmt)
            given = under(bench, of, constructor, uuid_of(bench, fmt, of.name, obj.ref)[0])
            again = bench.call(fmt, name, *given, probe=True)
            if is_refusal(again):
                finds_by_uuid(bench, judge, of, (bench.other(fmt), fmt), obj.ref)
            elif isinstance(again.reply.outcome, Success) and again.reply.outcome.value != obj.ref:
                bench.stock.remove(bench.stock.adopt(of.name, again))
            bench.stock.remove(obj)


def several(bench: Bench, of: ApiClass) -> list[Obj]:
    """Return some objects of a class, one of ours among them where one can be made."""
    found = list(bench.stock.readable(of.name, bench.budget.objects))
    with suppress(Unavailable):
        found.append(bench.stock.own(of.name))
    return found


def unknown_uuids_are_refused(bench: Bench, of: ApiClass) -> None:
    """An unknown uuid, another class's, a destroyed object's fail; SHOULD: UUID_INVALID. Source: error list.

    So do a part of a uuid and one with something around it: uuids are compared as they are.
    """
    (obj,) = bench.stock.readable(of.name)
    bad = {"unknown": nature.new_uuid(), "the nil uuid": str(uuid.UUID(int=0)), "no uuid at all": "xenconform"}
    bad |= {"no text": "", "a ref": obj.ref}
    nearly = dict[str, str]()
    with suppress(Unanswered):  # An object that cannot be read is counted elsewhere.
        text = uuid_of(bench, bench.formats[0], of.name, obj.ref)[0]
        tail = obj.ref.partition(":")[2]
        # Where refs are made of uuids, a ref's own is the object's; a session's is a secret.
        if tail.lower() != text.lower() and of.name != "session":
            bad["what follows the colon of a ref"] = tail
        bad |= {"cut short": text[:-5], "followed by a space": f"{text} ", "preceded by a space": f" {text}"}
        label = value_of(bench, bench.formats[0], f"{of.name}.get_name_label", obj.ref)
        nearly = {"without dashes": text.replace("-", ""), "in braces": f"{{{text}}}", "as a URN": f"urn:uuid:{text}"}
        nearly |= {"a pattern": f"{text[:-1]}%", **({"its name": label} if label else {})}
    bad |= _uuids_of_others(bench, of)
    with suppress(Unavailable):
        gone = bench.stock.make(of.name)
        text = uuid_of(bench, bench.formats[0], of.name, gone.ref)[0]
        for fmt in bench.formats:
            bench.call(fmt, f"{of.name}.get_by_uuid", text)  # What is looked up before may be found for ever after.
        if bench.stock.remove(gone):
            bad["a destroyed object's"] = text
    if bench.budget.boundaries:
        bad |= _ended_by_a_task(bench, of)
        nearly |= _uuids_of_siblings(bench, of)
    heirs: list[Obj] = []
    with suppress(Unavailable):  # They may have the places of those that are gone.
        heirs += [bench.stock.make(of.name) for _ in range(2)]
    for at, fmt in enumerate(bench.formats):
        share = list(nearly.items())[at :: len(bench.formats)]
        with (
            bench.judging("UUID-UNKNOWN", of.name, fmt) as judge,
            bench.judging("UUID-UNKNOWN-CODE", of.name, fmt) as coded,
        ):
            for kind, text in (*bad.items(), *share):
                exchange = bench.call(fmt, f"{of.name}.get_by_uuid", text, probe=True)
                if judge.refused(exchange, f"get_by_uuid of {kind} ({text})") and kind in bad:
                    coded.code(exchange, "UUID_INVALID", of.name, text)
    for obj in heirs:
        bench.stock.remove(obj)


def _uuids_of_siblings(bench: Bench, of: ApiClass) -> dict[str, str]:
    """Return uuids of objects of ours of the classes that belong to what those of this class belong to.

    A server may keep them in one table.
    """
    near = {r.derived_cls for r in bench.api.relations if r.owner_cls == of.name}
    siblings = {r.owner_cls for r in bench.api.relations if r.derived_cls in near} - {of.name}
    found = dict[str, str]()
    for cls in sorted(siblings):
        if bench.api.classes[cls].destructor and has_uuid(bench.api, bench.api.classes[cls]):
            with suppress(Unavailable, Unanswered):
                text, _ = uuid_of(bench, bench.formats[0], cls, bench.stock.own(cls).ref)
                found[f"that of a {cls}"] = text
    return found


def _ended_by_a_task(bench: Bench, of: ApiClass) -> dict[str, str]:
    """Return the uuid of an object that was looked up, and that a task then destroyed; none where that does not go."""
    message = of.messages.get(of.destructor)
    with suppress(Unavailable, Unanswered):
        if message is None or message.full_name in bench.profile.never:
            return {}
        obj, fmt = bench.stock.make(of.name), bench.formats[0]
        text = uuid_of(bench, fmt, of.name, obj.ref)[0]
        for each in bench.formats:
            bench.call(each, f"{of.name}.get_by_uuid", text)
        deaf = Judge(lambda _: None, "ASYNC-TASK", of.name)  # What is wrong with the task is told there.
        ended = Async(bench, deaf, fmt, message).run(obj.ref)
        if ended is not None and ended.succeeded and obj.ref not in bench.stock.all_refs(of.name):
            bench.stock.forget(obj)
            return {"an object's that a task destroyed": text}
        bench.stock.remove(obj)
    return {}


def _uuids_of_others(bench: Bench, of: ApiClass) -> dict[str, str]:
    """Return uuids of objects of other classes: of those that an object of ours refers to, and of one that is there."""
    found: dict[str, str] = {}
    with suppress(Unavailable):
        obj = bench.stock.own(of.name)
        for name, text, _ in neighbours(bench, of, bench.formats[0], obj):
            found.setdefault(text, f"that of its {name}")
    for other in ("pool", "host", "network"):
        if other != of.name and other in bench.api.classes and bench.stock.existing(other):
            ref = bench.stock.existing(other)[0]
            found.setdefault(bench.ask(bench.formats[0], f"{other}.get_uuid", ref)[0], f"that of a {other}")
            break
    return {kind: text for text, kind in list(found.items())[-OTHERS:]}


def neighbours(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> Iterator[tuple[str, str, Exchange]]:
    """Return the uuid of each object of another class that an object refers to, by the field that does."""
    for field in of.fields.values():
        if not isinstance(field.type, RefTo) or f"get_{field.name}" not in of.messages or field.type.cls == of.name:
            continue
        ref = bench.call(fmt, f"{of.name}.get_{field.name}", obj.ref).reply.outcome
        if not isinstance(ref, Success) or ref.value in {NULL_REF, ""}:
            continue
        if "get_uuid" in bench.api.classes[field.type.cls].messages:
            seen = bench.call(fmt, f"{field.type.cls}.get_uuid", ref.value)
            if isinstance(seen.reply.outcome, Success):
                yield field.name, seen.reply.outcome.value, seen


CHECKS = (
    Check("UUID-LOOKUP", per_class=by_uuid_finds_the_object, applies=has_uuid),
    Check("UUID-UNKNOWN", per_class=unknown_uuids_are_refused, applies=has_uuid, also=("UUID-UNKNOWN-CODE",)),
)
