"""Level 3, look-ups by label."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.destroying import value_of
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, show
from xenconform.conformance.checks.opening import another_session
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tally import draw
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.values import Ref, Value

CROWD = 12
"""So many objects get one label, to see whether all of them are found."""
PAIRS = (
    ("{}\u00e9", "{}e\u0301"),
    ("007{}", "7{}"),
    ("a_b{}", "axb{}"),
    ("{}it's", '{}it"s'),
    ("{}" + "x" * 300, "{}" + "x" * 299 + "y"),
    ("{} two  spaces", "{} two spaces"),
    (" {} ", "{}"),
    ("a\\b%{}", "a\\bc%{}"),
    ("\u00df{}", "ss{}"),
    ("{}[x]", "{}x"),
    ("{}\U0001f511", "{}\U0001f600"),
    ("{} x", "{}\u00a0x"),
    ("{}\ufb01", "{}fi"),
)
"""Labels that are alike to a server that compares them by anything but what they are; {} is what makes them unique."""


def has_label(_api: Api, of: ApiClass) -> bool:
    """Whether objects of the class can be looked up by name."""
    return "get_by_name_label" in of.messages


def by_label_finds_exactly_those(bench: Bench, of: ApiClass) -> None:
    """get_by_name_label(l) is exactly the set of objects with that label. Source: introduction, look-ups.

    None, one, two; after a rename and after a destroy; case, spaces and prefixes are significant.
    """
    for fmt in bench.formats:
        with bench.judging("LABEL-LOOKUP", of.name, fmt) as judge:
            try:
                first = bench.stock.make(of.name)
            except Unavailable:
                _existing_labels(bench, judge, of, fmt)
                continue
            _own_labels(bench, judge, of, (fmt, first))
    if "set_name_label" in of.messages:
        _alike_labels(bench, of)
    _alike_at_once(bench, of)
    _many_of_one_label(bench, of)
    for fmt in in_turn(bench, of):
        with suppress(Unavailable):
            _made_by_a_task(bench, of, fmt)


def _alike_labels(bench: Bench, of: ApiClass) -> None:
    """Give one object each label of a pair, and look up the other one, over one format and another."""
    number = str(nature.new_number())
    for at, pair in enumerate(PAIRS):
        fmt = bench.formats[at % len(bench.formats)]
        both = [text.format(number) for text in pair]
        with bench.judging("LABEL-LOOKUP", of.name, fmt) as judge:
            obj = bench.stock.own(of.name)
            for turn, (label, other) in enumerate((both, both[::-1])):
                outcome = bench.call(fmt, f"{of.name}.set_name_label", obj.ref, label).reply.outcome
                if not isinstance(outcome, Success) or bench.ask(fmt, f"{of.name}.get_name_label", obj.ref)[0] != label:
                    judge.asserted += 1  # A server may refuse a label; whether it keeps it is for other clauses.
                    continue
                _find(bench, judge, (of, bench.other(fmt)), label, {obj.ref}, f"of the label {label[:40]!r}")
                look = bench.formats[(at + turn) % len(bench.formats)]
                _find(bench, judge, (of, look), other, set(), f"of the label {other[:40]!r}, which none has")


def _alike_at_once(bench: Bench, of: ApiClass) -> None:
    """Make two objects whose labels are alike, by the constructor alone: each is found, and the other one is not."""
    try:
        names = [n for n, field in given_fields(of, bench.stock.constructor(of.name)) if field.name == "name_label"]
    except Unavailable:
        return
    number = str(nature.new_number())
    shift = draw(bench.seed, of.name)
    for at, pair in enumerate((("{}case", "{}CASE"), *PAIRS) if names else ()):
        # Where no setter gives labels these are all that is tried; elsewhere it is some pairs, others for others.
        if at and "set_name_label" in of.messages and (at + shift) % len(bench.formats):
            continue
        fmt = bench.formats[at % len(bench.formats)]
        made = dict[str, Obj]()
        for label in (text.format(number) for text in pair):
            # Asked for before there is one: that none was found is not to be remembered.
            bench.call(bench.other(fmt), f"{of.name}.get_by_name_label", label)
            exchange = bench.stock.try_make(of.name, {names[0]: label}, fmt=fmt)
            if isinstance(exchange.reply.outcome, Success):
                made[label] = bench.stock.adopt(of.name, exchange)
        with bench.judging("LABEL-LOOKUP", of.name, fmt) as judge:
            judge.asserted += 1
            for label, obj in made.items():
                if value_of(bench, fmt, f"{of.name}.get_name_label", obj.ref) == label:
                    when = f"of the label {label[:40]!r}, beside one that is alike"
                    _find(bench, judge, (of, bench.other(fmt)), label, {obj.ref}, when)
        for obj in made.values():
            bench.stock.remove(obj)


def _made_by_a_task(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Look up, twice, an object that a task made.

    Raises:
        Unavailable: none comes of it.
    """
    obj = made_by_task(bench, of, fmt)
    with bench.judging("LABEL-LOOKUP", of.name, fmt) as judge:
        label, _ = bench.ask(fmt, f"{of.name}.get_name_label", obj.ref)
        for _ in range(2):
            _find(bench, judge, (of, fmt), label, labelled(bench, of.name, label) | {obj.ref}, "of what a task made")
    bench.stock.remove(obj)


