"""What is read once all is quiet: fields that were written, whole records, far ends, and look-ups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.machine.choosing import LABELS
from xenconform.conformance.machine.walk import Walk
from xenconform.models.calls import Call
from xenconform.models.cases import Step
from xenconform.models.matching import handles_in
from xenconform.models.values import Handle, UuidOf


def quiet_reads(bench: Bench, walk: Walk, cls: str, racing: Sequence[Step], fmt: int) -> tuple[Step, ...]:
    """Return the reads after a race, each over the next format.

    Args:
        bench: the server.
        walk: has played the prefix.
        cls: the class that was raced for.
        racing: the calls of all threads.
        fmt: the first format's number.
    """
    made = tuple(step.makes for step in racing if step.makes is not None)
    calls = [*_fields(bench, racing), *(Call(f"{each.cls}.get_record", (each,)) for each in (*walk.objects(), *made))]
    calls += _far_ends(bench, walk, cls, racing)
    of = bench.api.classes[cls]
    if made or any(step.call.message in {f"{cls}.{of.destructor}", f"{cls}.set_name_label"} for step in racing):
        calls += [Call(f"{cls}.get_by_uuid", (UuidOf(each),)) for each in (*walk.objects(cls)[:1], *made)]
        calls += [Call(f"{cls}.get_by_name_label", (label,)) for label in LABELS[:2]]
        calls.append(Call(f"{cls}.get_all"))
    able = [call for call in dict.fromkeys(calls) if _may_call(bench, call.message)]
    formats = bench.formats
    return tuple(Step(call, formats[(fmt + at) % len(formats)], together=True) for at, call in enumerate(able))


def _may_call(bench: Bench, message: str) -> bool:
    return bench.api.message(message) is not None and message not in bench.profile.never


def _fields(bench: Bench, racing: Sequence[Step]) -> Iterator[Call]:
    for step in racing:
        message = bench.api.message(step.call.message)
        if message is not None and message.field and message.verb != "get":
            yield Call(f"{message.cls}.get_{message.field}", step.call.args[:1])


def _far_ends(bench: Bench, walk: Walk, cls: str, racing: Sequence[Step]) -> Iterator[Call]:
    """Yield the reads of bound fields of the server's own objects that show the objects of the race."""
    used = {handle for step in (*walk.player.steps, *racing) for handle in handles_in(step.call.args)}
    found: list[Handle] = sorted(walk.belief.found & used)
    ends = [(r.derived_cls, r.derived_field) for r in bench.api.relations if r.owner_cls == cls]
    for handle in found:
        for far, name in ends:
            if far == handle.cls:
                yield Call(f"{far}.get_{name}", (handle,))
