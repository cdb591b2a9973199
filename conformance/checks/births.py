"""What a run has seen come into being: each ref that a constructor gave, and each uuid that such an object showed.

A server that gives refs again may do so long after: when a list of free places is long enough, or a counter has come
round. So every constructor's answer is held against all before it, whichever check made the call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xenconform.models.api import ApiClass, Message
from xenconform.models.calls import Success
from xenconform.models.types import RefTo
from xenconform.models.verdicts import Judgement, Verdict

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench
    from xenconform.models.exchange import Exchange
    from xenconform.models.values import Ref

DCE = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The OSF DCE text form of a uuid."""
COPIES = frozenset({"clone", "copy", "snapshot", "checkpoint", "snapshot_with_quiesce"})
"""Messages, besides the constructors, whose result is a new object of their class."""


@dataclass(slots=True)
class Births:
    """The refs and uuids of a run's objects, by class, those of the dead too; see the module."""

    _refs: dict[tuple[str, Ref], int] = field(default_factory=dict)
    _ended: set[tuple[str, Ref]] = field(default_factory=set)
    _uuids: dict[tuple[str, str], Ref] = field(default_factory=dict)
    _told: set[tuple[str, str, str]] = field(default_factory=set)

    def forget(self) -> None:
        """Forget everything: what was there before a restart that nothing outlives says nothing of what comes."""
        self._refs.clear()
        self._ended.clear()
        self._uuids.clear()

    def has_ended(self, cls: str, ref: Ref) -> bool:
        """Whether the run has seen an object end."""
        return (cls, ref) in self._ended

    def holder(self, cls: str, uuid: str) -> Ref | None:
        """Return the ref of the object of a class that showed a uuid first, None where none of ours did."""
        return self._uuids.get((cls, uuid))

    def note(self, bench: Bench, exchange: Exchange) -> None:
        """Note what a call made, ended or told the uuid of, and judge whether what it made is new."""
        outcome = exchange.reply.outcome
        cls, _, name = exchange.message.partition(".")
        of = bench.api.classes.get(cls)
        if of is None or not isinstance(outcome, Success):
            return
        first = exchange.args[0] if exchange.args and isinstance(exchange.args[0], str) else ""
        if name == of.destructor:
            self._ended.add((cls, first))
        elif name in {"get_uuid", "get_record"} and (cls, first) in self._refs:
            text = outcome.value.get("uuid") if name == "get_record" else outcome.value
            if self._uuids.setdefault((cls, str(text)), first) == first and not DCE.fullmatch(str(text)):
                self._tell(bench, "UUID-FORM", exchange, ("a uuid of 32 hex digits in groups of 8-4-4-4-12", str(text)))
        elif name in of.messages and isinstance(outcome.value, str):
            self.born(bench, of.messages[name], outcome.value, (exchange,))

    def born(self, bench: Bench, message: Message, ref: Ref, seen: Sequence[Exchange]) -> None:
        """Note the object that a message made, if it makes any, and judge that its ref was none before.

        Constructors that are told which object they are to make may give the same one again while it is there, those
        that are told its uuid always. What a call was given it may give back: a copy goes into a disk that it is told.
        """
        if any(ref in each.args for each in seen):
            return
        of = bench.api.classes[message.cls]
        key = (of.name, ref)
        if not _makes(of, message) or (not message.implicit and any(p.name == "uuid" for p in message.params)):
            return
        before = self._refs.setdefault(key, seen[0].seq)
        if before == seen[0].seq or not (message.implicit or message.name in COPIES or key in self._ended):
            return
        told = ("a ref that no object has or had", f"{ref}, which was given before")
        self._tell(bench, "CREATE-NEW", seen[0], told, before)

    def _tell(self, bench: Bench, clause: str, seen: Exchange, told: tuple[str, str], *calls: int) -> None:
        """Record a breach, the first of a clause, class and format."""
        key = (clause, seen.message.rpartition(".")[0].removeprefix("Async."), str(seen.format))
        if key not in self._told:
            self._told.add(key)
            bench.record(Judgement(*key, Verdict.FAIL, "", *told, (*calls, seen.seq)))


def _makes(of: ApiClass, message: Message) -> bool:
    copies = message.name in COPIES and message.result == RefTo(of.name)
    return copies or any(each.message.name == message.name for each in of.constructors)
