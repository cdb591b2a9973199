"""The credentials of the roles: a TOML file with a table a role, or the users that the embedded server lets in.

[read-only]
user = "reader"
password-file = "reader.txt"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xenconform.conformance.checks.logins import RoleLogin, roles_of
from xenconform.conformance.codec import carriable
from xenconform.conformance.reference.users import default_users
from xenconform.models.api import Api

KEYS = frozenset({"user", "password", "password-file"})


def embedded_logins(api: Api) -> Mapping[str, RoleLogin]:
    """Return the embedded server's user of each role of a model, which is named like it."""
    users = default_users()
    return {role: RoleLogin(role, users[role].password) for role in roles_of(api) if role in users}


def read_logins(path: Path, api: Api) -> Mapping[str, RoleLogin]:
    """Return the credentials of a file by role; a password's file is looked for beside it. No message has a password.

    Raises:
        ValueError: it cannot be read, is of another form, or names a role that the model has not.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError:
        # The parser's own words may quote the line, and a password stands in it.
        raise ValueError(f"{path}: no TOML; give a table a role, with user and password") from None
    except (OSError, UnicodeDecodeError) as why:
        raise ValueError(f"{path}: {_words(why)}; give a TOML file with a table a role") from why
    known = roles_of(api)
    for role in data:
        if role not in known:
            raise ValueError(f"{path}: [{role}] is no role; the roles are {', '.join(known)}")
    if not data:
        raise ValueError(f"{path}: names no role; give a table a role, with user and password")
    return {role: _login(path, role, entry) for role, entry in data.items()}


def _login(path: Path, role: str, entry: Any) -> RoleLogin:
    wanted = "give user, and password or password-file"
    if not isinstance(entry, dict) or not entry.keys() <= KEYS or not isinstance(entry.get("user"), str):
        raise ValueError(f"{path}: [{role}]: {wanted}")
    if ("password" in entry) == ("password-file" in entry) or not all(isinstance(each, str) for each in entry.values()):
        raise ValueError(f"{path}: [{role}]: {wanted}, one of the two, as text")
    password = entry["password"] if "password" in entry else _read(path, role, path.parent / entry["password-file"])
    if not carriable(entry["user"]) or not carriable(password):
        raise ValueError(f"{path}: [{role}]: the user or the password has a character that no XML can carry")
    return RoleLogin(entry["user"], password)


def _read(path: Path, role: str, secret: Path) -> str:
    try:
        return secret.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as why:
        raise ValueError(f"{path}: [{role}]: password-file {secret}: {_words(why)}") from why


def _words(why: OSError | UnicodeDecodeError) -> str:
    return why.strerror or "cannot be read" if isinstance(why, OSError) else "no text in UTF-8"


def masked(url: str) -> str:
    """Return a URL without the credentials that may stand in it."""
    scheme, _, rest = url.rpartition("://")
    return f"{scheme}://***@{rest.rpartition('@')[2]}" if "@" in rest else url
