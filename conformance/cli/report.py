"""`xenconform report`: the reports of a run, made again of its log alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from xenconform.conformance.cli.alluring import Alluring, allure_options
from xenconform.conformance.cli.logs import read_log
from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.results import Results, summarise
from xenconform.models.run import Run
from xenconform.reports.cases.save import write_files
from xenconform.reports.certificate import CERTIFICATE
from xenconform.reports.write import LOG, write_all

USAGE = 2
NOTHING = "nothing to write: give --out DIR for the reports, --allure DIR for results for Allure, or both"


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Write the reports and the cases there.")
@allure_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
def report(run: Path, out: Path | None, *, allure: str, clause_url: str, quiet: bool) -> None:
    """Make the reports of RUN again: a report folder of certify or fuzz, or its log, run.jsonl.

    From the same log come the same bytes. Exit codes: 0 they are written, 2 wrong usage.
    """
    console = Console(quiet=quiet, highlight=False, soft_wrap=True)
    try:
        told = _made(run, out, Alluring.of(allure, clause_url))
    except ConfigError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    except OSError as why:
        click.echo(f"xenconform: {why.filename}: {why.strerror}; give a folder that can be written", err=True)
        sys.exit(USAGE)
    for line in told:
        console.print(line)


def _made(path: Path, out: Path | None, alluring: Alluring) -> list[str]:
    """Write what is asked for, and return what to tell of it."""
    if out is None and alluring.folder is None:
        raise ConfigError(NOTHING)
    if out is not None and (out / CERTIFICATE).exists():
        raise ConfigError(f"--out {out}: it holds a signed run; give another folder")
    run = read_log(path, summed=out is not None)
    alluring.make_room()
    results = _written(run, out) if out is not None else summarise(run)
    told = [f"The reports are in {out}/; {LOG} stays where it is"] if out is not None else []
    return [*told, *filter(None, [alluring.write(results)])]


def _written(run: Run, out: Path) -> Results:
    results = write_all(run, out)
    for each in run.cases.values():
        write_files(out, each.name, each.files)
    return results
