"""Who a run may log in as for each role of the model, and the sessions that it has opened so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from xenconform.conformance.checks.judging import Unavailable, describe
from xenconform.models.api import Api
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, is_null_text

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench
    from xenconform.models.calls import Format

LOGIN = "session.login_with_password"
FIX = "give --roles FILE with a table of this name, its user and password"


@dataclass(frozen=True, slots=True)
class RoleLogin:
    """The credentials of a user who has one role and no other."""

    user: str
    password: str = field(repr=False)


def _nobody() -> Mapping[str, RoleLogin]:
    return MappingProxyType({})


@dataclass(slots=True)
class RoleSessions:
    """The sessions of a run by role, each opened when first asked for; the client logs them out as every other.

    `logins` are the credentials by role.
    """

    logins: Mapping[str, RoleLogin] = field(default_factory=_nobody)
    _open: dict[str, Ref] = field(default_factory=dict, repr=False)
    _refused: dict[str, str] = field(default_factory=dict)
    _renewed: set[str] = field(default_factory=set)

    def session(self, bench: Bench, role: str) -> Ref:
        """Return a session of a role.

        Raises:
            Unavailable: there are no credentials of the role, or the server does not let them in.
        """
        if role in self._refused:
            raise Unavailable(self._refused[role])
        if role not in self._open:
            self._open[role] = self._log_in(bench, role)
        return self._open[role]

    def forget(self, role: str) -> None:
        """Note that the session of a role has ended: the next who asks for one gets a new one."""
        self._open.pop(role, None)

    def forget_once(self, role: str) -> None:
        """Note that the next call of a role is to be the first of its session; once for each role."""
        if role not in self._renewed:
            self._renewed.add(role)
            self.forget(role)

    def _log_in(self, bench: Bench, role: str) -> Ref:
        """Log in over a format that goes by the role; over the others only where that one does not let it in."""
        first = roles_of(bench.api).index(role) + bench.seed
        for at in range(len(bench.formats)):
            exchange = self.log_in(bench, bench.formats[(first + at) % len(bench.formats)], role)
            outcome = exchange.reply.outcome
            if isinstance(outcome, Success) and not is_null_text(outcome.value):
                return str(outcome.value)
        self._refused[role] = f"the user for {role} cannot log in: {describe(exchange)}; check the file of --roles"
        raise Unavailable(self._refused[role])

    def log_in(self, bench: Bench, fmt: Format, role: str) -> Exchange:
        """Open one more session of a role and return the exchange, whatever came.

        Raises:
            Unavailable: there are no credentials of the role.
        """
        login, known = self.logins.get(role), bench.client.credentials
        if login is None or known is None:
            raise Unavailable(f"no credentials for {role}: {FIX}")
        bench.client.secrets.add_password(login.password)
        who = (login.user, login.password)
        return bench.call(fmt, LOGIN, *who, known.version, known.originator, session=None)


def roles_of(api: Api) -> tuple[str, ...]:
    """Return the roles of a model, the one that may run most messages first."""
    allowed: dict[str, int] = {}
    for of in api.classes.values():
        for message in of.messages.values():
            for role in message.roles:
                allowed[role] = allowed.get(role, 0) + 1
    return tuple(sorted(allowed, key=lambda role: (-allowed[role], role)))
