"""`xenconform certify`: the friendly front of the suite. pytest is the engine; this shows progress and the results."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pytest
from rich.console import Console

from xenconform.conformance.checks.bench import BUDGETS
from xenconform.conformance.cli.alluring import Alluring, allure_options
from xenconform.conformance.cli.reaching import reaching
from xenconform.conformance.cli.signing import PASSPHRASE_VARIABLE, Signing, passphrase_option
from xenconform.conformance.cli.watch import Watch
from xenconform.conformance.suite import MARKER
from xenconform.conformance.suite.interrupts import terminable
from xenconform.conformance.suite.restart import TIMEOUT
from xenconform.conformance.suite.settings import DEADLINE, ConfigError, Options, Settings, check_workers
from xenconform.models.calls import Format
from xenconform.reports.cases import clear_cases
from xenconform.reports.certificate import CERTIFICATE
from xenconform.reports.terminal import print_results
from xenconform.reports.words import plural
from xenconform.reports.write import LOG, RENDERERS, read_run, write_all

OUT = "xenconform-report"
EMBEDDED_WORKERS = 2
"""Each with an embedded server of its own: a pair of processes keeps one core busy."""
NOT_RESTARTED = "; PERSIST is not tested: nobody said how to restart the server (--restart-command)"
COULD_NOT_FINISH = 3
USAGE = 2
FORMATS = [str(each) for each in Format]
ENGINE = (
    "--capture=no",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:terminal",
    "-p",
    "no:logging",
    "-p",
    "no:hypothesispytest",
)
"""What of pytest is not wanted here: its caches and its own talk."""


@click.command()
@click.argument("url", required=False, default="")
@reaching
@click.option("--release", default="", help="Release of the API to hold the server to, such as 8.2 or 24.18.0.")
@click.option("--scope", type=click.Choice(["own", "restore", "all"]), help="Which objects may be written.")
@click.option("--budget", type=click.Choice(list(BUDGETS)), default="standard", show_default=True)
@click.option("--seed", type=int, help="Repeat the run of this seed.")
@click.option("--clause", "clauses", multiple=True, metavar="ID", help="Only these clauses; globs work: 'MAP-*'.")
@click.option("--class", "classes", multiple=True, metavar="CLASS", help="Only these classes.")
@click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Only these formats.")
@click.option("--proxy", default="", metavar="URL", help="Go through this HTTP proxy.")
@click.option("--roles", default="", metavar="FILE", help="TOML file with the user and the password for each role.")
@click.option("--deadline", default=DEADLINE, show_default=True, help="Seconds that the server has for one call.")
@click.option("--restart-command", default="", metavar="CMD", help="Shell command that restarts the server at URL.")
@click.option("--restart-timeout", default=TIMEOUT, show_default=True, help="Seconds that a restart may take.")
@click.option(
    "--database", default="", metavar="DIR|URL", help="Keep failing sequences there; they are tried first next time."
)
@click.option(
    "--fault", default="", metavar="NAME", help="Switch on a fault of the embedded server: `xenconform faults list`."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes that test at the same time [default: 1; 2 without URL]."
)
@click.option("--out", default=OUT, show_default=True, metavar="DIR", help="Folder for the log and the reports.")
@allure_options
@click.option("--redact-hosts", is_flag=True, help="Replace hosts' names and addresses in all that is written.")
@click.option("--sign", "key", default="", metavar="KEY", help="Sign the results with this private key.")
@passphrase_option
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict only through the exit code.")
def certify(out: str, *, quiet: bool, workers: int | None, key: str, key_passphrase_file: str, **said: Any) -> None:
    """Certify the server at URL, or, with no URL, the embedded reference server.

    Exit codes: 0 conformant, 1 not conformant, 2 wrong usage, 3 could not finish, 4 required parts untested.
    """
    try:
        alluring = Alluring.of(said.pop("allure"), said.pop("clause_url"))
        options = Options(**{**said, "scope": said["scope"] or "", "out": out})
        settings = Settings.of(options, os.environ)
        alone = settings.target is not None or settings.redact_hosts or (os.cpu_count() or 1) == 1
        count = workers or (1 if alone else EMBEDDED_WORKERS)
        check_workers(settings, count)
        signing = Signing.of(key, key_passphrase_file, os.environ)
    except ConfigError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    folder = Path(out)
    try:
        make_room(folder)
    except OSError as why:
        click.echo(f"xenconform: --out {out}: {why.strerror}; give a folder that can be written", err=True)
        sys.exit(USAGE)
    try:
        signing.check_room(folder)
        alluring.make_room(folder, signed=bool(key))
    except ConfigError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    sys.exit(run_suite(options, settings, folder, How(count, Console(quiet=quiet), signing, alluring)))


@dataclass(frozen=True, slots=True)
class How:
    """By how many workers a run is made, where it is told, whether it is signed, and if Allure is to have it."""

    workers: int
    console: Console
    signing: Signing
    alluring: Alluring


def make_room(folder: Path) -> None:
    """Make a report folder, and remove an older run's files from it.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in (LOG, *RENDERERS, CERTIFICATE):
        (folder / old).unlink(missing_ok=True)
    clear_cases(folder)


