"""From what a transport brought to the reply that it is: every trouble is a breach, nothing is an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xenconform.conformance.codec import Codec
from xenconform.conformance.transport import Result, TransportTrouble, Trouble
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Flaw, Format, Reply
from xenconform.models.types import Type

_KINDS: Mapping[Trouble, str] = {
    Trouble.TIMEOUT: "http-timeout",
    Trouble.BAD_HTTP: "http-malformed",
    Trouble.TOO_LARGE: "reply-too-large",
}
"""The kinds of breach; every other trouble is http-no-answer. The breach's detail begins with the trouble's name."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a reply is read against: the codec, the message's result type, the call's id."""

    codec: Codec
    result: Type | None
    ident: int | None
    bare_ok: bool = False


@dataclass(frozen=True, slots=True)
class Sending:
    """A request as it is about to go out; `message` is "" and `args` none of a body that was made by hand."""

    seq: int
    message: str
    args: tuple[object, ...]
    format: Format
    body: bytes
    path: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a request, the number that the exchange has, and the id that the reply is to have."""

    got: Result
    seq: int
    ident: int


def read_result(got: Result, expected: Expected, api: Api) -> Reply:
    """Return the reply that a transport's result is.

    A status other than 200 is a breach, unless the body is an answer of the format all the same: then that is the
    outcome, and the status a flaw. Bytes beyond a reply are a flaw. Source: RFC 9110, section 15.3.1; RFC 9112,
    section 6.3.
    """
    if isinstance(got, TransportTrouble):
        return Reply(Breach(_KINDS.get(got.kind, "http-no-answer"), f"{got.kind}: {got.detail}"))
    reply = expected.codec.decode_reply(
        got.body,
        expected.result,
        expected.ident,
        api,
        got.header("content-type") or "",
        bare_ok=expected.bare_ok,
    )
    extra = []
    if got.status != 200:
        status = f"HTTP {got.status} {got.reason[:60]}".rstrip()
        if isinstance(reply.outcome, Breach):
            return Reply(Breach("http-status", f"{status}: {reply.outcome.detail}"))
        extra.append(Flaw("http-status", status))
    if got.surplus:
        extra.append(Flaw("http-malformed", "more bytes than the reply's head allows"))
    if got.unsolicited:
        extra.append(Flaw("http-malformed", "bytes on the connection before this call was sent"))
    return replace(reply, flaws=(*reply.flaws, *extra)) if extra else reply