def _many_of_one_label(bench: Bench, of: ApiClass) -> None:
    """Make many objects of one label, by the constructor alone, and find them all."""
    try:
        names = [n for n, field in given_fields(of, bench.stock.constructor(of.name)) if field.name == "name_label"]
        label, made = f"xcMany {nature.new_uuid()}", list[Obj]()
        for _ in range(CROWD if names else 0):
            exchange = bench.stock.try_make(of.name, {names[0]: label})
            if isinstance(exchange.reply.outcome, Success):
                made.append(bench.stock.adopt(of.name, exchange))
    except Unavailable:
        return
    for fmt in bench.formats if made else ():
        with bench.judging("LABEL-LOOKUP", of.name, fmt) as judge:
            _find(bench, judge, (of, fmt), label, labelled(bench, of.name, label), "of a label that many have")
    for obj in made:
        bench.stock.remove(obj)


def _find(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], label: str, expected: set[Ref], when: str) -> None:
    of, fmt = at
    found, exchange = bench.ask(fmt, f"{of.name}.get_by_name_label", label)
    odd = {ref for ref in set(found) ^ expected if _is_odd(bench, at, label, ref, found)}
    judge.true(
        len(found) == len(set(found)) and not odd,
        f"{len(expected)} object(s) {when}: {sorted(expected)}",
        show(found),
        exchange,
    )


def labels(bench: Bench, cls: str) -> dict[Ref, Value]:
    """Return the name_label of every object of a class, as the records have it.

    Raises:
        Unavailable: there are no records to read.
    """
    outcome = bench.call(bench.formats[0], f"{cls}.get_all_records").reply.outcome
    if not isinstance(outcome, Success):
        raise Unavailable(f"{cls}.get_all_records gives no records to compare with")
    return {ref: record.get("name_label") for ref, record in outcome.value.items()}


def labelled(bench: Bench, cls: str, label: str) -> set[Ref]:
    """Return the refs of the objects whose record has exactly that name_label."""
    return {ref for ref, other in labels(bench, cls).items() if other == label}


def _is_odd(bench: Bench, at: tuple[ApiClass, Format], label: str, ref: Ref, found: Sequence[Ref]) -> bool:
    """Whether an object is in a look-up without its label, or missing with it; others' objects are asked once more.

    Its getter says what label it has: records may be wrong, which is for other clauses. One of ours that ended along
    with another is not missing: that is for DESTROY-NO-CASCADE.
    """
    of, fmt = at
    seen = bench.call(fmt, f"{of.name}.get_name_label", ref, probe=True).reply.outcome
    if bench.stock.others.was_ours(ref):
        return (isinstance(seen, Success) and seen.value == label) != (ref in found)
    if not isinstance(seen, Success):
        return False
    again, _ = bench.ask(fmt, f"{of.name}.get_by_name_label", label)
    last = bench.call(fmt, f"{of.name}.get_name_label", ref, probe=True).reply.outcome
    return seen == last and bool(seen.value == label) != (ref in again)


def _existing_labels(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    if not bench.stock.existing(of.name):
        raise Unavailable("the server has no object of this class and none can be made")
    for ref in bench.stock.existing(of.name)[: bench.budget.objects]:
        label, _ = bench.ask(fmt, f"{of.name}.get_name_label", ref)
        expected = {
            other
            for other in bench.stock.all_refs(of.name)
            if bench.ask(bench.other(fmt), f"{of.name}.get_name_label", other)[0] == label
        }
        _find(bench, judge, (of, bench.other(fmt)), label, expected, "of that label")
    named = labels(bench, of.name)
    for wrong in (label.swapcase(), f"{label} ", f" {label}", label[:-1], f"{label}x", f"%{label[1:]}"):
        others = {ref for ref, other in named.items() if other == wrong}
        _find(bench, judge, (of, fmt), wrong, others, f"of the label {wrong!r}, which is not {label!r}")
    _find(bench, judge, (of, fmt), f"xenconform none {nature.new_uuid()}", set(), "of a label that none has")


def _other_names(bench: Bench, of: ApiClass, fmt: Format, ref: Ref) -> list[str]:
    """Return what an object is known by besides its label."""
    told = (value_of(bench, fmt, f"{of.name}.get_{name}", ref) for name in ("uuid", "name_description"))
    return [ref, *(text for text in told if text)]


def _in_another_session(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], named: tuple[str, Ref]) -> None:
    of, fmt = at
    label, ref = named
    with another_session(bench, fmt) as session:
        found, seen = bench.ask(fmt, f"{of.name}.get_by_name_label", label, session=session)
    judge.true(ref in found, f"{ref}, in another session too", show(found), seen)


