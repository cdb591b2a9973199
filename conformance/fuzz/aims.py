"""Good arguments of messages, for as long as what they name is there."""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks.aimed import Aim, aim, reads_by_name, takes_self, without_refs
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.fuzz.stage import Stage
from xenconform.models.api import Message


class Aims:
    """The aim of each message on a stage, made when it is first asked for, and anew where its objects are gone."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._made: dict[str, Aim | None] = {}

    def known(self, message: Message) -> Aim | None:
        """Return good arguments where the message was asked for before."""
        return self._made.get(message.full_name)

    def at(self, message: Message) -> Aim | None:
        """Return good arguments of a message, None where there are none; each is asked for once, while it is there."""
        if self._stage.gone:
            self._let_go()
        if message.full_name not in self._made:
            try:
                self._made[message.full_name] = self._at_any(message) or aim(self._stage.bench, message)
            except (Unavailable, Unanswered):
                self._made[message.full_name] = None
        return self._made[message.full_name]

    def _let_go(self) -> None:
        """Aim at other objects where ours are gone, such as with one that they were a part of."""
        gone, made = {*self._stage.gone}, {obj.ref for obj in self._stage.bench.stock.made}
        self._stage.gone.clear()
        if gone & made:
            self._stage.forget(gone)
            left = {obj.ref for obj in self._stage.bench.stock.made}
            lost = gone & (made - left)
            self._made = {m: each for m, each in self._made.items() if each is None or not lost & set(names_in(each))}

    def _at_any(self, message: Message) -> Aim | None:
        """Aim a message that reads an object at one that is there, whose ever it is; None for any other message."""
        if message.verb or not (takes_self(message) and reads_by_name(message)):
            return None
        rest = [without_refs(param.type) for param in message.params[1:]]
        if None in rest:
            return None
        (obj,) = self._stage.bench.stock.readable(message.cls)
        return Aim((obj.ref, *rest), obj, right=True)


def names_in(aimed: Aim) -> Iterator[str]:
    """Yield the texts among arguments, which may be refs."""
    for arg in aimed.args:
        yield from (each for each in (arg if isinstance(arg, tuple) else (arg,)) if isinstance(each, str))
