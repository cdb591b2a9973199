"""A document's values before they have types: scalars with their tag and spelling, arrays, structs.

Both wires read into this tree and are written from it, so that a call with any spelling can be composed, and a reply
can be judged by how it was spelled. The tags are those of XML-RPC, "" for the bare text of a `<value>`. JSON maps
onto them: a string is `string`, a number without point and exponent `int`, any other number `double`, true and false
are `boolean` with the text 1 and 0, null is `nil`. `text` of a number is the lexeme as it was written.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

MAX_DEPTH = 64
"""Levels of arrays and structs that a document may have; the API's own values need five."""

MAX_CALL_BYTES = 16 * 2**20
"""The largest call that a server's codec reads."""

MAX_REPLY_BYTES = 64 * 2**20
"""The largest reply that a client's codec reads."""

MAX_PARTS = 3_000_000
"""The most tags, or commas and brackets, of a document, so that its tree stays within some hundred megabytes."""

RAW = "raw"
"""The tag of a scalar whose text is pasted into the document as it is, well-formed or not."""


class Scalar(NamedTuple):
    """A leaf: its tag and its text as written, escapes undone."""

    tag: str
    text: str


class Array(NamedTuple):
    """Values in their order."""

    items: tuple[Node, ...]


class Struct(NamedTuple):
    """Names and values in their order; a name may occur twice."""

    members: tuple[tuple[str, Node], ...]


Node: TypeAlias = Scalar | Array | Struct


class BadDocument(Exception):  # noqa: N818 - it is the document that is bad, not this program
    """Bytes from which no tree can be read. `kind` is a name in `models.flaws.KINDS`."""

    def __init__(self, kind: str, detail: str, offset: int = -1) -> None:
        """Take what a `Breach` needs."""
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.offset = offset


def shown(text: str, most: int = 60) -> str:
    """Return text as it may stand in a message: quoted, control characters escaped, cut."""
    cut = text if len(text) <= most else text[:most] + "…"
    return ascii(cut) if any("\ud800" <= char <= "\udfff" for char in cut) else repr(cut)


def describe(node: Node) -> str:
    """Return a few words that say what a node is."""
    match node:
        case Scalar("", text):
            return f"text {shown(text)}"
        case Scalar(tag, text):
            return f"{tag} {shown(text)}"
        case Array(items):
            return f"an array of {len(items)}"
        case Struct(members):
            return f"a struct of {len(members)}"


def utf8(body: bytes, most: int) -> str:
    """Return a body's text.

    Raises:
        BadDocument: it is empty, larger than `most` bytes, or not UTF-8.
    """
    if not body:
        raise BadDocument("reply-empty", "no body", 0)
    if len(body) > most:
        raise BadDocument("reply-too-large", f"{len(body)} bytes, more than {most}", most)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadDocument("invalid-utf8", f"byte {body[error.start]:#04x} at {error.start}", error.start) from None
