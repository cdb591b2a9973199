"""Calls of explicit messages that are wrong on purpose: what they are aimed at, so that no server is harmed by them.

The law: should a defective server carry such a call out all the same, it touches an object of our own, or writes a
value that is there already, or finds no object to touch. A message that names no object cannot be aimed at all; it is
called only where it reads, or makes something that can be removed, or where nothing on the server is to be spared:
scope all, and a profile without messages that are never to be called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from xenconform.conformance.checks.arguments import WRITING, made_up
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.births import COPIES
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Message
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.profiles import Scope
from xenconform.models.types import Float, MapOf, RefTo, SetOf, Type, refs_in
from xenconform.models.values import Ref, Value, is_null_text

ENDS_SESSIONS = frozenset({"session.logout", "session.local_logout"})
"""Messages that end the session they are called with."""
WAITS = frozenset({"event.next"})
"""Messages that may keep a good call waiting for as long as nothing happens."""
_READS = re.compile(r"(get|list|retrieve|assert|ha_compute)_.*|get|.*_(list|exists)")
"""Names of messages that only read."""
HARMFUL = "may do harm, and names no object that could be made up"


@dataclass(frozen=True, slots=True)
class Aim:
    """The arguments of a call.

    `live` is the object of ours that it would touch, or whose field it would write with what is there, if any. `right`
    says that the call would be a good one; else refs in it are made up, or the object's state may refuse it.
    """

    args: tuple[Value, ...]
    live: Obj | None = None
    right: bool = False


def names_objects(message: Message) -> bool:
    """Whether a message has a parameter with refs, which can be made up."""
    return any(refs_in(param.type) for param in message.params)


def takes_self(message: Message) -> bool:
    """Whether the first parameter is an object of the message's own class."""
    return bool(message.params) and message.params[0].type == RefTo(message.cls)


def is_maker(bench: Bench, message: Message) -> bool:
    """Whether a message makes an object of its class that can be removed."""
    of = bench.api.classes[message.cls]
    return bool(of.destructor) and any(each.message.name == message.name for each in of.constructors)


def only_reads(message: Message) -> bool:
    """Whether a message reads, or is published for those who may only read."""
    return "read-only" in message.roles or reads_by_name(message)


def reads_by_name(message: Message) -> bool:
    """Whether a message has a name that only those have that read: some that whoever may only read may call do more."""
    return _READS.fullmatch(message.name) is not None


def spares_nothing(bench: Bench) -> bool:
    """Whether the server was started for the purpose, so that nothing on it can be harmed."""
    return bench.profile.scope is Scope.ALL and not bench.profile.never


def why_not(bench: Bench, message: Message) -> str:
    """Return why a message is not to be called at all, or ""."""
    if message.full_name in bench.profile.never:
        return f"the profile {bench.profile.name} says never to call it"
    return ""


def is_harmless(bench: Bench, message: Message) -> bool:
    """Whether no server is harmed that carries out a call of a message with what `aim` gives."""
    return names_objects(message) or only_reads(message) or is_maker(bench, message) or spares_nothing(bench)


def blind(message: Message) -> Aim:
    """Return arguments of which every ref is made up."""
    # What waits for events is not to wait.
    return Aim(
        tuple(0.0 if p.name == "timeout" and isinstance(p.type, Float) else made_up(p.type) for p in message.params)
    )


def aim(bench: Bench, message: Message) -> Aim:
    """Return arguments for a message: good ones of our own objects where they can be had, else made-up ones."""
    try:
        if is_maker(bench, message):
            return Aim(_exemplar(bench, message), right=True)
        if takes_self(message):
            return _at_own(bench, message)
    except Unavailable:
        return blind(message)
    return Aim(blind(message).args, right=not message.params)


def _exemplar(bench: Bench, message: Message) -> tuple[Value, ...]:
    given = bench.stock.exemplar(message.cls)
    if bench.stock.constructor(message.cls).message.name != message.name:
        raise Unavailable("another constructor is the one with an exemplar")
    return (given,) if message.implicit else tuple(given[param.name] for param in message.params)


def _at_own(bench: Bench, message: Message) -> Aim:
    if message.verb in {"set", "get"}:
        return _with_what_is_there(bench, message)
    obj = bench.stock.own(message.cls)
    rest = [without_refs(param.type) for param in message.params[1:]]
    if any(value is None for value in rest):
        return blind(message)
    return Aim((obj.ref, *rest), obj, right=message.verb in WRITING)


def _with_what_is_there(bench: Bench, message: Message) -> Aim:
    """Aim an accessor at an object that may be written, with the value that its field has."""
    if message.verb == "get":
        (obj,) = bench.stock.readable(message.cls)
        return Aim((obj.ref,), obj, right=True)
    obj = bench.stock.writable(message.cls)
    outcome = bench.call(bench.formats[0], f"{message.cls}.get_{message.field}", obj.ref).reply.outcome
    if not isinstance(outcome, Success) or len(message.params) != 2:
        raise Unavailable(f"{message.field} cannot be read")
    return Aim((obj.ref, outcome.value), obj, right=True)


def at_theirs(bench: Bench, message: Message) -> Aim | None:
    """Return a write to an object that is there, where none of ours can be had, where a setter can undo it."""
    rest = [without_refs(param.type) for param in message.params[1:]]
    if None in rest or f"set_{message.field}" not in bench.api.classes[message.cls].messages:
        return None
    try:
        obj = bench.stock.writable(message.cls)
    except Unavailable:
        return None
    return Aim((obj.ref, *rest), obj, right=True)


def without_refs(of: Type) -> Value:
    """Return a value without refs: made up, or an empty set or map of them; None where the type is a single ref."""
    if not refs_in(of):
        return made_up(of)
    match of:
        case SetOf():
            return ()
        case MapOf():
            return {}
        case _:
            return None


def other_ref(bench: Bench, cls: str) -> Ref | None:
    """Return the ref of an object of ours of another class, None where none can be made."""
    for other in ("network", "secret", "VM"):
        try:
            if other != cls:
                return bench.stock.own(other).ref
        except Unavailable:
            continue
    return None


def undo(bench: Bench, message: Message, aimed: Aim, exchange: Exchange) -> None:
    """Put right what a call did that should have failed."""
    outcome, stock = exchange.reply.outcome, bench.stock
    if not isinstance(outcome, Success):
        return
    result = outcome.value if isinstance(outcome.value, str) and not is_null_text(outcome.value) else ""
    if exchange.message.startswith("Async."):
        if result:
            stock.remove(stock.adopt_ref("task", result))
    elif result and (is_maker(bench, message) or message.name in COPIES):
        if isinstance(message.result, RefTo) and result not in stock.known_refs(message.cls):
            stock.remove(stock.adopt_ref(message.cls, result))
    elif aimed.live is not None and aimed.live.own and message.verb not in {"get", "set"}:
        # Its state is no longer what others expect: the next who needs one gets a new one.
        gone = stock.remove(aimed.live)
        stock.forget(aimed.live)
        if not gone:
            stock.adopt_ref(aimed.live.cls, aimed.live.ref)
