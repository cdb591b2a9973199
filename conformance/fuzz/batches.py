"""JSON documents as they are, and arrays of calls: a batch is answered as a whole or turned down as a whole."""

from __future__ import annotations

import json
from typing import Any

from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange


def as_json(document: bytes) -> Any:
    """Return what a document holds that is JSON without a member twice, None of any other."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any] | None:
        found = dict(pairs)
        return found if len(found) == len(pairs) else None

    try:
        return json.loads(document, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None


def answers_of(exchange: Exchange) -> list[Any] | None:
    """Return the answers to a batch, none to notifications alone; None where it is no batch or was turned down."""
    if exchange.format is Format.XMLRPC or exchange.status != 200:
        return None
    calls = _array(exchange.sent)
    if not exchange.received:
        return [] if calls and not any(_is_answered(each) for each in calls) else None
    if not calls:
        return None
    if isinstance(exchange.reply.outcome, Success):
        return [as_json(exchange.received)]
    return _array(exchange.received) or None


def is_in_part(exchange: Exchange, answers: list[Any]) -> bool:
    """Whether some calls of a batch were carried out, and there are fewer answers than calls that get one."""
    asked = sum(map(_is_answered, _array(exchange.sent)))
    whole = sum(isinstance(each, dict) and bool(each.keys() & {"result", "error"}) for each in answers)
    return any(map(is_success, answers)) and whole < max(asked, len(answers))


def is_success(answer: Any) -> bool:
    """Whether an answer to one call of a batch is a success."""
    return isinstance(answer, dict) and "result" in answer and answer.get("error") is None


def _is_answered(call: Any) -> bool:
    """Whether a member of a batch gets an answer; what is no object is no notification."""
    return not isinstance(call, dict) or isinstance(call.get("id"), str | int)


def _array(body: bytes) -> list[Any]:
    found = as_json(body) if body.lstrip(b" \t\r\n").startswith(b"[") else None
    return found if isinstance(found, list) else []