def _of_another_class(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], named: tuple[str, Ref]) -> None:
    """Give an object of another class the label of one, and look that up in both classes."""
    (of, fmt), (label, ref) = at, named
    others = [c for c in bench.api.classes.values() if c.destructor and c is not of and "set_name_label" in c.messages]
    other = others[(draw(bench.seed, of.name) + bench.formats.index(fmt)) % len(others)]
    with suppress(Unavailable):
        obj = bench.stock.own(other.name)
        outcome = bench.call(fmt, f"{other.name}.set_name_label", obj.ref, label).reply.outcome
        if isinstance(outcome, Success):
            _find(bench, judge, at, label, labelled(bench, of.name, label) | {ref}, f"as a {other.name} has it too")
            found, seen = bench.ask(fmt, f"{other.name}.get_by_name_label", label)
            judge.true(ref not in found, f"no {of.name} among the {other.name} of a label", show(found), seen)


def _rename(bench: Bench, at: tuple[ApiClass, Format], obj: Obj, label: str) -> None:
    """Give an object another label, and see that it has it.

    Raises:
        Unavailable: the setter did not set it, which is for the clauses of setting.
    """
    of, fmt = at
    bench.ask(fmt, f"{of.name}.set_name_label", obj.ref, label)
    if bench.ask(fmt, f"{of.name}.get_name_label", obj.ref)[0] != label:
        raise Unavailable("a rename does not change the label; counted under SET-VALUE")


def _own_labels(bench: Bench, judge: Judge, of: ApiClass, at: tuple[Format, Obj]) -> None:
    fmt, first = at
    look = (of, bench.other(fmt))
    rename = "set_name_label" in of.messages
    label, _ = bench.ask(fmt, f"{of.name}.get_name_label", first.ref)
    if rename:
        before, label = label, f"xcLabel {nature.new_uuid()}"
        for over in (fmt, look[1]):  # The same once more: it is taken out with the old one by who puts in first.
            _rename(bench, (of, over), first, label)
        _find(bench, judge, look, before, labelled(bench, of.name, before), "of the label before the rename")
    _find(bench, judge, look, label, labelled(bench, of.name, label) | {first.ref}, "of a new label")
    named = labels(bench, of.name)
    # What a document may do to a text is asked over every format, what an index may do over one or another.
    plain = (label[:-1], f"{label}x", "%", "*", "", ".*", *_other_names(bench, of, fmt, first.ref))
    share = plain[bench.formats.index(fmt) :: len(bench.formats)]
    for wrong in dict.fromkeys((label.swapcase(), f"{label} ", f" {label}", *share)):
        same_label = {ref for ref, other in named.items() if other == wrong}
        _find(bench, judge, look, wrong, same_label, f"of the label {wrong!r}, which is not {label!r}")
    _of_another_class(bench, judge, look, (label, first.ref))
    if rename:
        second = bench.stock.make(of.name)
        _rename(bench, look, second, label)
        if bench.formats.index(fmt) % 2:  # Who leaves the label is the second of its objects, or the first.
            first, second = second, first
        _find(bench, judge, look, label, {first.ref, second.ref}, "of a label that two have")
        with suppress(Unavailable, Unanswered):
            _rename(bench, (of, fmt), second, "")
            _find(bench, judge, look, label, {first.ref}, "of a label that one of two lost for none at all")
            _find(bench, judge, look, "", labelled(bench, of.name, "") | {second.ref}, "of no label at all")
        with suppress(Unavailable):
            _in_another_session(bench, judge, look, (label, first.ref))
        _rename(bench, (of, fmt), second, before)
        _find(bench, judge, look, label, {first.ref}, "of a label that one of two has lost")
        for over in (look[1], fmt):
            _rename(bench, (of, over), second, label)
        _find(bench, judge, look, label, {first.ref, second.ref}, "of a label that one of two has again, given twice")
        _find(bench, judge, look, before, labelled(bench, of.name, before), "of a label that it had in between")
        if bench.stock.remove(second):
            _find(bench, judge, look, label, {first.ref}, "after one of two was destroyed")
    if bench.stock.remove(first):
        left = labelled(bench, of.name, label) - {first.ref}
        _find(bench, judge, look, label, left, "after the destroy")


CHECKS = (Check("LABEL-LOOKUP", per_class=by_label_finds_exactly_those, applies=has_label),)
