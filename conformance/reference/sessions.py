"""Sessions: objects of the World that a login makes and a logout ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from xenconform.conformance.reference.users import User, Users
from xenconform.models.values import Handle, Value, null
from xenconform.models.world import World

MOST_SESSIONS = 500
"""Sessions that one user may have; the oldest goes when one more opens. Source: seen on live servers."""


@dataclass(slots=True)
class Watch:
    """What a session registered for, for event.next."""

    classes: frozenset[str]
    seen: int


@dataclass(slots=True)
class Session:
    """A living session: its object, its user, and what it watches."""

    handle: Handle
    name: str
    user: User
    watch: Watch | None = field(default=None)


class Sessions:
    """The living sessions of a server; none outlives the process."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._by_handle: dict[Handle, Session] = {}
        self._of_user: dict[str, deque[Handle]] = {}

    def user(self, name: str, password: str) -> User | None:
        """Return the user of that name and password."""
        found = self._users.get(name)
        return found if found is not None and found.knows(password) else None

    def get(self, handle: Handle | None) -> Session | None:
        """Return the living session of an object."""
        return self._by_handle.get(handle) if handle is not None else None

    def open(self, handle: Handle, name: str) -> Handle | None:
        """Add a session; return the one that has to go for it, if any."""
        self._by_handle[handle] = Session(handle, name, self._users[name])
        mine = self._of_user.setdefault(name, deque())
        mine.append(handle)
        return mine[0] if len(mine) > MOST_SESSIONS else None

    def close(self, handle: Handle) -> None:
        """Take a session out."""
        gone = self._by_handle.pop(handle)
        self._of_user[gone.name].remove(handle)


def session_fields(world: World, name: str, user: User, originator: str) -> Mapping[str, Value]:
    """Return the fields of a new session's object."""
    now = datetime.now(UTC).replace(microsecond=0)
    master = next(iter(world.handles("host")), null("host"))
    who = next((h for h in world.handles("user") if (world.record(h) or {})["short_name"] == name), null("user"))
    fields: dict[str, Value] = {
        "this_host": master,
        "this_user": who,
        "last_active": now,
        "validation_time": now,
        "is_local_superuser": "pool-admin" in user.roles,
        "auth_user_name": name,
        "originator": originator,
    }
    return {key: value for key, value in fields.items() if key in world.api.classes["session"].fields}


def with_users(world: World, users: Users) -> World:
    """Return the world with an object of class user for each who may log in; those there already stay."""
    known = {(world.record(h) or {})["short_name"] for h in world.handles("user")}
    for name in users:
        if name not in known:
            world = world.create("user", {"short_name": name, "fullname": name}).world
    return world
