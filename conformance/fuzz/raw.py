"""From an attempt to a raw case and back."""

from __future__ import annotations

from typing import Final, cast

from xenconform.conformance.fuzz.attempts import CHANGED, Attempt, End
from xenconform.conformance.fuzz.effects import Verb, Wrote
from xenconform.conformance.fuzz.stage import Stage
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.rawcases import RawCase
from xenconform.strategies.hostile import Owed
from xenconform.strategies.hostile.template import expand, places, templated

THEIRS: Final = ("session", "other", "ended", "ref", "foreign", "file")
"""The names of what differs from server to server, and is put back into a case in place of its bytes."""


def raw_case(wrong: Wrong, attempt: Attempt, stage: Stage) -> RawCase:
    """Return the case of an attempt that shows what is wrong."""
    every = stage.all_names(attempt.format)
    names = {name: value for name, value in every.items() if name in THEIRS or name.startswith("ref.")}
    wrote = attempt.wrote
    return RawCase(
        clause=wrong.clause,
        cause=wrong.cause,
        layer=attempt.layer,
        what=attempt.what,
        expected=wrong.expected,
        actual=wrong.actual,
        format=attempt.format,
        owed=str(attempt.owed),
        own_clause=attempt.clause,
        pieces=tuple(templated(piece, names) for piece in attempt.pieces),
        release=stage.bench.api.release,
        content_type=attempt.content_type,
        path=attempt.path,
        end=attempt.end,
        most=attempt.most,
        drip=attempt.drip,
        sound=attempt.sound,
        message=attempt.message,
        code=attempt.code,
        ref=templated((wrote.ref if wrote else attempt.compared).encode(), names),
        getter=wrote.getter if wrote else "",
        verb=wrote.verb if wrote else "",
        value=wrote.value if wrote else None,
    )


def attempt_of(case: RawCase, stage: Stage) -> Attempt:
    """Return the attempt of a case on a stage; objects of our own that it names are made.

    Raises:
        Unavailable: one cannot be made.
        ValueError: a place names nothing.
    """
    texts = (*case.pieces, case.ref)
    for name in frozenset[str]().union(*map(places, texts)):
        if name.startswith("ref."):
            stage.bench.stock.own(name.removeprefix("ref."))
    names = stage.all_names(case.format)
    wrote, getter = None, stage.bench.api.message(case.getter)
    if getter is not None:
        ref = expand(case.ref, names).decode()
        wrote = Wrote(ref, case.getter, cast("Verb", case.verb), getter.result, case.value)
    return Attempt(
        "",
        case.layer,
        case.what,
        case.format,
        Owed(case.owed),
        case.own_clause,
        case.cause,
        tuple(expand(piece, names) for piece in case.pieces),
        case.content_type,
        case.path,
        cast("End", case.end),
        case.most,
        case.drip,
        message=case.message,
        code=case.code,
        wrote=wrote,
        compared="" if wrote else expand(case.ref, names).decode(),
        sound=case.sound,
        may_be_changed=case.layer in CHANGED and not case.message,
    )
