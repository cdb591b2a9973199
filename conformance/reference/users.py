"""Who may log in, and with which roles."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import compare_digest
from typing import Any

ADMIN = "pool-admin"
ROLES = (ADMIN, "pool-operator", "vm-power-admin", "vm-admin", "vm-operator", "client-cert", "read-only")
"""The roles of the published model, the mightiest first."""


@dataclass(frozen=True, slots=True)
class User:
    """A user's password and roles."""

    password: str
    roles: frozenset[str]

    def knows(self, password: str) -> bool:
        """Whether this is the user's password, in a time that tells nothing of it."""
        return compare_digest(self.password.encode("utf-8", "surrogatepass"), password.encode("utf-8", "surrogatepass"))

    def may(self, roles: frozenset[str]) -> bool:
        """Whether a message of these roles is for this user; pool-admin may run what names no role."""
        return bool(self.roles & roles) or (not roles and ADMIN in self.roles)


Users = Mapping[str, User]


def default_users() -> Users:
    """Return root, a pool-admin, and a user of each role, named like it; every password is `password`."""
    named = {role: User("password", frozenset({role})) for role in ROLES}
    return {"root": User("password", frozenset({ADMIN})), **named}


def read_users(path: Path) -> Users:
    """Return the users of a TOML or JSON file: name to {password, roles}.

    Raises:
        ValueError: the file cannot be read, is of another form, or names an unknown role; the message says what to do.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as why:
        raise ValueError(f"{path}: {why}; give a TOML or JSON file of users") from why
    if not isinstance(data, dict) or not data:
        raise ValueError(f"{path}: no users; expected name to {{password, roles}}")
    return {name: _user(path, name, entry) for name, entry in data.items()}


def _user(path: Path, name: str, entry: Any) -> User:
    password = entry.get("password") if isinstance(entry, dict) else None
    roles = entry.get("roles", [ADMIN]) if isinstance(entry, dict) else None
    if not isinstance(password, str) or not isinstance(roles, list):
        wanted = "expected password (text) and roles (a list)"
        raise ValueError(f"{path}: user {name!r}: {wanted}")  # noqa: TRY004 - the file is wrong, not a caller's type
    for role in roles:
        if role not in ROLES:
            raise ValueError(f"{path}: user {name!r}: no role {role!r}; the roles are {', '.join(ROLES)}")
    return User(password, frozenset(roles))
