"""What every codec offers, and the few types of its own: bytes in, values out, and back; no effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from xenconform.conformance.codec.spelling import Unreadable, plain
from xenconform.conformance.codec.strict import StrictReader
from xenconform.conformance.codec.tree import BadDocument, Node
from xenconform.conformance.codec.writing import Ints
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Format, Outcome, Reply, Success
from xenconform.models.types import Type, Void
from xenconform.models.values import Value

Param: TypeAlias = tuple[Type | None, Value]
"""A parameter to write: its type and value, or None and a `Node` that is written as it stands."""

Ident: TypeAlias = int | str
"""The id of a JSON-RPC call."""


@dataclass(frozen=True, slots=True)
class DecodedCall:
    """A call as a server reads it: the method's name, the parameters' trees, the id, the format to answer in.

    `ident` is 0 in XML-RPC, which has none.
    """

    method: str
    params: tuple[Node, ...]
    ident: Ident
    version: Format


class Codec(Protocol):
    """One wire format, for both sides. Nothing here has an effect, and nothing raises for bytes that came in."""

    @property
    def format(self) -> Format:
        """The format."""

    @property
    def content_type(self) -> str:
        """The media type of calls and replies."""

    @property
    def path(self) -> str:
        """The path that calls are posted to."""

    def encode_call(
        self,
        method: str,
        params: Sequence[Param],
        ident: Ident = 1,
        *,
        api: Api | None = None,
        ints: Ints = "text",
    ) -> bytes:
        """Return a call's body. Refs are given as text; `api` types the members of records.

        Raises:
            Uncarriable: XML cannot carry a text (a ValueError; JSON carries every text).
        """

    def decode_call(self, body: bytes) -> DecodedCall | Breach:
        """Return the call that a body holds, or how it is none."""

    def encode_reply(
        self,
        outcome: Success | Failure,
        result: Type | None,
        ident: Ident = 1,
        api: Api | None = None,
        *,
        ints: Ints | None = None,
    ) -> bytes:
        """Return a reply's body; `result` None writes the value by its Python type.

        Raises:
            ValueError: the format cannot carry the value (control characters in XML, NaN in JSON).
        """

    def decode_reply(
        self,
        body: bytes,
        result: Type | None,
        ident: Ident | None = None,
        api: Api | None = None,
        content_type: str | None = None,
        *,
        bare_ok: bool = False,
    ) -> Reply:
        """Return what a reply says and every rule that its bytes break. Never raises for bytes.

        Args:
            body: the reply's body.
            result: the message's result type; None reads the value by its tags alone.
            ident: the call's id, which the reply must echo; None leaves that unjudged.
            api: types the members of records; without it they are read by their tags.
            content_type: the reply's media type as it came; None leaves that unjudged.
            bare_ok: whether a value without the Status struct is a success (system.listMethods in XML-RPC).
        """


def breach_of(bad: BadDocument) -> Breach:
    """Return the breach that a bad document is."""
    return Breach(bad.kind, bad.detail, bad.offset)


def read_result(reader: StrictReader, result: Type | None, node: Node | None) -> Outcome:
    """Return the success that a result's node is, or the breach where nothing of its type can be read.

    A node that is missing is a success of a void message, and a breach of any other; the caller notes the absence.
    """
    if node is None:
        return Success(None) if isinstance(result, Void) else Breach("envelope-no-outcome", "no result in the reply")
    if result is None:
        return Success(plain(node))
    try:
        return Success(reader.read(result, node))
    except Unreadable as bad:
        return Breach(bad.kind, f"{bad.where}: {bad.detail}" if bad.where else bad.detail)


def reply_of(outcome: Outcome, reader: StrictReader) -> Reply:
    """Return the reply with all that the reader noted."""
    return Reply(outcome, tuple(reader.flaws))


def first_members(reader: StrictReader, members: Sequence[tuple[str, Node]], known: frozenset[str]) -> dict[str, Node]:
    """Return an envelope's members by name, noting those that occur twice and those that the protocol does not name."""
    found: dict[str, Node] = {}
    for name, node in members:
        if name in found:
            reader.note("envelope-duplicate-member", f"the member {name[:60]!r} occurs twice", "")
        elif name not in known:
            reader.note("envelope-extra-member", f"the member {name[:60]!r}", "")
        found.setdefault(name, node)
    return found
