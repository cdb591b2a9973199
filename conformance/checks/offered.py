"""What a server still has of what its release has removed: asked once, before anything is judged.

A removed field keeps its messages on most servers. One that says MESSAGE_REMOVED instead is as right (error list), and
is then not held to these messages; that it says so for one of a kind stands for the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.client import Client
from xenconform.models.api import Api, ApiClass, State
from xenconform.models.calls import Format
from xenconform.models.refusals import is_removed
from xenconform.models.types import NULL_REF
from xenconform.models.views import without


def as_offered(client: Client, api: Api, fmt: Format) -> Api:
    """Return the API without the messages of removed fields and classes that the server says are removed."""
    gone = {name for of in api.classes.values() for name in _gone(client, api, fmt, of)}
    return without(api, gone)


def _gone(client: Client, api: Api, fmt: Format, of: ApiClass) -> Iterator[str]:
    implicit = [message for message in of.messages.values() if message.implicit]
    if of.lifecycle.state is State.REMOVED:
        kinds = [implicit]
    else:
        removed = [field.name for field in of.fields.values() if field.lifecycle.state is State.REMOVED]
        kinds = [[message for message in implicit if message.field == name] for name in removed]
    for kind in kinds:
        asked = next((each for each in kind if each.name == "get_all" or each.verb == "get"), None)
        if asked is None:
            continue
        with suppress(Unavailable):  # a log from before this was asked
            args = [NULL_REF for _ in asked.params]
            if is_removed(api.message(asked.full_name), client.call(fmt, asked.full_name, args).reply.outcome):
                yield from (each.full_name for each in kind)
