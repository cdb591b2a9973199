"""Cells of the matrix of messages and roles: how one is called, and how those of a class × role are told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from xenconform.conformance.checks.aimed import Aim, aim, at_theirs, is_maker, takes_self
from xenconform.conformance.checks.arguments import WRITING
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable, describe
from xenconform.conformance.checks.logins import roles_of
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.sessions import PATIENCE
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tally import LISTED, Tally
from xenconform.models.api import Message
from xenconform.models.calls import Failure, Format
from xenconform.models.exchange import Exchange
from xenconform.models.profiles import Scope

DENIED = "RBAC_PERMISSION_DENIED"


@dataclass(frozen=True, slots=True)
class Cell:
    """A message, a role, and the format to call it over."""

    message: Message
    role: str
    fmt: Format

    @property
    def allowed(self) -> bool:
        """Whether the message is published for the role."""
        return self.role in self.message.roles


@dataclass(slots=True)
class Row:
    """The cells of a class × role: what was wrong, beside what the tally counts."""

    tally: Tally
    wrong: list[tuple[Cell, Exchange]] = field(default_factory=list)

    def count(self, cell: Cell, exchange: Exchange, *, right: bool) -> None:
        """Count a cell as tested, and what came as wrong where it was."""
        self.tally.fine()
        if not right:
            self.wrong.append((cell, exchange))

    def close(self, bench: Bench, role: str) -> None:
        """Record one finding for all that was wrong."""
        if not self.wrong:
            return
        self.tally.failed += 1
        told = [f"{_name(cell, seen)} over {cell.fmt}: {describe(seen)}" for cell, seen in self.wrong[:LISTED]]
        more = len(self.wrong) - LISTED
        shown = "; ".join([*told, *([f"and {more} more"] if more > 0 else [])])
        with bench.judging("RBAC", self.tally.element) as judge:
            judge.fail(
                f"{role} runs the messages that are published for it; {DENIED} for all others",
                f"{len(self.wrong)} of {self.tally.asserted} otherwise: {shown}",
                *(seen for _, seen in self.wrong[:LISTED]),
            )


def _name(cell: Cell, seen: Exchange) -> str:
    return f"{seen.message} ({'allowed' if cell.allowed else 'not allowed'})"


def call_as(bench: Bench, cell: Cell, name: str, aimed: Aim) -> Exchange:
    """Call a message with the session of a role, anew where that session has ended."""
    for _ in range(2):
        session = bench.roles.session(bench, cell.role)
        exchange = bench.call(cell.fmt, name, *aimed.args, probe=True, session=session, deadline=PATIENCE)
        outcome = exchange.reply.outcome
        if not (isinstance(outcome, Failure) and outcome.code == "SESSION_INVALID"):
            break
        bench.roles.forget(cell.role)
    return exchange


def is_let_in(bench: Bench, cell: Cell, aimed: Aim) -> bool:
    """Whether the same call tells another role that may not make it either of its role: then it let this one in."""
    for role in reversed(roles_of(bench.api)):
        if role != cell.role and role not in cell.message.roles and role in bench.roles.logins:
            with suppress(Unavailable):
                seen = call_as(bench, replace(cell, role=role), cell.message.full_name, aimed)
                return isinstance(seen.reply.outcome, Failure) and seen.reply.outcome.code == DENIED
    return False


def be_refused(bench: Bench, cell: Cell) -> None:
    """Have a call of the run's own user refused: what a server knew of that one is not to serve the next."""
    messages = bench.api.classes[cell.message.cls].messages
    for reader in [name for name in ("get_uuid", "get_record") if name in messages][:1]:
        bench.call(cell.fmt, f"{cell.message.cls}.{reader}", unknown_ref(), probe=True)


def real(bench: Bench, message: Message) -> Aim | None:
    """Return arguments of a good call that has no lasting effect; None where there are none."""
    of = bench.api.classes[message.cls]
    if message.name == of.destructor:
        obj = bench.stock.make(message.cls)
        return Aim((obj.ref,), obj) if len(message.params) == 1 else None
    if message.name == "get_record" and takes_self(message):
        obj = bench.stock.readable(message.cls)[0]
        return Aim((obj.ref,), Obj(obj.cls, obj.ref, own=False), right=True)
    aimed = aim(bench, message)
    if aimed.right and (message.verb or is_maker(bench, message)):
        return aimed
    if message.verb in WRITING and takes_self(message):
        return at_theirs(bench, message)
    # What a message does to an object of ours is its own affair, but only where all of a server may be written.
    return aimed if aimed.live is not None and aimed.live.own and bench.profile.scope is Scope.ALL else None
