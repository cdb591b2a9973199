"""What a fault of the reference server is, and what it takes hold of.

A fault is a function of a few lines that wraps one seam of a server that is about to serve. Its docstring is the
symptom: what a client sees, when. It names the one clause that must catch it, and in `also` those other clauses that
it breaks by their own rules. Faults are switched on one at a time, as a rule, and never in a server that is relied on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from xenconform.conformance.codec import Codec, DecodedCall
from xenconform.conformance.reference.app import App
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import State
from xenconform.models.api import Api
from xenconform.models.calls import Format


class Difficulty(StrEnum):
    """How much has to come together before a fault shows."""

    EASY = "easy"
    """It shows in every class and format that has the thing."""
    MEDIUM = "medium"
    """One condition: one format, one class or field, one kind of value, one earlier call."""
    HARD = "hard"
    """Two conditions or more, a history of calls, a restart, or calls at the same time."""


EASY, MEDIUM, HARD = Difficulty


@dataclass(slots=True)
class Server:
    """A reference server under a fault: its parts, and the call that it is answering.

    `restarted` tells that the world was read from a state file. `fmt`, `method` and `session` are of the call in hand;
    `session` is None before a session was found for it.
    """

    service: Service
    restarted: bool = False
    app: App = field(init=False)
    fmt: Format = Format.XMLRPC
    method: str = ""
    session: Session | None = None
    incoming: list[Callable[[bytes], bytes]] = field(default_factory=list)
    """What changes the bytes of connections before HTTP is read in them."""

    def __post_init__(self) -> None:
        """Put the service behind an application."""
        self.app = App(self.service)

    @property
    def state(self) -> State:
        """What the server holds."""
        return self.service.state

    @property
    def api(self) -> Api:
        """The model that it serves."""
        return self.state.world.api

    def is_over(self, *formats: Format) -> bool:
        """Whether the call in hand came over one of these formats; any will do where none is named."""
        return not formats or self.fmt in formats


Install: TypeAlias = Callable[[Server], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: see the module.

    Attributes:
        name: by which it is switched on.
        area: the part of a server that is wrong, which is the module that the fault stands in.
        clause: the id of the clause that must catch it.
        also: ids of further clauses that it breaks by their own rules; STATE-MODEL, which holds all that happens
            against all the rules, need not be named.
        cls: a class of the model in which it shows.
        difficulty: how much has to come together before it shows.
        symptom: what a client sees, in a sentence or two.
        put: wraps the seam.
    """

    name: str
    area: str
    clause: str
    also: tuple[str, ...]
    cls: str
    difficulty: Difficulty
    symptom: str
    put: Install

    def install(self, server: Server) -> None:
        """Switch the fault on, in a server that has answered nothing yet."""
        follow(server)
        self.put(server)


def follow(server: Server) -> None:
    """Keep `fmt`, `method` and `session` of a server those of the call in hand."""
    if "_answer" in vars(server.service):
        return

    def answer(old: Any, codec: Codec, call: DecodedCall) -> Any:
        server.fmt, server.method, server.session = codec.format, call.method, None
        return old(codec, call)

    def encode(old: Any, codec: Codec, call: DecodedCall, *args: Any, **options: Any) -> Any:
        # An answer that was waited for is written while another call may be the latest.
        server.fmt, server.method = codec.format, call.method
        return old(codec, call, *args, **options)

    def session(old: Any, *args: Any) -> Any:
        server.session = old(*args)
        return server.session

    around(server.service, "_answer", answer)
    around(server.service, "_encode", encode)
    around(server.service, "_session", session)


def around(owner: Any, name: str, new: Callable[..., Any]) -> None:
    """Put `new(old, *args)` in the place of a method of an object."""
    old = getattr(owner, name)
    setattr(owner, name, lambda *args, **options: new(old, *args, **options))


TABLE: dict[str, Fault] = {}
"""Every fault by its name, in the order of the modules."""


def fault(
    clause: str, cls: str = "network", difficulty: Difficulty = EASY, *, also: str = ""
) -> Callable[[Install], Install]:
    """Enter a function into the table as a fault under its own name; `also` is a list of ids with spaces between."""

    def enter(put: Install) -> Install:
        name, area = put.__name__, put.__module__.rpartition(".")[2]
        if name in TABLE:
            raise ValueError(f"two faults are named {name}: in {TABLE[name].area} and in {area}")
        symptom = " ".join((put.__doc__ or "").split())
        TABLE[name] = Fault(name, area, clause, tuple(also.split()), cls, difficulty, symptom, put)
        return put

    return enter
