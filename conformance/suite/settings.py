"""What a run is asked to do: one value, made of options, before anything is sent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from hypothesis.database import ExampleDatabase

from xenconform.conformance.checks.bench import BUDGETS
from xenconform.conformance.checks.logins import RoleLogin
from xenconform.conformance.codec import carriable
from xenconform.conformance.reference.faults import find
from xenconform.conformance.suite.credentials import embedded_logins, masked, read_logins
from xenconform.conformance.suite.examples import open_database
from xenconform.conformance.suite.restart import TIMEOUT
from xenconform.conformance.suite.selection import checked
from xenconform.conformance.transport import Tls
from xenconform.conformance.transport.dial import tls_context
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.clauses import Clause, select
from xenconform.models.levels import RESTARTED
from xenconform.models.profile_check import check_profile
from xenconform.models.profiles import Profile, Scope
from xenconform.models.target import Target, parse_target

USER_VARIABLE = "XENCONFORM_USER"
PASSWORD_VARIABLE = "XENCONFORM_PASSWORD"  # noqa: S105 - the variable's name
EMBEDDED_USER = "root"
EMBEDDED_PASSWORD = "password"  # noqa: S105 - what the embedded server, on loopback for one run, lets in
DEADLINE = 10.0
"""Seconds that a server has for one call."""
LONGEST_DEADLINE = 3600.0


class ConfigError(ValueError):
    """The user's settings cannot be used; the text names the value and the fix."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options as they were typed; empty where nothing was said."""

    url: str = ""
    user: str = ""
    password_file: str = ""
    profile: str = ""
    release: str = ""
    scope: str = ""
    budget: str = "standard"
    seed: int | None = None
    clauses: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    ca_file: str = ""
    insecure: bool = False
    proxy: str = ""
    roles: str = ""
    deadline: float = DEADLINE
    restart_command: str = ""
    restart_timeout: float = TIMEOUT
    database: str = ""
    fault: str = ""
    out: str = ""
    redact_hosts: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a run, checked. `target` is None for the embedded reference server."""

    target: Target | None
    user: str
    password: str
    profile: Profile
    api: Api
    formats: tuple[Format, ...]
    clauses: tuple[Clause, ...]
    classes: tuple[str, ...]
    budget: str
    seed: int
    tls: Tls
    proxy: str
    deadline: float
    database: ExampleDatabase | None
    out: Path | None
    restart_command: str = ""
    restart_timeout: float = TIMEOUT
    roles: Mapping[str, RoleLogin] = field(default_factory=dict)
    fault: str = ""
    """The fault of the embedded server that is switched on, "" for none."""
    redact_hosts: bool = False
    without_restart: bool = False
    """Whether clauses are no part of the run because nobody said how to restart the server."""

    @classmethod
    def of(cls, options: Options, environment: Mapping[str, str]) -> Settings:
        """Return the settings that options and environment make.

        Raises:
            ConfigError: one of them cannot be used.
        """
        try:
            target = parse_target(options.url) if options.url else None
            profile = _profile(options, embedded=target is None)
            api = Api.load().at(options.release or profile.release)
            classes = _classes(options.classes, api)
            clauses = _clauses(options, api, classes)
            formats = _formats(options.formats) or profile.formats
        except ConfigError:
            raise
        except ValueError as why:
            raise ConfigError(str(why)) from why
        user, password = _credentials(options, environment, embedded=target is None)
        return cls(
            target=target,
            user=user,
            password=password,
            profile=profile,
            api=api,
            formats=formats,
            clauses=clauses,
            classes=classes,
            budget=_budget(options.budget),
            seed=secrets.randbelow(2**32) if options.seed is None else options.seed,
            tls=_tls(options),
            proxy=_proxy(options.proxy, target),
            roles=_roles(options, api, embedded=target is None),
            deadline=_seconds("--deadline", options.deadline, "a call"),
            database=_database(options),
            out=Path(options.out) if options.out else None,
            restart_command=_restart_command(options, target),
            fault=_fault(options, target),
            restart_timeout=_seconds("--restart-timeout", options.restart_timeout, "a restart"),
            redact_hosts=options.redact_hosts,
            without_restart=_is_without_restart(options),
        )


def _clauses(options: Options, api: Api, classes: tuple[str, ...]) -> tuple[Clause, ...]:
    """Return the selected clauses that have a check; the others are no part of a run, and no run speaks of them.

    Nor are those that need a restart where nobody said how to restart the server, unless they were asked for by name.
    """
    found = checked(api, select(options.clauses), classes)
    if _is_without_restart(options):
        found = tuple(clause for clause in found if clause.id not in RESTARTED)
    if not found:
        raise ConfigError(f"--clause {' '.join(options.clauses)}: nothing to check of it in the classes of this run")
    return found


def _profile(options: Options, *, embedded: bool) -> Profile:
    profile = Profile.load(options.profile or ("reference" if embedded else "xapi"))
    check_profile(profile, Api.load())
    if not options.scope:
        return profile
    try:
        return replace(profile, scope=Scope(options.scope))
    except ValueError:
        raise ConfigError(f"--scope {options.scope}: no such scope; give own, restore or all") from None


def _formats(names: tuple[str, ...]) -> tuple[Format, ...]:
    for name in names:
        if name not in set(Format):
            raise ConfigError(f"--format {name}: no such format; give one of {', '.join(Format)}")
    return tuple(fmt for fmt in Format if fmt in names)


def _classes(names: tuple[str, ...], api: Api) -> tuple[str, ...]:
    by_lower = {name.lower(): name for name in api.classes}
    for name in names:
        if name.lower() not in by_lower:
            raise ConfigError(f"--class {name}: no such class in {api.release}; see `xenconform model list`")
    return tuple(by_lower[name.lower()] for name in names)


def _budget(name: str) -> str:
    if name not in BUDGETS:
        raise ConfigError(f"--budget {name}: no such budget; give one of {', '.join(BUDGETS)}")
    return name


def _tls(options: Options) -> Tls:
    if options.ca_file and not Path(options.ca_file).is_file():
        raise ConfigError(f"--ca-file {options.ca_file}: no such file; give the CA's certificate in PEM form")
    tls = Tls(cafile=options.ca_file or None, insecure=options.insecure)
    try:
        tls_context(tls)
    except ValueError as why:
        raise ConfigError(str(why)) from why
    return tls


def _roles(options: Options, api: Api, *, embedded: bool) -> Mapping[str, RoleLogin]:
    """Return who may log in as each role; nobody where a server by URL has no file of them."""
    if not options.roles:
        return embedded_logins(api) if embedded else {}
    try:
        return read_logins(Path(options.roles), api)
    except ValueError as why:
        raise ConfigError(f"--roles {why}") from why


def _proxy(url: str, target: Target | None) -> str:
    if not url:
        return ""
    if target is None or target.scheme == "unix":
        raise ConfigError(f"--proxy {masked(url)}: no proxy leads to {target or 'the embedded server'}; leave it out")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"--proxy {masked(url)}: no proxy's URL; give http://HOST:PORT or https://HOST:PORT")
    return url


def _seconds(option: str, seconds: float, what: str) -> float:
    if not 0 < seconds <= LONGEST_DEADLINE:
        raise ConfigError(f"{option} {seconds:g}: no time for {what}; give seconds, up to {LONGEST_DEADLINE:g}")
    return seconds


def _is_without_restart(options: Options) -> bool:
    return bool(options.url) and not options.restart_command and not options.clauses


def _restart_command(options: Options, target: Target | None) -> str:
    if options.restart_command and target is None:
        raise ConfigError("--restart-command: the embedded server needs none; give a URL, or leave it out")
    return options.restart_command


def _fault(options: Options, target: Target | None) -> str:
    if options.fault and target is not None:
        raise ConfigError(
            f"--fault {options.fault}: only the embedded server has faults to switch on; leave the URL out"
        )
    try:
        return find(options.fault).name if options.fault else ""
    except ValueError as why:
        raise ConfigError(f"--fault: {why}") from why


def check_workers(settings: Settings, workers: int) -> None:
    """Refuse several workers where only one can do what is asked.

    Raises:
        ConfigError: there are several.
    """
    for option, is_said, why in (
        ("--redact-hosts", settings.redact_hosts, "each would give names of its own"),
        ("--restart-command", settings.restart_command, "a restart would disturb the others"),
    ):
        if is_said and workers > 1:
            raise ConfigError(f"{option} with {workers} workers: {why}; give --workers 1")


def _database(options: Options) -> ExampleDatabase | None:
    try:
        return open_database(options.database, repeats=options.seed is not None)
    except ValueError as why:
        raise ConfigError(str(why)) from why


def _credentials(options: Options, environment: Mapping[str, str], *, embedded: bool) -> tuple[str, str]:
    user = options.user or environment.get(USER_VARIABLE, "") or EMBEDDED_USER
    password = _password(options, environment, user, embedded=embedded)
    for what, text in (("user", user), ("password", password)):
        if not carriable(text):
            raise ConfigError(f"the {what} has a character that no XML can carry, such as NUL; give one without it")
    return user, password


def _password(options: Options, environment: Mapping[str, str], user: str, *, embedded: bool) -> str:
    if options.password_file:
        try:
            return Path(options.password_file).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as why:
            raise ConfigError(
                f"--password-file {options.password_file}: {why}; give a text file that holds it"
            ) from why
    if PASSWORD_VARIABLE in environment:
        return environment[PASSWORD_VARIABLE]
    if embedded:
        return EMBEDDED_PASSWORD
    raise ConfigError(
        f"no password for {user}: give --password-file FILE, or set {PASSWORD_VARIABLE}; it is never shown or stored"
    )
