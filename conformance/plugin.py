"""The pytest plugin: the suite's options and items, and one run a process that all items share.

With `-n` every worker process makes a run of its own, with its own sessions, objects and, where no URL is given, its
own embedded server; their logs are merged into one at the end.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from xenconform.conformance.suite import MARKER
from xenconform.conformance.suite.items import LEFT_BEHIND, RESULTS, RUN, SETTINGS, SHUT_OUT, ClauseFile, ClauseItem
from xenconform.conformance.suite.restart import TIMEOUT
from xenconform.conformance.suite.run import CannotStartError, Run
from xenconform.conformance.suite.settings import DEADLINE, ConfigError, Options, Settings, check_workers
from xenconform.models.results import Results
from xenconform.models.run import merge
from xenconform.reports.write import LOG, read_run, write_all

PREFIX = "--xenconform-"
_TEXTS = {
    "url": "the server under test; without it, the embedded reference server",
    "user": "the user to log in as (default root)",
    "password-file": "a file that holds the password; else the environment's XENCONFORM_PASSWORD",
    "profile": "a shipped profile's name or a profile's file",
    "release": "the release of the API that the server is held to",
    "scope": "own, restore or all: which objects may be written",
    "budget": "quick, standard or thorough",
    "ca-file": "the CA whose certificates are trusted, in PEM form",
    "proxy": "the URL of an HTTP proxy",
    "roles": "a TOML file with the user and the password for each role",
    "restart-command": "the shell command that restarts the server under test",
    "database": "where failing sequences are kept: a folder, redis://HOST[:PORT], or none",
    "fault": "the fault to switch on in the embedded reference server",
    "out": "the folder for run.jsonl and the reports that are made of it",
}
_LISTS = {
    "clause": "a clause's id or a glob; may be given several times",
    "class": "a class; may be given several times",
    "format": "xmlrpc, jsonrpc1 or jsonrpc2; may be given several times",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    group = parser.getgroup(
        "xenconform", "conformance of a XenAPI server (pytest --pyargs xenconform.conformance.suite)"
    )
    for name, text in _TEXTS.items():
        group.addoption(f"{PREFIX}{name}", default="", help=text)
    for name, text in _LISTS.items():
        group.addoption(f"{PREFIX}{name}", action="append", default=[], help=text)
    group.addoption(f"{PREFIX}seed", type=int, default=None, help="repeats a run: the seed that it told")
    group.addoption(f"{PREFIX}deadline", type=float, default=DEADLINE, help="seconds that the server has for a call")
    group.addoption(f"{PREFIX}restart-timeout", type=float, default=TIMEOUT, help="seconds that a restart may take")
    group.addoption(f"{PREFIX}redact-hosts", action="store_true", help="replace hosts' names in all that is written")
    group.addoption(f"{PREFIX}insecure", action="store_true", help="accept any certificate")


def options_of(config: pytest.Config) -> Options:
    """Return the suite's options as they were given to pytest."""

    def said(name: str) -> Any:
        return config.getoption(f"{PREFIX}{name}")

    return Options(
        url=said("url"),
        user=said("user"),
        password_file=said("password-file"),
        profile=said("profile"),
        release=said("release"),
        scope=said("scope"),
        budget=said("budget") or "standard",
        seed=said("seed"),
        clauses=tuple(said("clause")),
        classes=tuple(said("class")),
        formats=tuple(said("format")),
        ca_file=said("ca-file"),
        insecure=said("insecure"),
        proxy=said("proxy"),
        roles=said("roles"),
        deadline=said("deadline"),
        restart_command=said("restart-command"),
        restart_timeout=said("restart-timeout"),
        database=said("database"),
        fault=said("fault"),
        out=said("out"),
        redact_hosts=said("redact-hosts"),
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take the suite's options, where any was given, before anything is collected.

    The workers of `-n` get the seed that was drawn here, so that they make one run.

    Raises:
        pytest.UsageError: one of them cannot be used.
    """
    options = options_of(config)
    unsaid = Options(
        budget=options.budget, deadline=options.deadline, restart_timeout=options.restart_timeout, out=options.out
    )
    if options == unsaid:
        return
    settings = _take_settings(config, options)
    config.option.xenconform_seed = settings.seed
    config.addinivalue_line("markers", "xdist_group(name): what one worker judges alone")
    if settings.target is not None and config.getoption("dist", "no") in {"load", "worksteal"}:
        # Where workers share one server, all that is about a class is one worker's: what another one writes to the
        # same objects would be taken for the server's doing.
        config.option.dist = "loadgroup"


def _take_settings(config: pytest.Config, options: Options) -> Settings:
    try:
        settings = config.stash[SETTINGS] = Settings.of(options, os.environ)
        check_workers(settings, 1 if _is_worker(config) else len(config.getoption("tx", None) or ()))
    except ConfigError as why:
        raise pytest.UsageError(str(why)) from why
    return settings


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the suite where pytest comes upon its file."""
    if file_path != MARKER:
        return None
    if SETTINGS not in parent.config.stash:
        _take_settings(parent.config, options_of(parent.config))
    return ClauseFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Open the run before the first item, where this process is the one that runs items."""
    config = session.config
    if not any(isinstance(item, ClauseItem) for item in session.items) or _is_controller(config):
        return
    settings = config.stash[SETTINGS]
    run = config.stash[RUN] = Run(settings, _log_of(config, settings.out))
    try:
        run.open()
    except CannotStartError as why:
        run.close(str(why))
        del config.stash[RUN]
        config.stash[SHUT_OUT] = str(why)
        if _is_worker(config):  # which may not leave the others: its items fail with the reason
            return
        raise pytest.exit.Exception(str(why), returncode=3) from why


def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Remember that a person stopped the run; pytest then ends the session as ever."""
    _INTERRUPTED.append(excinfo)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close this process's run, and write the reports where this is the process that writes them."""
    config = session.config
    run = config.stash.get(RUN, None)
    if run is not None:
        run.interrupted = _was_interrupted()
        run.close()
        del config.stash[RUN]
        config.stash[LEFT_BEHIND] = run.left_behind
        if run.findings and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    out = config.getoption(f"{PREFIX}out")
    if (out and not _is_worker(config) and SETTINGS in config.stash) or (out and _is_controller(config)):
        results = finish(Path(out), interrupted=_was_interrupted())
        if results is not None:
            config.stash[RESULTS] = results


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what the server would not let go."""
    for each in config.stash.get(LEFT_BEHIND, ()):
        terminalreporter.write_line(f"xenconform: {each}", yellow=True)


def finish(out: Path, *, interrupted: bool = False) -> Results | None:
    """Merge the workers' logs, if there are any, and write the reports of the log; None where there is no log.

    `interrupted` says that this process, which led the workers, was stopped.
    """
    parts = sorted(out.glob("run.*.jsonl"))
    if parts:
        with ExitStack() as opened, (out / LOG).open("w", encoding="utf-8") as whole:
            logs = [opened.enter_context(part.open(encoding="utf-8", errors="replace")) for part in parts]
            whole.writelines(f"{line}\n" for line in merge(logs, interrupted=interrupted))
        for part in parts:
            part.unlink()
    return write_all(read_run(out / LOG), out) if (out / LOG).exists() else None


def _log_of(config: pytest.Config, out: Path | None) -> Path | None:
    if out is None:
        return None
    out.mkdir(parents=True, exist_ok=True)
    return out / (f"run.{_worker_name(config)}.jsonl" if _is_worker(config) else LOG)


def _was_interrupted() -> bool:
    return any(excinfo.type is KeyboardInterrupt for excinfo in _INTERRUPTED)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _worker_name(config: pytest.Config) -> str:
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def _is_controller(config: pytest.Config) -> bool:
    return not _is_worker(config) and bool(config.getoption("tx", None) or config.getoption("numprocesses", None))


_INTERRUPTED: list[pytest.ExceptionInfo[BaseException]] = []
