"""Level 1, the empty result of messages that follow from no accessor: called on what is ours, or stays as it is.

Any of them may be refused, for reasons of the server's own; then nothing is judged, nor told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from xenconform.conformance.checks.aimed import Aim, spares_nothing, undo
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.power_walk import Walk
from xenconform.conformance.checks.sessions import PATIENCE
from xenconform.conformance.checks.stirring import copied_with, explicit_of
from xenconform.models.api import ApiClass, Message, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.own import ALIASES, NOTHING, SETTERS, SWITCHES
from xenconform.models.power import TRANSITIONS
from xenconform.models.types import MapOf, SetOf, Void

RULED = frozenset({*ALIASES, *NOTHING, *SETTERS, *SWITCHES, "task.cancel"})
"""Messages of which it is said what they do to an object, by full name: to one of ours they may be sent anywhere."""
WAITS = "wait_"
"""How messages begin that answer once something has come about."""
MEMBERS = {"add": "remove", "add_to": "remove_from"}


def void_explicit(of: ApiClass) -> list[Message]:
    """Return the messages of a class that return nothing and are neither implicit nor setters nor what ends objects."""
    live = (m for m in of.messages.values() if m.lifecycle.state is not State.REMOVED and m.name != of.destructor)
    found = [m for m in live if not m.implicit and m.verb != "set" and m.result == Void()]
    return [message for message in found if not message.name.startswith(WAITS)]


def explicit_calls(bench: Bench, of: ApiClass) -> Iterator[Exchange]:
    """Call such messages of a class, each over one format of XML and one of JSON, and yield each exchange."""
    messages = void_explicit(of)
    moving = {message.name for message in messages} & TRANSITIONS.keys() if of.name == "VM" else set()
    if moving:
        yield from _power(bench, of)
    for at, message in enumerate(messages if bench.budget.boundaries else messages[:1]):
        if message.name in moving or message.full_name in bench.profile.never:
            continue
        for fmt in _turn(bench, at):
            with suppress(Unavailable, Unanswered):
                exchanges = list(_called(bench, of, message, fmt))
                yield from exchanges
                if not any(isinstance(each.reply.outcome, Success) for each in exchanges):
                    break  # What is refused over one format is refused over the other.


def _turn(bench: Bench, at: int) -> list[Format]:
    """Return XML-RPC, whose void is a form of its own, and one of the formats that are JSON, by turns."""
    as_json = [fmt for fmt in bench.formats if fmt is not Format.XMLRPC]
    turn = as_json[(bench.seed + at) % len(as_json) :][:1] if as_json else []
    return [*turn, *(fmt for fmt in bench.formats if fmt is Format.XMLRPC)]


def _called(bench: Bench, of: ApiClass, message: Message, fmt: Format) -> Iterator[Exchange]:
    if message.full_name in SETTERS or message.full_name in SWITCHES:
        yield from _as_it_is(bench, of, message, fmt)
    elif message.verb:
        yield from _member(bench, of, message, fmt)
    elif message in explicit_of(bench, of.name) and (message.full_name in RULED or spares_nothing(bench)):
        yield _on_ours(bench, message, fmt)


def _power(bench: Bench, of: ApiClass) -> Iterator[Exchange]:
    """Bring a VM of ours through the power states; go back to a snapshot of it."""
    walk = Walk(bench, of)
    try:
        for at, message in enumerate(walk.messages()):
            for fmt in _turn(bench, at):
                with suppress(Unavailable, Unanswered):
                    walk.reach(TRANSITIONS[message.name].before[0])
                    yield walk.call(message, fmt, probe=True)
        for fmt in _turn(bench, 0) if f"{of.name}.revert" not in bench.profile.never else ():
            with suppress(Unavailable, Unanswered):
                yield bench.call(fmt, f"{of.name}.revert", walk.snapshot(fmt), probe=True)
    finally:
        walk.end()


def _as_it_is(bench: Bench, of: ApiClass, message: Message, fmt: Format) -> Iterator[Exchange]:
    """Write what an object's fields have already; turn a switch of an object of ours, and of others to where it is."""
    obj = bench.stock.writable(of.name)
    record, _ = bench.ask(fmt, f"{of.name}.get_record", obj.ref)
    if message.full_name in SWITCHES:
        name, value = SWITCHES[message.full_name]
        if obj.own or record.get(name) == value:
            yield _sent(bench, message, Aim((obj.ref,), obj), fmt)
        return
    places = SETTERS[message.full_name]
    args = [record[places[param.name][0]] for param in message.params[1:] if param.name in places]
    if len(args) == len(message.params) - 1:
        yield _sent(bench, message, Aim((obj.ref, *args)), fmt)


def _member(bench: Bench, of: ApiClass, message: Message, fmt: Format) -> Iterator[Exchange]:
    """Add a member that is not there, and take it away again: the message that takes away is called along with it."""
    remover = of.messages.get(f"{MEMBERS.get(message.verb, '')}_{message.field}")
    if remover is None or remover.full_name in bench.profile.never or f"get_{message.field}" not in of.messages:
        return
    member = [copied_with(bench, of.name, param.type) for param in message.params[1:]]
    obj, field = bench.stock.writable(of.name), of.fields[message.field]
    with bench.restoring(obj, field.name):
        now, _ = bench.ask(fmt, f"{of.name}.get_{field.name}", obj.ref)
        if isinstance(field.type, SetOf | MapOf) and member[0] not in now:
            yield _sent(bench, message, Aim((obj.ref, *member)), fmt)
            yield _sent(bench, remover, Aim((obj.ref, member[0])), fmt)


def _on_ours(bench: Bench, message: Message, fmt: Format) -> Exchange:
    obj = bench.stock.own(message.cls)
    rest = [copied_with(bench, message.cls, param.type) for param in message.params[1:]]
    return _sent(bench, message, Aim((obj.ref, *rest), obj), fmt)


def _sent(bench: Bench, message: Message, aimed: Aim, fmt: Format) -> Exchange:
    exchange = bench.call(fmt, message.full_name, *aimed.args, probe=True, deadline=PATIENCE)
    undo(bench, message, aimed, exchange)
    return exchange
