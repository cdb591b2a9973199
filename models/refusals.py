"""Why a server may refuse what the rules allow: reasons of its own domain, and messages that it does not offer."""

from __future__ import annotations

from typing import Final

from xenconform.models.api import Message

DOMAIN_CODES: Final = (
    "VALUE_NOT_SUPPORTED",
    "INVALID_VALUE",
    "OPERATION_NOT_ALLOWED",
    "LICENCE_*",
    "LICENSE_*",
    "FEATURE_*",
)
"""Codes of a server's own domain, besides those that a message declares; a `*` stands for any ending."""
MISSING_CODES: Final = ("MESSAGE_METHOD_UNKNOWN", "NOT_IMPLEMENTED", "MESSAGE_REMOVED")
"""Codes with which a server says that it does not offer a message: no clause obliges it to, where no field does."""
STRICT_CODES: Final = frozenset({"HANDLE_INVALID", "SESSION_INVALID", "UUID_INVALID", "MAP_DUPLICATE_KEY"})
"""Codes that have a meaning of their own and are no reason of a domain, whatever a message declares."""


def domain_codes(message: Message) -> tuple[str, ...]:
    """Return the codes with which a message may be refused for a reason of the server's domain; none for a reader."""
    if message.verb == "get" or message.name.startswith("get_"):
        return ()
    declared = tuple(code for code in message.errors if code not in STRICT_CODES)
    return (*DOMAIN_CODES, *declared, *(() if message.implicit else MISSING_CODES))


def matches(code: str, patterns: tuple[str, ...]) -> bool:
    """Whether a code is one of the patterns, or begins as one that ends in `*` does."""
    return any(code == each or (each.endswith("*") and code.startswith(each[:-1])) for each in patterns)
