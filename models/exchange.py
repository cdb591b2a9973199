"""One request and what came back, as it was on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from xenconform.models.calls import Format, Reply


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call over one format: the bytes of both bodies, the HTTP status, the decoded reply, the time it took.

    `args` are the typed values that were sent, refs as the server's text, the session left out. `status` is 0 and
    `received` empty where no HTTP answer came. `elapsed` is in seconds. `rewritten` tells that hosts' names were
    replaced in it: its bytes and its lengths are not those of the wire.
    """

    seq: int
    message: str
    args: tuple[object, ...]
    format: Format
    sent: bytes
    received: bytes
    status: int
    headers: tuple[tuple[str, str], ...]
    reply: Reply
    elapsed: float
    rewritten: bool = False
