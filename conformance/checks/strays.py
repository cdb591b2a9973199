"""Level 2, refs that denote no object: a getter that is given one fails, over every format, and says what was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import getters, has_getters
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.refs import BAD_REFS, bad_ref
from xenconform.conformance.checks.sessionless import nearly
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref

ALIKE = 3
"""So many classes are taken for the most like another one."""
NEAR = 3
"""What is nearly a ref is given to one getter in so many parts."""
WHOLE = (".get_record", ".get_uuid")
"""What the getters end with that are given every kind of bad ref over every format."""


def bad_refs_are_refused(bench: Bench, of: ApiClass) -> None:
    """get_f of an unknown, destroyed, null or other-class ref fails; SHOULD: HANDLE_INVALID. Source: error list.

    get_record and get_uuid are given every kind; each other getter every plain kind, in a small budget spread over the
    formats so that none is left out, and over each format the ref of an object of another class that has the field, or
    one of the kinds that a lenient look-up takes for a ref. By then a newcomer may have the place of the destroyed
    object. That one was read in the run's second session before, which is not to show it any longer.
    """
    plain = {kind: bad_ref(kind) for kind in BAD_REFS}
    obj = None
    with suppress(Unavailable):
        obj = bench.stock.make(of.name)
    for at, message in enumerate(_readers(of) if obj is not None and bench.budget.boundaries else ()):
        bench.onlooker.call(bench, bench.formats[at % len(bench.formats)], message, obj.ref if obj else "")
    if obj is None or not bench.stock.remove(obj):
        _all_kinds(bench, of, plain)
        return
    with suppress(Unavailable):
        newcomer = bench.stock.make(of.name)
        _all_kinds(bench, of, {**plain, "destroyed": obj.ref})
        _is_gone_elsewhere(bench, of, obj.ref)
        bench.stock.remove(newcomer)


def _readers(of: ApiClass) -> list[str]:
    return [name for _, name in getters(of)] + [f"{of.name}.get_record"] * ("get_record" in of.messages)


def _is_gone_elsewhere(bench: Bench, of: ApiClass, ref: Ref) -> None:
    """A destroyed object is not shown where it was read before, each getter over the format that read it."""
    for at, message in enumerate(_readers(of) if bench.budget.boundaries else ()):
        fmt = bench.formats[at % len(bench.formats)]
        exchange = bench.onlooker.call(bench, fmt, message, ref, probe=True)
        with bench.judging("GET-BAD-REF", message.replace(".get_", ".", 1), fmt) as judge:
            judge.refused(exchange, f"{message} of an object that another session destroyed")


def _all_kinds(bench: Bench, of: ApiClass, plain: dict[str, Ref]) -> None:
    near, foreign = dict(_nearly(bench, of)), dict(_foreign(bench, of))
    for kind in ("pool", "host", "network", "VM", "session"):
        if f"one of a {kind}" in foreign:
            plain["other class"] = foreign.pop(f"one of a {kind}")
            break
    alike = _alike(bench, of)
    for turn, fmt in enumerate(bench.formats):
        for at, message in enumerate(_readers(of)):
            whole = bench.budget.name == "thorough" or message.endswith(WHOLE)
            step = 1 if whole or bench.budget.boundaries else len(plain)
            kinds = {kind: ref for n, (kind, ref) in enumerate(plain.items()) if (n + at + turn) % step == 0}
            if not whole:
                name = message.partition(".get_")[2]
                # Those that have the field may lie in one table with it.
                likely = [f"one of a {cls}" for cls in alike if name in bench.api.classes[cls].fields]
                likely = [kind for kind in likely if kind in foreign][turn : turn + 1]
                kinds |= {kind: foreign[kind] for kind in likely} or _in_turn(near | foreign, NEAR * at + turn)
            elif message.endswith(WHOLE[1]):
                kinds |= foreign | dict(list(near.items())[turn % NEAR :: NEAR])
            else:
                kinds |= near if "get_uuid" in of.messages else near | foreign
            _refuse_all(bench, of, (fmt, message), kinds)


def _alike(bench: Bench, of: ApiClass) -> list[str]:
    """Return the names of the classes, those with the most fields in common with one first."""
    classes = bench.api.classes
    return sorted(classes, key=lambda cls: (-len(of.fields.keys() & classes[cls].fields.keys()), cls))


def _in_turn(refs: dict[str, Ref], number: int) -> dict[str, Ref]:
    return dict([list(refs.items())[number % len(refs)]]) if refs else {}


def _nearly(bench: Bench, of: ApiClass) -> Iterator[tuple[str, Ref]]:
    """Return what is nearly the ref of an object that is there: refs are opaque, and equal or not.

    Of a session's those that logs hide as they hide the ref itself.
    """
    try:
        (obj,) = bench.stock.readable(of.name)
    except Unavailable:
        return
    ref = obj.ref
    if of.name == "session":
        yield from nearly(bench, ref).items()
        return
    found = {
        "in the other case": ref.swapcase(),
        "in capitals": ref.upper(),
        "in small letters": ref.lower(),
        "behind a space": f" {ref}",
        "before a space": f"{ref} ",
        "without its last letter": ref[:-1],
        "longer by a letter": f"{ref}0",
        "before a line feed": f"{ref}\n",
        "without its dashes": ref.replace("-", ""),
        "with a pattern for its end": f"{ref[:-1]}%",
        "without what precedes its colon": ref.partition(":")[2],
    }
    if "get_uuid" in of.messages:
        outcome = bench.call(bench.formats[0], f"{of.name}.get_uuid", ref, probe=True).reply.outcome
        found["a uuid"] = str(outcome.value) if isinstance(outcome, Success) else ""
    real = {obj.ref for obj in bench.stock.made} | {NULL_REF, "", *bench.stock.existing(of.name)}
    for kind, text in found.items():
        if text not in real:
            yield kind, text


def _foreign(bench: Bench, of: ApiClass) -> Iterator[tuple[str, Ref]]:
    """Return the ref of an object of every other class of which there is one.

    Of those that have the most fields in common with this one, and may lie in one table with it, one is made; and of
    those that are bound to it, of which a look-up may go on to what they are bound to.
    """
    classes = bench.api.classes
    near = {*_alike(bench, of)[: ALIKE + 1], *(r.owner_cls for r in bench.api.relations if r.derived_cls == of.name)}
    for cls in classes:
        if cls == of.name:
            continue
        found = bench.stock.existing(cls)[:1]
        if not found and cls in near:
            with suppress(Unavailable):
                found = (bench.stock.own(cls).ref,)
        for ref in found:
            yield f"one of a {cls}", ref


def _refuse_all(bench: Bench, of: ApiClass, at: tuple[Format, str], refs: dict[str, Ref]) -> None:
    fmt, message = at
    element = message.replace(".get_", ".", 1)
    with (
        bench.judging("GET-BAD-REF", element, fmt) as judge,
        bench.judging("GET-BAD-REF-CODE", element, fmt) as coded,
    ):
        for kind, ref in refs.items():
            exchange = bench.call(fmt, message, ref, probe=True)
            if judge.refused(exchange, f"{message} of a ref that is {kind}"):
                coded.code(exchange, "HANDLE_INVALID", of.name, None if kind == "empty" else ref)


CHECKS = (Check("GET-BAD-REF", per_class=bad_refs_are_refused, applies=has_getters, also=("GET-BAD-REF-CODE",)),)
