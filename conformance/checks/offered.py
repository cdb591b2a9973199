"""What a server still has of what its release has removed: asked once, before anything is judged.

A removed field keeps its messages on most servers. One that says MESSAGE_REMOVED instead is as right (error list), and
is then not held to these messages; that it says so for one of a kind stands for the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.client import Client
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Format
from xenconform.models.refusals import is_removed
from xenconform.models.types import NULL_REF
from xenconform.models.views import without


def as_offered(client: Client, api: Api, fmt: Format) -> Api:
    """Return the API without the messages of removed fields and classes that the server says are removed.

    A server that does not answer, or a log from before this was asked, is held to all of them.
    """
    gone = set[str]()
    for kind in _removed(api):
        asked = next((each for each in kind if each.name == "get_all" or each.verb == "get"), None)
        if asked is None:
            continue
        try:
            exchange = client.call(fmt, asked.full_name, [NULL_REF for _ in asked.params])
        except Unavailable:
            return api
        if not exchange.status:
            return api
        if is_removed(api.message(asked.full_name), exchange.reply.outcome):
            gone |= {each.full_name for each in kind}
    return without(api, gone)


def _removed(api: Api) -> Iterator[list[Message]]:
    """Yield the messages that follow from a removed field or class: of one of these at a time."""
    for of in api.classes.values():
        implicit = [message for message in of.messages.values() if message.implicit]
        if of.lifecycle.state is State.REMOVED:
            yield implicit
        else:
            yield from ([each for each in implicit if each.field == name] for name in _fields(of))


def _fields(of: ApiClass) -> list[str]:
    return [field.name for field in of.fields.values() if field.lifecycle.state is State.REMOVED]
