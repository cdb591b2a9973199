"""What is asked of a server and what comes of it, before and after any wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from xenconform.models.values import Param, Value


class Format(StrEnum):
    """The three wire formats; the values are the names used in options, logs and reports."""

    XMLRPC = "xmlrpc"
    JSONRPC1 = "jsonrpc1"
    JSONRPC2 = "jsonrpc2"


@dataclass(frozen=True, slots=True)
class Call:
    """One message with its parameters, the session left out.

    `message` is the full name, `VM.set_name_label` or `Async.VM.start`; `args` are typed values in the order of the
    message's parameters.
    """

    message: str
    args: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Success:
    """The message was carried out; `value` is of the message's result type, None for void."""

    value: Value


@dataclass(frozen=True, slots=True)
class Failure:
    """The server refused, in the API's own way: an error code and its parameters, all strings on the wire."""

    code: str
    params: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True)
class Breach:
    """What came back is no answer in the protocol at all: no value can be read from it.

    `kind` is one of the names in `models.flaws.KINDS`; `detail` says it for people; `offset` is the byte of the
    reply's body where it was seen, or -1.
    """

    kind: str
    detail: str
    offset: int = -1


Outcome: TypeAlias = Success | Failure | Breach


@dataclass(frozen=True, slots=True)
class Flaw:
    """An answer that can be read and yet breaks a rule of the wire: an int sent as <i4>, a set with a value twice.

    `kind`, `detail` and `offset` as in `Breach`; `where` is the path inside the value, like `other_config[a]`.
    """

    kind: str
    detail: str
    where: str = ""
    offset: int = -1


@dataclass(frozen=True, slots=True)
class Reply:
    """A decoded reply: its outcome and everything about its bytes that breaks a rule."""

    outcome: Outcome
    flaws: tuple[Flaw, ...] = ()
