"""Lines of a log in which names are replaced, marked so that nobody takes their bytes for those of the wire."""

from __future__ import annotations

import json
from collections.abc import Callable

from xenconform.models.events import Event, body_out
from xenconform.models.exchange import Exchange


def rewritten(line: str, event: Event, rewrite: Callable[[str], str]) -> str:
    """Return the line of an event with names replaced in it; that of an exchange is marked where any was.

    Bodies that are no text are replaced in as they are, byte by byte.
    """
    told = rewrite(line)
    if not isinstance(event, Exchange):
        return told
    sent, received = (_rewritten_bytes(body, rewrite) for body in (event.sent, event.received))
    if told == line and (sent, received) == (event.sent, event.received):
        return line
    bodies = {name: body_out(body) for name, body in (("sent", sent), ("received", received)) if _is_binary(body)}
    return json.dumps(json.loads(told) | bodies | {"rewritten": True}, separators=(",", ":"))


def _rewritten_bytes(body: bytes, rewrite: Callable[[str], str]) -> bytes:
    return rewrite(body.decode("latin-1")).encode("latin-1") if _is_binary(body) else body


def _is_binary(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return False
