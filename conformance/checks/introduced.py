"""Objects that come under a uuid which the caller gives: what makes them, and with which arguments."""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks.bench import Bench
from xenconform.models.api import ApiClass, Constructor, State
from xenconform.models.values import Value


def introducers(of: ApiClass) -> Iterator[Constructor]:
    """Return the constructors of a class that take a uuid as a parameter, and that the release has."""
    for constructor in of.constructors:
        message = constructor.message
        if message.lifecycle.state is not State.REMOVED and "uuid" in (param.name for param in message.params):
            yield constructor


def under(bench: Bench, of: ApiClass, constructor: Constructor, uuid: str) -> tuple[Value, ...]:
    """Return the arguments that introduce one more object of a class under a uuid.

    Raises:
        Unavailable: what it needs cannot be had.
    """
    given = bench.stock.exemplar(of.name, constructor) | {"uuid": uuid}
    return tuple(given[param.name] for param in constructor.message.params)
