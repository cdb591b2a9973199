"""Level 3, look-ups by query: by every kind of field, by what it holds now, and by the opposite of that."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.asking import find, query
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.creating_fields import varied
from xenconform.conformance.checks.judging import Judge, show
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.query import as_text
from xenconform.models.types import Bool, Enum, Int, RefTo, Str
from xenconform.models.values import Ref, Value

PLAIN = re.compile("[A-Za-z0-9 :/.-]+")
"""Texts that mean themselves inside a query."""
MOST = 3
"""So many fields are asked by over one format."""


def by_other_fields(bench: Bench, judge: Judge, at: tuple[ApiClass, Format]) -> None:
    """Find an object of ours by a text that it has, another field over another format.

    Where the name of a field has an underscore a server may spell it in another way, and then find nothing.

    Raises:
        Unavailable: none can be made.
    """
    of, fmt = at
    obj = bench.stock.own(of.name)
    made = bench.stock.try_make(of.name, varied(bench, of, bench.formats.index(fmt), mixed=True), fmt=fmt)
    if isinstance(made.reply.outcome, Success):
        bench.stock.adopt(of.name, made)  # It has other values, by which it is not to be found.
    rows: dict[Ref, dict[str, Value]] = bench.ask(fmt, f"{of.name}.get_all_records")[0]
    record = rows.get(obj.ref, {})
    texts = {n: record[n] for n, field in of.fields.items() if isinstance(field.type, Str) and n in record}
    plain = {n: text for n, text in texts.items() if PLAIN.fullmatch(text) and n not in {"uuid", "name_label"}}
    asked = [*plain.items()][bench.formats.index(fmt) :: len(bench.formats)][:MOST]
    for name, text in asked:
        _judge_found(bench, judge, at, (name, [text]), rows)
    for name, some in _looser((of, bench.formats.index(fmt)), rows.values()):
        _judge_found(bench, judge, at, (name, some), rows, loose=True)
    if isinstance(made.reply.outcome, Success):
        other = bench.stock.object_of(of.name, made.reply.outcome.value)
        settable = [n for n in texts if f"set_{n}" in of.messages and n != "name_label"]
        if fmt in in_turn(bench, of) and settable:
            _by_what_is_set(bench, judge, at, other, settable[0])
        bench.stock.remove(other)


def _judge_found(
    bench: Bench,
    judge: Judge,
    at: tuple[ApiClass, Format],
    by: tuple[str, Sequence[str]],
    shown: Mapping[Ref, Mapping[str, Value]],
    *,
    loose: bool = False,
) -> None:
    """Judge which objects are found by some texts in a field, which the records show.

    Where the comparison is `loose`, or the name has an underscore, a server that finds nothing by any of them is not
    held to it.
    """
    (of, fmt), (name, texts) = at, by
    for field in dict.fromkeys((name, name.replace("_", "__"))):
        told = {text: query(bench, of, fmt, f'field "{field}" = "{text}"') for text in texts}
        results = {text: seen.reply.outcome for text, seen in told.items()}
        found = {text: each.value for text, each in results.items() if isinstance(each, Success)}
        is_known = any(found.values())
        for text, records in found.items() if is_known or "_" not in name else ():
            _or_not(bench, judge, at, told[text], records)
        if (loose or "_" in name) and not is_known:
            continue
        again, _ = bench.ask(fmt, f"{of.name}.get_all_records")
        for text, records in found.items():
            for ref in sorted(bench.stock.known_refs(of.name) | records.keys()):
                held = {as_text(rows.get(ref, {}).get(name)) == text for rows in (shown, again)}
                if len(held) == 1:
                    expected = f"{ref} {'found' if True in held else 'not found'} by {name} {text!r}"
                    judge.true({ref in records} == held, expected, show(sorted(records)), told[text])


def _or_not(
    bench: Bench, judge: Judge, at: tuple[ApiClass, Format], seen: Exchange, found: Mapping[Ref, object]
) -> None:
    """Judge that what a condition does not find its opposite finds, also where a field has no value of its own."""
    (of, fmt), condition = at, seen.args[0]
    opposite = query(bench, of, fmt, f"not ({condition})")
    other = opposite.reply.outcome
    if isinstance(other, Success):
        lost = bench.stock.known_refs(of.name) - (found.keys() ^ other.value.keys())
        lost &= set(bench.stock.all_refs(of.name)) if lost else lost  # one of ours may have gone along with another
        expected = f"each object of ours found by {condition} or else by its opposite"
        judge.true(not lost, expected, f"{sorted(lost)[:3]} by both or by neither", seen, opposite)


def _looser(at: tuple[ApiClass, int], rows: Collection[Mapping[str, Value]]) -> Iterator[tuple[str, Sequence[str]]]:
    """Return fields with what a server may compare in a way of its own, or refuse: it need not find anything by them.

    A text that is empty, and of what is no text a number, a ref and an enum, with a number's beginning too; of those
    that records show the longest one, and another field in another turn; none that the server may change by itself.
    Of booleans all that records show, of numbers zero too, of refs and enums the shortest, as the null ref is.
    """
    of, turn = at
    for kind in (Str, Int, RefTo, Enum, Bool):
        fields = [n for n, f in of.fields.items() if isinstance(f.type, kind) and f.qualifier is not Qualifier.RUNTIME]
        fields.sort(key=lambda name: "_" in name)  # what can be spelled in one way alone comes first
        for name in fields[turn % len(fields) :][:1] if fields else ():
            texts = ["", *(as_text(row[name]) for row in rows if name in row and kind is not Str)]
            longest = max(texts, key=len)
            some = [longest, longest[:-1], "0"] if kind is Int else [longest, min(texts[1:] or texts, key=len)]
            yield name, sorted(set(texts[1:])) if kind is Bool else list(dict.fromkeys(some))


def _by_what_is_set(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], obj: Obj, name: str) -> None:
    """Give an object that is found by the text it was made with another one: it is found by that."""
    of, fmt = at
    text, _ = bench.ask(fmt, f"{of.name}.get_{name}", obj.ref)
    new = nature.new_uuid()
    for spelled in dict.fromkeys((name.replace("_", "__"), name)) if PLAIN.fullmatch(text) else ():
        found = query(bench, of, fmt, f'field "{spelled}" = "{text}"').reply.outcome
        if not isinstance(found, Success) or obj.ref not in found.value:
            continue
        bench.call(bench.other(fmt), f"{of.name}.set_{name}", obj.ref, new)
        if bench.ask(fmt, f"{of.name}.get_{name}", obj.ref)[0] == new:
            find(bench, judge, (at, spelled), [(new, {obj.ref})])
        return
