"""Objects that tasks make: what a server does another way round than for a plain call shows at them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from xenconform.conformance.checks.awaiting import Async, Look
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unanswered, Unavailable, unheard
from xenconform.conformance.checks.stock import NOTHING, Obj
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.checks.tasks import destructor, something
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Format
from xenconform.models.values import Value, is_null_text


def made_by_task(
    bench: Bench,
    of: ApiClass,
    fmt: Format,
    values: Mapping[str, Value] = NOTHING,
    *,
    without: Collection[str] = (),
    api: Api | None = None,
) -> Obj:
    """Let a task make an object with the first constructor of a class, `values` in place of the exemplar's.

    `without` names what is left out of a record; `api` is another model to write it by.

    Raises:
        Unavailable: none comes of it, which is for ASYNC-TASK to tell.
    """
    constructor = bench.stock.constructor(of.name)
    given = {**bench.stock.exemplar(of.name), **values}
    record = {name: value for name, value in given.items() if name not in without}
    args = [record] if constructor.record else [given[param.name] for param in constructor.message.params]
    with suppress(Unanswered):
        ended = Async(bench, unheard(fmt), fmt, constructor.message).run(*args, api=api)
        if ended is not None and ended.succeeded and isinstance(ended.value, str) and not is_null_text(ended.value):
            return bench.stock.adopt_ref(of.name, ended.value)
    raise Unavailable(f"no task makes a {of.name}; counted under ASYNC-TASK")


def see_one_ended(bench: Bench, fmt: Format, look: Look) -> None:
    """Have a task end an object of ours and call `look` with the task's ref, where the server has tasks and objects."""
    with suppress(Unavailable, Unanswered):
        obj = something(bench)
        end = destructor(bench.api.classes[obj.cls])
        ended = Async(bench, unheard(fmt), fmt, end, look).run(obj.ref)
        if ended is not None and ended.succeeded:
            bench.stock.forget(obj)
        else:
            bench.stock.remove(obj)


def in_turn(bench: Bench, of: ApiClass) -> Iterator[Format]:
    """Return the one format over which tasks are tried on a class, another for another class; none in a quick run."""
    if bench.budget.boundaries:
        yield bench.formats[draw(bench.seed, of.name) % len(bench.formats)]
