"""`xenconform fuzz`: hostile input for a server, for as long as it is given, and what came of it."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.cli.certify import COULD_NOT_FINISH, FORMATS, OUT, USAGE, make_room
from xenconform.conformance.cli.reaching import reaching
from xenconform.conformance.suite.fuzzing import (
    GIGABYTE,
    OPENAPI,
    Bounds,
    clauses_of,
    fuzz_run,
    has_schemathesis,
    is_on_this_machine,
)
from xenconform.conformance.suite.restart import TIMEOUT
from xenconform.conformance.suite.run import CannotStartError
from xenconform.conformance.suite.settings import DEADLINE, ConfigError, Options, Settings
from xenconform.models.calls import Format
from xenconform.models.clauses import select
from xenconform.reports.terminal import print_results
from xenconform.reports.write import LOG, read_run, write_all

LAYERS = ("http", "xml", "json", "envelope", "call", "session", OPENAPI)
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
NOT_OURS = (
    "the server at {target} is not on this machine; hostile input may end or fill it: "
    "add --i-own-this-server where you may do that"
)

NO_SCHEMATHESIS = "the layer openapi is made by Schemathesis, which is not installed: pip install 'xenconform[fuzz]'"
NO_JSON2 = "the layer openapi is over jsonrpc2 alone, which is not among the formats of this run"


def seconds_of(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    """Return the seconds that a time of the command line is, such as 60s, 5m or 1h."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is no time; give such as 60s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2]]


@click.command()
@click.argument("url", required=False, default="")
@click.option("--time", "seconds", default="60s", show_default=True, callback=seconds_of, help="How long: 60s, 5m, 1h.")
@click.option("--layer", "layers", multiple=True, type=click.Choice(LAYERS), help="Only these layers.")
@click.option("--rate", type=click.FloatRange(min=0.1), help="So many requests a second at most [default: no limit].")
@click.option(
    "--size", type=click.FloatRange(min=0.001), default=10.0, show_default=True, help="So many GB are sent at most."
)
@click.option("--corpus", default="", metavar="DIR", help="Keep what gave new kinds of replies; start from it.")
@click.option(
    "--pid", type=int, help="The server's process on this machine: its memory, threads and files are watched."
)
@click.option("--restart-command", default="", metavar="CMD", help="Shell command that starts the server at URL again.")
@click.option("--restart-timeout", default=TIMEOUT, show_default=True, help="Seconds that a restart may take.")
@click.option("-x", "--first", is_flag=True, help="Stop at the first finding.")
@click.option("--i-own-this-server", "owned", is_flag=True, help="Needed where the server is not on this machine.")
@click.option("--seed", type=int, help="Repeat the run of this seed.")
@reaching
@click.option("--release", default="", help="Release of the API to hold the server to, such as 8.2 or 24.18.0.")
@click.option("--scope", type=click.Choice(["own", "restore", "all"]), help="Which objects may be written.")
@click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Only these formats.")
@click.option("--deadline", default=DEADLINE, show_default=True, help="Seconds that the server has for one request.")
@click.option("--fault", default="", metavar="NAME", help="Switch on a fault of the embedded server.")
@click.option("--out", default=OUT, show_default=True, metavar="DIR", help="Folder for the log and the reports.")
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict only through the exit code.")
def fuzz(  # noqa: PLR0913 - an option each
    out: str,
    *,
    quiet: bool,
    seconds: float,
    layers: tuple[str, ...],
    rate: float | None,
    size: float,
    corpus: str,
    pid: int | None,
    owned: bool,
    first: bool,
    **said: Any,
) -> None:
    """Send hostile input to the server at URL, or, with no URL, to the embedded reference server.

    First all cases that were written by hand, then what is made of them, until the time is over. Exit codes: 0 nothing
    was found, 1 something was, 2 wrong usage, 3 could not finish, 4 something could not be tried.
    """
    console = Console(quiet=quiet)
    try:
        chosen = _layers(layers)
        settings = Settings.of(Options(**{**said, "scope": said["scope"] or "", "out": out}), os.environ)
        if Format.JSONRPC2 not in settings.formats:
            chosen = _without_openapi(chosen, named=bool(layers))
        settings = replace(settings, clauses=tuple(select(clauses_of(chosen, settings.formats))))
        _may_be_fuzzed(settings, owned=owned)
        folder = Path(out)
        make_room(folder)
    except (ConfigError, OSError) as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    bounds = Bounds(seconds, chosen, rate, Path(corpus) if corpus else None, pid, first, size * GIGABYTE)
    console.print(bounds.announcement(settings), soft_wrap=True, highlight=False)
    try:
        ended = fuzz_run(settings, bounds, folder / LOG, Console(stderr=True, quiet=quiet))
    except ValueError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    except (CannotStartError, Unavailable, TargetGoneError) as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(COULD_NOT_FINISH)
    if ended.hunt is None:
        click.echo("xenconform: stopped before anything hostile was sent", err=True)
        sys.exit(COULD_NOT_FINISH)
    results = write_all(read_run(folder / LOG), folder)
    print_results(results, console)
    for line in ended.remarks():
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"\nThe log and the reports are in {folder}/", highlight=False)
    sys.exit(results.verdict.exit_code)


def _layers(named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the layers of a run: those that were named, else all that can be."""
    if OPENAPI in named and not has_schemathesis():
        raise ConfigError(NO_SCHEMATHESIS)
    return named or (LAYERS if has_schemathesis() else _without_openapi(LAYERS, named=False))


def _without_openapi(layers: tuple[str, ...], *, named: bool) -> tuple[str, ...]:
    if named and OPENAPI in layers:
        raise ConfigError(NO_JSON2)
    return tuple(layer for layer in layers if layer != OPENAPI)


def _may_be_fuzzed(settings: Settings, *, owned: bool) -> None:
    if settings.target is not None and not owned and not is_on_this_machine(settings.target):
        raise ConfigError(NOT_OURS.format(target=settings.target))
