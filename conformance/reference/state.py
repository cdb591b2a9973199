"""What a reference server holds: the World, and beside it the refs, the sessions and the log of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from xenconform.conformance.reference.changes import SILENT, ChangeLog
from xenconform.conformance.reference.plans import Plans
from xenconform.conformance.reference.refs import RefBook
from xenconform.conformance.reference.sessions import Sessions, session_fields, with_users
from xenconform.conformance.reference.users import User, Users, default_users
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch, World

Keep: TypeAlias = Callable[[World, tuple[Handle, ...]], None]
"""Stores a new world's touched objects before anyone is told of them."""


class Refusal(Exception):  # noqa: N818 - it carries an outcome; nothing went wrong with the server
    """A call is refused: the API's error code and its parameters."""

    def __init__(self, code: str, *params: str | Handle) -> None:
        """Take an error code of the list and its parameters."""
        super().__init__(code)
        self.failure = Failure(code, params)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A result that may come later: `poll(last)` gives it, or None while there is none; `last` gives an empty one."""

    seconds: float
    poll: Callable[[bool], Any]


def _keep_nothing(_world: World, _touched: tuple[Handle, ...]) -> None:
    """Without a state file nothing is stored."""


class State:
    """The one mutable thing of a server. `version` grows with every change that is an event."""

    def __init__(self, world: World, users: Users | None = None, keep: Keep = _keep_nothing) -> None:
        users = default_users() if users is None else users
        before = world
        self.world = with_users(world, users)
        self._keep = keep
        self.plans = Plans(world.api)
        self.sessions = Sessions(users)
        self.refs = RefBook(self.world)
        self.changes = ChangeLog()
        self.handlers: dict[str, Callable[[State, Any, tuple[Value, ...]], Any]] = {}
        """The messages that the World alone cannot answer, by name: a service brings them along."""
        for cls in self.world.objects:
            for handle in self.world.handles(cls):
                self.changes.note("add", handle, self.refs.ref(handle))
        if self.world is not before:
            keep(self.world, self.world.handles("user"))

    @property
    def version(self) -> int:
        """The id of the last change."""
        return self.changes.last

    def predict(self, call: Call) -> Branch:
        """Return what a call answers and changes here: of what the rules allow, the first."""
        return self.world.predict(call).first

    def adopt(self, world: World, touched: tuple[Handle, ...]) -> None:
        """Make a world the present one: stored first, then shown."""
        if not touched:
            return
        before = self.world
        told = tuple(dict.fromkeys(h for h in touched if h.cls not in SILENT))
        if told:
            self._keep(world, told)
        self.world = world
        for handle in dict.fromkeys(touched):
            old, new = before.record(handle), world.record(handle)
            if old is None and new is not None:
                self._tell("add", handle, self.refs.add(handle))
            elif new is None and old is not None:
                self._tell("del", handle, self.refs.ref(handle))
                self.refs.drop(handle)
            elif new != old:
                self._tell("mod", handle, self.refs.ref(handle))

    def login(self, name: str, password: str, originator: str) -> Handle:
        """Open a session.

        Raises:
            Refusal: no such user and password.
        """
        user = self.sessions.user(name, password)
        if user is None:
            raise Refusal("SESSION_AUTHENTICATION_FAILED", name, "the user or the password is wrong")
        return self._open(name, user, originator)

    def logout(self, handle: Handle) -> None:
        """End a session."""
        self.sessions.close(handle)
        branch = self.world.destroy(handle)
        self.adopt(branch.world, branch.touched)

    def _open(self, name: str, user: User, originator: str) -> Handle:
        branch = self.world.create("session", session_fields(self.world, name, user, originator))
        assert isinstance(branch.outcome, Success)
        self.adopt(branch.world, branch.touched)
        handle: Handle = branch.outcome.value
        surplus = self.sessions.open(handle, name)
        if surplus is not None:
            self.logout(surplus)
        return handle

    def _tell(self, operation: str, handle: Handle, ref: str) -> None:
        if handle.cls not in SILENT:
            self.changes.note(operation, handle, ref)
