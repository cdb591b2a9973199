"""`xenconform diff`: what changed from one run to the next, for nightly runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from xenconform.conformance.cli.logs import read_log
from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.difference import SLOWER, Asked, Difference, compare
from xenconform.models.run import Run
from xenconform.reports.difference_machine import render_json
from xenconform.reports.difference_markdown import render_markdown
from xenconform.reports.difference_terminal import print_difference
from xenconform.reports.write import write_whole

USAGE = 2


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--markdown", metavar="FILE", type=click.Path(path_type=Path), help="Write a summary in Markdown there.")
@click.option("--json", "machine", metavar="FILE", type=click.Path(path_type=Path), help="Write it all as JSON there.")
@click.option(
    "--slower",
    type=click.FloatRange(min=1, min_open=True),
    default=SLOWER,
    show_default=True,
    metavar="FACTOR",
    help="By more than which factor a run is slower.",
)
@click.option("--fail-slower", is_flag=True, help="A slower run is a regression too.")
@click.option("--strict", is_flag=True, help="Changes of SHOULD clauses are regressions too.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
def diff(old: Path, new: Path, *, quiet: bool, markdown: Path | None, machine: Path | None, **said: Any) -> None:
    """Tell what changed from the run OLD to the run NEW: two report folders, or two of their logs, run.jsonl.

    Regressions are new failures, newly untested parts and lost coverage, of required clauses. Exit codes: 0 none,
    1 regressions, 2 wrong usage, 3 a run that cannot be compared, for it was interrupted or did not finish.
    """
    try:
        difference = _compared(read_log(old), read_log(new), Asked(**said))
        for path, render in ((markdown, render_markdown), (machine, render_json)):
            if path is not None:
                _write(path, render(difference))
    except ConfigError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    print_difference(difference, Console(quiet=quiet, highlight=False))
    sys.exit(difference.outcome.exit_code)


def _compared(old: Run, new: Run, asked: Asked) -> Difference:
    try:
        return compare(old, new, asked)
    except ValueError as why:
        raise ConfigError(f"{why}; give two runs of the same command") from why


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as why:
        raise ConfigError(f"{path}: {why.strerror}; give a file that can be written") from why
