"""`xenconform matrix`: implementations beside each other, from the results of their runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xenconform.conformance.cli.logs import read_log
from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.results import summarise
from xenconform.reports.machine import render_json as render_results
from xenconform.reports.vendors.grid import Grid, grid_of
from xenconform.reports.vendors.machine import render_csv, render_json
from xenconform.reports.vendors.page import render_html
from xenconform.reports.vendors.told import Told, told_of
from xenconform.reports.words import printable
from xenconform.reports.write import LOG, write_whole

USAGE = 2
RESULTS = "results.json"


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="[NAME=]RUN…")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("matrix.html"),
    show_default=True,
    help="The page to write; a .json and a .csv of the same name are written beside it.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
def matrix(runs: tuple[str, ...], out: Path, *, quiet: bool) -> None:
    """Compare implementations: clauses × implementations × formats, and what changed since each one's run before.

    A RUN is a report folder of xenconform certify, or its results.json or run.jsonl. NAME is what its implementation is
    called, by default its target; several runs of one name are its history, and the last stands for it. Exit codes:
    0 written, 2 wrong usage.
    """
    try:
        grid = grid_of([read(each) for each in runs])
        page = _page(out)
        for suffix, render in ((page.suffix, render_html), (".json", render_json), (".csv", render_csv)):
            _write(page.with_suffix(suffix), render(grid))
    except ValueError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    _print(grid, page, Console(quiet=quiet, highlight=False))


def read(said: str) -> Told:
    """Return the run that was said, as `[NAME=]PATH`; a path that is there is never taken for a name.

    Raises:
        ConfigError: there is nothing, or no results of a run; the text names the path and the fix.
    """
    name, _, rest = said.partition("=")
    name, path = ("", Path(said)) if not rest or Path(said).exists() else (name, Path(rest))
    fix = f"give a report folder of xenconform certify, or its {RESULTS} or {LOG}"
    file = (path / RESULTS if (path / RESULTS).exists() else path / LOG) if path.is_dir() else path
    if file.suffix == ".jsonl":
        return told_of(render_results(summarise(read_log(file))), str(path), name)
    try:
        return told_of(file.read_text(encoding="utf-8"), str(path), name)
    except OSError as why:
        raise ConfigError(f"{file}: {why.strerror}; {fix}") from why
    except ValueError as why:
        raise ConfigError(f"{file}: {why}; {fix}") from why


def _print(grid: Grid, page: Path, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("implementation", "verdict", "level", "failed", "untested", "since the run before"):
        table.add_column(name, justify="right" if name in {"failed", "untested"} else "left", overflow="fold")
    for of in grid.implementations:
        told, changes = of.latest, of.changes
        colour = {"CONFORMANT": "green", "NOT CONFORMANT": "red"}.get(told.verdict, "yellow")
        since = "" if changes is None else f"{len(changes.new)} new, {len(changes.gone)} gone"
        level = f"{told.level} of {len(told.about['levels'])}" if told.is_whole else "-"
        verdict, failed = Text(told.verdict, colour), f"{len(told.failed):,}"
        table.add_row(Text(printable(of.name)), verdict, level, failed, f"{told.untested:,}", since)
    console.print(table)
    console.print(Text(f"\n{page}, and .json and .csv beside it"))


def _page(out: Path) -> Path:
    if out.suffix in {".json", ".csv"}:
        raise ConfigError(f"{out}: --out names the page, which is HTML; {out.suffix[1:].upper()} is written beside it")
    return out if out.suffix else out.with_suffix(".html")


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as why:
        raise ConfigError(f"{path}: {why.strerror}; --out names a file that can be written") from why
