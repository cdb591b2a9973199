"""A stranger's users, one a role, and what each may run by the model's data; who names no role in it is an admin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from strangers.values import PASSWORD, USER, Refusal, Values
from xenconform.models.api import Message

ADMIN = "pool-admin"
ROLES = (ADMIN, "pool-operator", "vm-power-admin", "vm-admin", "vm-operator", "client-cert", "read-only")
USERS = {USER: (PASSWORD, ADMIN)} | {f"the {role}": (f"{PASSWORD} {role}", role) for role in ROLES}
"""Password and role of each who may log in."""


def write_roles(folder: Path, roles: tuple[str, ...] = ROLES) -> Path:
    """Write the file of the users of some roles that `certify --roles` takes; one password is in a file of its own."""
    text = ""
    for role in roles:
        text += f'[{role}]\nuser = "the {role}"\n'
        if role == "vm-admin":
            (folder / "vm.txt").write_text(f"{PASSWORD} {role}\n")
            text += 'password-file = "vm.txt"\n'
        else:
            text += f'password = "{PASSWORD} {role}"\n'
    path = folder / "roles.toml"
    path.write_text(text)
    return path


class Roles(Values):
    """Who is who, by session."""

    session: str

    def role_for(self, raw: list[Any]) -> str:
        """Return the role of the user of a name and a password."""
        known = USERS.get(raw[0]) if isinstance(raw[0], str) else None
        if known is None or raw[1] != known[0]:
            raise Refusal("SESSION_AUTHENTICATION_FAILED", str(raw[0]))
        return known[1]

    def check_role(self, message: Message) -> None:
        role = self.role_of(self.session)
        if not self.may(role, message):
            self.deny(message)

    def role_of(self, session: str) -> str:
        return str(self.objects["session"].get(session, {}).get("role of the user", ADMIN))

    def may(self, role: str, message: Message) -> bool:
        return role in message.roles or (role == ADMIN and not message.roles)

    def deny(self, message: Message) -> None:
        why = f"{message.name} is for others"
        raise Refusal("RBAC_PERMISSION_DENIED", *([why] if "other_params" in self.tastes else [message.full_name, why]))
