"""How a run's log begins, and which names are hidden in it before its first line is written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from xenconform import __version__
from xenconform.conformance.client import Client
from xenconform.conformance.suite.build import build_of
from xenconform.conformance.suite.selection import offered
from xenconform.conformance.suite.settings import Settings
from xenconform.conformance.transport import RequestsTransport, SocketTransport, Transport
from xenconform.models.calls import Success
from xenconform.models.clauses import mark
from xenconform.models.events import RunKind, RunStart
from xenconform.models.pseudonyms import HOSTS, Pseudonyms, names_in
from xenconform.models.target import Target


def embedded(fault: str) -> str:
    """Return what stands for the embedded server's address."""
    return "embedded reference server" + (f" with the fault {fault}" if fault else "")


def start_of(settings: Settings, kind: RunKind) -> RunStart:
    """Return the first line of the log of a run with these settings."""
    return RunStart(
        kind=kind,
        version=__version__,
        seed=settings.seed,
        target=str(settings.target) if settings.target else embedded(settings.fault),
        release=settings.api.release,
        profile=settings.profile.name,
        scope=settings.profile.scope,
        budget="" if kind == "fuzz" else settings.budget,
        formats=tuple(settings.formats),
        clauses=tuple(clause.id for clause in settings.clauses),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        classes=settings.classes,
        fault=settings.fault,
        profile_digest=settings.profile.digest,
        waivers=settings.profile.waivers,
        build=build_of(os.environ),
        user=settings.user,
        roles={role: login.user for role, login in settings.roles.items()},
        deadline=settings.deadline,
        rules={clause.id: mark(clause) for clause in offered(settings.api, settings.classes)},
        redacted=(HOSTS,) if settings.redact_hosts else (),
        restarts=settings.target is None or bool(settings.restart_command),
    )


def hidden_hosts(settings: Settings, client: Client) -> Pseudonyms | None:
    """Return what replaces the names of hosts in the log; None where nobody asked for it.

    The hosts' own names are asked for over a client that no log tells of, so that none is written before it is known.
    """
    if not settings.redact_hosts:
        return None
    hidden = Pseudonyms()
    hidden.learn(filter(None, (settings.target.host if settings.target else "", urlsplit(settings.proxy).hostname)))
    try:
        hidden.learn(_names(settings, client))
        client.logout_all()
    finally:
        client.close()
    return hidden


def _names(settings: Settings, client: Client) -> Iterator[str]:
    for fmt in settings.formats:
        if isinstance(client.login(fmt, settings.user, settings.password).reply.outcome, Success):
            outcome = client.call(fmt, "host.get_all_records").reply.outcome
            records: Any = outcome.value if isinstance(outcome, Success) else {}
            for record in records.values() if isinstance(records, Mapping) else ():
                yield from names_in(record)
            return


def transport_to(settings: Settings, target: Target) -> Transport:
    """Return the way to a server, through the proxy where there is one."""
    if settings.proxy:
        return RequestsTransport(target, tls=settings.tls, proxy=settings.proxy)
    return SocketTransport(target, tls=settings.tls)
