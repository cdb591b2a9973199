"""Objects of a class in the states that clients bring them to: full, empty, referred to, and moved on.

What a server shows of an object right after it was made tells little of how it reads what came later: members of the
bound fields, references that are set, texts and collections without anything in them, machines that run, tasks that
have ended. Nothing is judged here, and what a server refuses leaves an object as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from xenconform.conformance.checks.awkward import EMPTY, make_awkward
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.creating_fields import varied
from xenconform.conformance.checks.destroying import own_targets
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.power_walk import Walk
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.roundtrip import writer
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.surrounding import surrounded
from xenconform.models.api import ApiClass
from xenconform.models.calls import Success
from xenconform.models.power import PAUSED, RUNNING, SUSPENDED
from xenconform.models.types import NULL_REF, Enum, RefTo, SetOf, refs_in
from xenconform.models.values import Value, is_null_text

Look = Callable[[Obj], None]
"""Is given an object before it is brought to its state, so that what a server keeps of it is old by then."""
FLAGS, NAMES = 2, 4
"""So many objects show both sides of a flag, and so many at most the names of an enum."""
POWER = (RUNNING, PAUSED, SUSPENDED)


def _not_looked(_obj: Obj) -> None:
    return


@contextmanager
def in_states(bench: Bench, of: ApiClass, look: Look = _not_looked) -> Iterator[list[Obj]]:
    """Give objects of ours in the states of the module, as many as can be made; they end with the block."""
    with ExitStack() as stack:
        made: list[Obj] = []
        for bring in (_varied, _empty, _referred_to, _powered, _ended_tasks):
            with suppress(Unavailable, Unanswered):
                made += bring(bench, of, look, stack)
        yield made


def _varied(bench: Bench, of: ApiClass, look: Look, stack: ExitStack) -> list[Obj]:
    """Make objects with other values than the class begins with, and references where there may be none.

    Each flag is up in one and down in another, and names of an enum take turns. They are made over one format after
    the other, where the values are refused of those that do for any object; then what only messages add is added.
    """
    made = []
    for variant in range(_variants(bench, of)):
        fmt = bench.formats[-1 - variant % len(bench.formats)]
        values: dict[str, Value] = {}
        with suppress(Unavailable):
            values = varied(bench, of, variant, mixed=variant < FLAGS)
            # How a machine comes to run is a matter of its messages.
            values |= {n: v for n, v in bench.stock.exemplar(of.name).items() if n == "power_state"}
            values |= {**_theirs(bench, of, values), **own_targets(bench, of, empty=True)}
        exchange = bench.stock.try_make(of.name, values, fmt=fmt)
        done = isinstance(exchange.reply.outcome, Success)
        made.append(obj := bench.stock.adopt(of.name, exchange) if done else bench.stock.make(of.name, fmt=fmt))
        stack.callback(bench.stock.remove, obj)
        look(obj)
        _add_refs(bench, of, obj)
    return made


def _variants(bench: Bench, of: ApiClass) -> int:
    """Return how many objects show each name of the enums that a constructor takes, of at most `NAMES`."""
    types = [field.type for _, field in given_fields(of, bench.stock.constructor(of.name))]
    return max([FLAGS, *(min(len(each.values), NAMES) for each in types if isinstance(each, Enum))])


def _add_refs(bench: Bench, of: ApiClass, obj: Obj) -> None:
    """Add to the sets of refs that explicit messages write."""
    for field in of.fields.values():
        adder = writer(bench, of, field.name, "add")
        if adder is None or len(adder.params) != 2 or not isinstance(field.type, SetOf):
            continue
        with suppress(Unavailable):
            for ref in plain_values(bench, of.name, field, field.type.item, 2) if refs_in(field.type) else ():
                bench.call(bench.formats[0], adder.full_name, obj.ref, ref)


def _theirs(bench: Bench, of: ApiClass, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return objects that are there for the references that are null and need not be."""
    found: dict[str, Value] = {}
    for name, field in given_fields(of):
        if not isinstance(field.type, RefTo) or not is_null_text(values.get(name, NULL_REF)):
            continue
        if bench.profile.domain(of.name, field.name).is_free:
            found |= dict(zip([name], bench.stock.existing(field.type.cls), strict=False))
    return found


def _empty(bench: Bench, of: ApiClass, look: Look, stack: ExitStack) -> list[Obj]:
    """Make an object whose texts and collections were emptied."""
    obj = make_awkward(bench, of, EMPTY)
    stack.callback(bench.stock.remove, obj)
    look(obj)
    return [obj]


def _referred_to(bench: Bench, of: ApiClass, look: Look, stack: ExitStack) -> list[Obj]:
    """Make an object that two of each kind refer to that can, after it was looked at; or let them refer to another."""
    try:
        obj = bench.stock.make(of.name)
        stack.callback(bench.stock.remove, obj)
    except Unavailable:
        (obj,) = bench.stock.readable(of.name)
    look(obj)
    stack.enter_context(surrounded(bench, of, 2, obj.ref))
    return [obj]


def _powered(bench: Bench, of: ApiClass, look: Look, stack: ExitStack) -> list[Obj]:
    """Bring a VM into each power state, after it was looked at; of hosts take the one on which it runs."""
    made: list[Obj] = []
    states = {"VM": POWER, "host": POWER[:1]}.get(of.name, ()) if bench.budget.boundaries else ()
    for state in states:
        walk = Walk(bench, bench.api.classes["VM"])
        stack.callback(walk.end)
        with suppress(Unavailable, Unanswered):
            seen = walk.vm if of.name == "VM" else bench.stock.readable(of.name)[0]
            look(seen)
            walk.reach(state)
            made.append(seen)
    return made


def _ended_tasks(bench: Bench, of: ApiClass, look: Look, stack: ExitStack) -> list[Obj]:
    """Begin a task that fails and one that succeeds, and take them as they are when a call later is through."""
    made: list[Obj] = []
    if of.name != "task" or not bench.api.message("network.destroy"):
        return made
    fmt, network = bench.formats[0], bench.stock.make("network")
    stack.callback(_let_go, bench, network)
    for ref in (unknown_ref(), network.ref):
        outcome = bench.call(fmt, "Async.network.destroy", ref, probe=True).reply.outcome
        if isinstance(outcome, Success) and isinstance(outcome.value, str) and not is_null_text(outcome.value):
            made.append(obj := bench.stock.adopt_ref("task", outcome.value))
            stack.callback(_let_go, bench, obj)
            look(obj)
    return made


def _let_go(bench: Bench, obj: Obj) -> None:
    """Remove an object of ours that may have ended already."""
    if bench.stock.remove(obj):
        bench.stock.forget(obj)