def run_suite(options: Options, settings: Settings, folder: Path, how: How) -> int:
    """Run the suite through pytest, print the results, sign them if asked to, and return the exit code."""
    console = how.console
    if console.quiet is False:
        console.print(_announcement(settings), soft_wrap=True, highlight=False)
    watch = Watch(quiet=console.quiet)
    said = StringIO()
    environment = dict(os.environ)
    try:
        # Other plugins that happen to be installed have no business in a certificate.
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.environ.pop(PASSPHRASE_VARIABLE, None)
        with redirect_stdout(said), redirect_stderr(said), terminable() as watch.stop:
            code = pytest.main([*_arguments(options, settings), *_spread(how.workers)], plugins=[watch])
    finally:
        os.environ.clear()
        os.environ.update(environment)
    if watch.problem or not (folder / LOG).exists():
        click.echo(f"xenconform: {watch.problem or said.getvalue().strip() or f'pytest ended with {code}'}", err=True)
        return COULD_NOT_FINISH
    results = watch.results or write_all(read_run(folder / LOG), folder)
    print_results(results, console)
    for line in watch.remarks:
        console.print(line, style="yellow", highlight=False)
    console.print(f"\nThe log and the reports are in {folder}/", highlight=False)
    try:
        told = how.signing.sign(folder, results, settings.api)
        allure = how.alluring.write(results)
    except OSError as why:
        click.echo(f"xenconform: {folder / CERTIFICATE}: {why.strerror}; the run is not signed", err=True)
        return COULD_NOT_FINISH
    except ConfigError as why:
        click.echo(f"xenconform: {why}", err=True)
        return COULD_NOT_FINISH
    for line in filter(None, (told, allure)):
        console.print(line, highlight=False, soft_wrap=True)
    return results.verdict.exit_code


def _announcement(settings: Settings) -> str:
    embedded = f"the embedded reference server{f' with the fault {settings.fault}' * bool(settings.fault)}"
    target = settings.target or embedded
    repeat = f"seed {settings.seed}"
    return (
        f"Certifying {target} as of release {settings.api.release}: {plural(len(settings.clauses), 'clause')}, "
        f"{', '.join(settings.formats)}, profile {settings.profile.name}, scope {settings.profile.scope}, "
        f"budget {settings.budget}, {repeat}{NOT_RESTARTED if settings.without_restart else ''}"
    )


def _spread(workers: int) -> list[str]:
    """Return pytest's arguments for so many worker processes; one of them needs none."""
    return ["-p", "xdist.plugin", "-n", str(workers), "--dist", "worksteal"] if workers > 1 else []


def _arguments(options: Options, settings: Settings) -> list[str]:
    """Return pytest's arguments; the password travels in none of them."""
    ini = files("xenconform.conformance.suite").joinpath("pytest.ini")
    arguments = [
        str(MARKER),
        "-p",
        "xenconform.conformance.plugin",
        *ENGINE,
        "-c",
        str(ini),
        "--rootdir",
        str(MARKER.parent),
    ]
    texts = {
        "url": options.url,
        "user": options.user,
        "password-file": options.password_file,
        "profile": options.profile,
        "release": options.release,
        "scope": options.scope,
        "budget": options.budget,
        "ca-file": options.ca_file,
        "proxy": options.proxy,
        "roles": options.roles,
        "database": options.database or ("none" if options.seed is not None else ""),
        "fault": options.fault,
        "out": options.out,
        "seed": str(settings.seed),
        "deadline": str(options.deadline),
        "restart-command": options.restart_command,
        "restart-timeout": str(options.restart_timeout),
    }
    lists = {"clause": options.clauses, "class": options.classes, "format": options.formats}
    arguments += [f"--xenconform-{name}={text}" for name, text in texts.items() if text]
    arguments += [f"--xenconform-{name}={each}" for name, values in lists.items() for each in values]
    flags = {"insecure": options.insecure, "redact-hosts": options.redact_hosts}
    return [*arguments, *(f"--xenconform-{name}" for name, is_set in flags.items() if is_set)]
