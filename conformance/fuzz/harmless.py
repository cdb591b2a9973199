"""Which messages hostile input may call without harm to a server, and which of them may be given any values."""

from __future__ import annotations

from xenconform.conformance.checks.aimed import (
    ENDS_SESSIONS,
    WAITS,
    is_harmless,
    is_maker,
    only_reads,
    why_not,
)
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.births import COPIES
from xenconform.models.api import Message, Qualifier, State
from xenconform.models.types import Float


def callable_messages(bench: Bench) -> list[Message]:
    """Return the messages of a run's model that take a session and are still there."""
    messages = [message for of in bench.api.classes.values() for message in of.messages.values()]
    return [each for each in messages if each.takes_session and each.lifecycle.state is not State.REMOVED]


def is_safe(bench: Bench, message: Message) -> bool:
    """Whether a message may be called with arguments that touch objects of our own or none, and makes nothing."""
    of = bench.api.classes[message.cls]
    never = message.full_name in ENDS_SESSIONS | WAITS or why_not(bench, message) or is_maker(bench, message)
    return not never and message.name not in COPIES | {of.destructor} and is_harmless(bench, message)


def waits(message: Message) -> bool:
    """Whether a message waits for something to happen, for as long as it is told to or for ever."""
    told = any(param.name == "timeout" and isinstance(param.type, Float) for param in message.params)
    return told or message.full_name in WAITS or message.name.startswith("wait_")


def is_free(bench: Bench, message: Message) -> bool:
    """Whether a message may be given any values of its types."""
    if not message.verb:
        return only_reads(message)
    of = bench.api.classes[message.cls]
    domain = bench.profile.domain(message.cls, message.field)
    known = message.field in of.fields
    # What a server writes itself may have a setter all the same, as a task of ours has for its progress.
    writable = known and (of.fields[message.field].qualifier is not Qualifier.RUNTIME or not message.implicit)
    return message.verb == "get" or (domain.is_free and not domain.skip and not domain.fixed and writable)
