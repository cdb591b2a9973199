"""Level 3, messages that are called on what is no object of their class: explicit ones, accessors and destructors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from xenconform.conformance.checks.aimed import Aim, blind, other_ref, takes_self, why_not, without_refs
from xenconform.conformance.checks.arguments import WRITING
from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.explicit import explicit_messages
from xenconform.conformance.checks.judging import Unanswered, Unavailable, unheard
from xenconform.conformance.checks.probing import Probe, Turn, judge_messages
from xenconform.conformance.checks.refs import BAD_REFS, bad_ref, unknown_ref
from xenconform.conformance.checks.tally import Tally, draw, sampled
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Format, Success
from xenconform.models.types import NULL_REF, RefTo
from xenconform.models.values import Ref

BY_TASK = 4
"""So many messages of a class are called asynchronously on what is not there."""


def called_on_self(of: ApiClass) -> list[Message]:
    """Return the messages that are called on an object, getters left out: those are GET-BAD-REF's."""
    writers = (m for m in of.messages.values() if m.implicit and (m.verb in WRITING or m.name == of.destructor))
    live = (message for message in writers if message.lifecycle.state is not State.REMOVED)
    return [message for message in (*explicit_messages(of), *live) if takes_self(message)]


def is_called_on_self(_api: Api, of: ApiClass) -> bool:
    """Whether a class has such messages."""
    return bool(called_on_self(of))


def _bad_refs(bench: Bench, of: ApiClass) -> dict[str, Ref]:
    refs = {kind: bad_ref(kind) for kind in BAD_REFS}
    stale = bench.stock.stale(of.name)
    if stale is not None:
        refs["destroyed"] = stale
    other = other_ref(bench, of.name)
    return refs if other is None else {**refs, "other class": other}


def _nearly_refs(bench: Bench, of: ApiClass) -> dict[str, Ref]:
    """Return texts that are nearly the ref of an object of ours: its uuid, and a part of the ref."""
    with suppress(Unavailable):
        ref = bench.stock.own(of.name).ref
        refs = {"cut short": ref[:-4], "followed by a space": f"{ref} "}
        if "get_uuid" in of.messages:
            outcome = bench.call(bench.formats[0], f"{of.name}.get_uuid", ref).reply.outcome
            if isinstance(outcome, Success) and outcome.value != ref:
                refs["the object's uuid"] = outcome.value
        return refs
    return {}


def _with_bad_refs(
    refs: dict[str, Ref], nearly: dict[str, Ref], bench: Bench, message: Message, turn: Turn
) -> Iterator[Probe]:
    """Yield calls on bad refs: of each explicit message on all, of accessors and destructors on some over each format.

    What is nearly a ref comes over one format or another, as a server that obeys would touch an object of ours.
    """
    rest = [without_refs(param.type) for param in message.params[1:]]
    only_self = bool(message.verb) or None not in rest
    # The null ref is a good value of a field, so that the object is all that is wrong; elsewhere it may be none.
    rest = [(NULL_REF if message.verb else unknown_ref()) if value is None else value for value in rest]
    kinds = turn.take(list(refs), 2)
    if message.implicit and bench.budget.name != "thorough":
        kinds = replace(turn, all_of_them=False).take(list(refs), 2)
        if "destroyed" in refs and bench.budget.boundaries:
            # What remembers objects by format or by message is found out by one that is gone, and by no other.
            kinds = list(dict.fromkeys((*kinds, "destroyed")))
    if message.implicit and not message.verb:
        # The second destroy is DESTROY-AGAIN's; and no server is to take the null ref for one of its own objects.
        kinds = [kind for kind in kinds if kind in {"unknown", "other class"}]
    few = list(nearly) if not message.implicit else list(nearly)[turn.number % 2 :: 2]
    kinds += [kind for after, kind in enumerate(few) if turn.has_come(after)]
    for kind in kinds:
        ref = refs[kind] if kind in refs else nearly[kind]
        shown = None if kind == "empty" or not only_self else ref
        live = bench.stock.own(message.cls) if kind in nearly else None
        code = ("HANDLE_INVALID", message.cls if only_self else None, shown)
        yield Probe(f"a ref that is {kind}", Aim((ref, *rest), live), code=code)


def messages_refuse_bad_refs(bench: Bench, of: ApiClass) -> None:
    """A message that is called on no object of its class fails; SHOULD: HANDLE_INVALID. Source: error list."""
    ways = partial(_with_bad_refs, _bad_refs(bench, of), _nearly_refs(bench, of))
    judge_messages(bench, of, "CALL-BAD-REF", ways, sampled(bench, called_on_self(of)))
    for fmt in in_turn(bench, of):
        with Tally(bench, "CALL-BAD-REF", of.name, fmt) as tally:
            _tasks_refuse_bad_refs(bench, tally, of)


def _tasks_refuse_bad_refs(bench: Bench, tally: Tally, of: ApiClass) -> None:
    """Call some explicit messages asynchronously on what was made up: no task of them is a success."""
    messages = [message for message in called_on_self(of) if not message.implicit and not why_not(bench, message)]
    chosen = sorted(messages, key=lambda message: draw(bench.seed, "task", message.name))[:BY_TASK]
    for message in chosen:
        rest = zip(message.params[1:], blind(message).args[1:], strict=True)
        args = [unknown_ref(), *(NULL_REF if isinstance(param.type, RefTo) else arg for param, arg in rest)]
        with suppress(Unanswered, Unavailable):
            ended = Async(bench, unheard(Format(tally.fmt)), Format(tally.fmt), message).run(*args)
            if ended is not None and ended.succeeded:
                expected = f"a task of {message.full_name} with a ref that is made up fails"
                tally.finding(message, expected, ended.seen[0])
            elif ended is not None:
                tally.fine()


CHECKS = (
    Check(
        "CALL-BAD-REF",
        per_class=messages_refuse_bad_refs,
        applies=is_called_on_self,
        also=("CALL-BAD-REF-CODE",),
    ),
)
