"""Why a server may refuse what the rules allow: reasons of its own domain, and messages that it does not offer."""

from __future__ import annotations

from typing import Final

from xenconform.models.api import Message, State
from xenconform.models.calls import Failure, Outcome
from xenconform.models.types import refs_in
from xenconform.models.values import Handle, is_null_text

DOMAIN_CODES: Final = (
    "VALUE_NOT_SUPPORTED",
    "INVALID_VALUE",
    "OPERATION_NOT_ALLOWED",
    "VM_BAD_POWER_STATE",
    "LICENCE_*",
    "LICENSE_*",
    "FEATURE_*",
)
"""Codes of a server's own domain, besides those that a message declares; a `*` stands for any ending."""
OF_ACTS: Final = (
    "CANNOT_*", "DEVICE_*", "DUPLICATE_*", "HA_*", "HOST_*", "INVALID_*", "LOCATION_NOT_UNIQUE", "MAC_*", "MEMORY_*",
    "OPERATION_*", "OTHER_OPERATION_IN_PROGRESS", "OUT_OF_SPACE", "SR_*", "TOO_*", "VDI_*", "VM_*",
)  # fmt: skip
"""Codes of what a server does besides noting a value: of the list of errors, whose messages seldom declare them."""
PROTOCOL: Final = frozenset({"session", "message", "event"})
"""Classes whose names begin codes of the protocol, which are no reasons of a domain."""
MISSING_CODES: Final = ("MESSAGE_METHOD_UNKNOWN", "NOT_IMPLEMENTED", "MESSAGE_REMOVED")
"""Codes with which a server says that it does not offer a message: no clause obliges it to, where no field does."""
STRICT_CODES: Final = frozenset({"HANDLE_INVALID", "SESSION_INVALID", "UUID_INVALID", "MAP_DUPLICATE_KEY"})
"""Codes that have a meaning of their own and are no reason of a domain, whatever a message declares."""


def domain_codes(message: Message) -> tuple[str, ...]:
    """Return the codes with which a message may be refused for a reason of the server's domain; none for a reader."""
    if message.verb == "get" or message.name.startswith("get_"):
        return ()
    declared = tuple(code for code in message.errors if code not in STRICT_CODES)
    return tuple(dict.fromkeys((*reasons(message), *declared, *(() if message.implicit else MISSING_CODES))))


def reasons(message: Message) -> tuple[str, ...]:
    """Return the codes of a domain that a message need not declare: those of acts for all but a field's accessors.

    NETWORK_CONTAINS_PIF and PIF_ALREADY_BONDED are of the list of errors, and no message declares them.
    """
    if message.implicit and message.verb:
        return DOMAIN_CODES
    named = {message.cls, *(cls for param in message.params for cls in refs_in(param.type))} - PROTOCOL
    return (*DOMAIN_CODES, *OF_ACTS, *(f"{cls.upper()}_*" for cls in sorted(named)))


def is_removed(message: Message | None, outcome: Outcome) -> bool:
    """Whether a server says of a field's message, or a class's, that the release has it no more, which is so."""
    told = isinstance(outcome, Failure) and outcome.code == "MESSAGE_REMOVED"
    return told and message is not None and message.implicit and message.lifecycle.state is State.REMOVED


def is_missing(message: Message | None, outcome: Outcome) -> bool:
    """Whether a server says that it does not offer a message that follows from no field, or from a removed one."""
    explicit = message is not None and not message.implicit
    told = explicit and isinstance(outcome, Failure) and outcome.code in MISSING_CODES
    return told or is_removed(message, outcome)


def is_of_domain(message: Message | None, outcome: Outcome) -> bool:
    """Whether a write was refused for a reason of the server's domain; a reader has none."""
    if message is None or not isinstance(outcome, Failure) or message.verb == "get":
        return False
    return matches(outcome.code, (*reasons(message), *message.errors)) or refuses_null(message, outcome)


def refuses_null(message: Message, outcome: Outcome) -> bool:
    """Whether an act was refused since a ref that it was given is null: some are nothing without an object there.

    A field's accessors take the null ref: it is a value of the field's type.
    """
    if (message.implicit and message.verb) or not isinstance(outcome, Failure):
        return False
    return outcome.code == "HANDLE_INVALID" and any(_is_null(each) for each in outcome.params[1:2])


def _is_null(param: str | Handle) -> bool:
    return param.is_null if isinstance(param, Handle) else is_null_text(param)


def matches(code: str, patterns: tuple[str, ...]) -> bool:
    """Whether a code is one of the patterns, or begins as one that ends in `*` does."""
    return any(code == each or (each.endswith("*") and code.startswith(each[:-1])) for each in patterns)
