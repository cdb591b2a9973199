"""`xenconform rejudge`: a log judged again by today's suite, and what differs, by the suite or by the server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from xenconform.conformance.playback.again import judge_again
from xenconform.conformance.playback.tape import TapeError
from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.rejudgement import Otherwise, Rejudgement, between, weak
from xenconform.reports.rejudgement_machine import render_json
from xenconform.reports.rejudgement_terminal import print_rejudgement
from xenconform.reports.write import write_whole

DIFFERENT, USAGE, UNPLAYABLE = 1, 2, 3


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--against", metavar="LOG", type=click.Path(path_type=Path), help="A later log, judged again beside it.")
@click.option("--profile", default="", metavar="NAME|FILE", help="The run's profile, where it was a file of your own.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Write the reports there.")
@click.option("--json", "machine", metavar="FILE", type=click.Path(path_type=Path), help="Write it all as JSON there.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
def rejudge(log: Path, against: Path | None, profile: str, out: Path | None, machine: Path | None, quiet: bool) -> None:
    """Judge a run again from its LOG, a report folder or its run.jsonl, by today's suite; no server is asked.

    What is judged otherwise from the same exchanges is by the suite. With --against a second log is judged too, and
    what the two differ in then is by the server. --out has the reports of LOG, or with --against those of the later
    one. Exit codes: 0 no part is judged otherwise, 1 some are, 2 wrong usage, 3 a log that cannot be judged again.
    """
    try:
        with _folders(out) as (mine, other):
            shown = Console(stderr=True, quiet=quiet)
            logs = [] if against is None else [judge_again(log, profile, other, reports=False, console=shown)]
            logs.append(judge_again(against or log, profile, mine, reports=out is not None, console=shown))
        rows = tuple(_rows(logs))
        weaknesses = weak(*logs) if len(logs) > 1 else ()
        if machine is not None:
            write_whole(machine, render_json(logs, rows, weaknesses))
    except TapeError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(UNPLAYABLE)
    except (ConfigError, OSError) as why:
        click.echo(f"xenconform: {_words(why)}", err=True)
        sys.exit(USAGE)
    print_rejudgement(logs, rows, weaknesses, Console(quiet=quiet, highlight=False))
    sys.exit(DIFFERENT if rows else 0)


def _rows(logs: list[Rejudgement]) -> Iterator[Otherwise]:
    for number, each in enumerate(logs, 1):
        yield from each.differences(number)
    if len(logs) > 1:
        yield from between(*logs)


@contextmanager
def _folders(out: Path | None) -> Iterator[tuple[Path, Path]]:
    """Give a folder for what is told, and one for what is beside it; what nobody asked for is removed."""
    with TemporaryDirectory(prefix="xenconform-") as kept:
        yield out or Path(kept, "now"), Path(kept, "then")


def _words(why: Exception) -> str:
    if isinstance(why, OSError):
        return f"{why.filename}: {why.strerror}; give a report folder of xenconform certify, or its run.jsonl"
    return str(why)
