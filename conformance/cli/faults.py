"""`xenconform faults`: the switchable faults of the reference server, and which clause catches each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from xenconform.conformance.checks.bench import BUDGETS
from xenconform.conformance.matrix.run import controls, run_all, sample
from xenconform.conformance.matrix.shelf import Shelf
from xenconform.conformance.matrix.trial import Plan, Trials, subject_of
from xenconform.conformance.reference.faults import Fault, find, load
from xenconform.conformance.suite.interrupts import terminable
from xenconform.conformance.suite.selection import checked
from xenconform.models.api import Api
from xenconform.models.clauses import select
from xenconform.models.kills import Fate, Matrix, Row, Subject
from xenconform.reports.kills.terminal import print_matrix
from xenconform.reports.kills.write import write_matrix
from xenconform.reports.progress import Progress

OUT = "xenconform-matrix"
USAGE = 2
STOPPED = 3


@click.group()
def faults() -> None:
    """List and show the faults of the reference server, and run the suite on each."""


@faults.command("list")
@click.option("--area", help="Only the faults of this area.")
@click.option("--clause", help="Only the faults that this clause must catch.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, area: str | None, clause: str | None, as_json: bool) -> None:
    """List the faults: name, area, clause that must catch it, class in which it shows, difficulty, symptom."""
    chosen = [f for f in load().values() if (not area or f.area == area) and (not clause or f.clause == clause)]
    if as_json:
        click.echo(json.dumps([_plain(each) for each in chosen], indent=1))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("fault", "area", "clause", "class", "difficulty"):
        table.add_column(title, no_wrap=True)
    for each in chosen:
        table.add_row(each.name, each.area, each.clause, each.cls, each.difficulty)
    width = None if sys.stdout.isatty() else 160
    Console(width=width).print(table)
    click.echo(f"{len(chosen)} faults; `xenconform faults show NAME` tells what each does")


@faults.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, *, as_json: bool) -> None:
    """Show one fault, and how to see it."""
    try:
        fault = find(name)
    except ValueError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    if as_json:
        click.echo(json.dumps(_plain(fault), indent=1))
        return
    click.echo(f"{fault.name}\n{click.wrap_text(fault.symptom, 78, '  ', '  ')}\n")
    for title, text in {
        "area": fault.area,
        "clause": fault.clause,
        "breaks too": ", ".join(fault.also) or "no other clause",
        "class": fault.cls,
        "difficulty": fault.difficulty,
    }.items():
        click.echo(f"  {title:11} {text}")
    click.echo(f"\n  xenconform serve --fault {fault.name}")
    click.echo(f"  xenconform certify --fault {fault.name} --class {fault.cls} --clause {fault.clause}")


@faults.command("matrix")
@click.argument("names", nargs=-1)
@click.option("--area", "areas", multiple=True, help="Only the faults of this area; may be repeated.")
@click.option(
    "--clause", "clauses", multiple=True, help="Only the faults that this clause must catch; may be repeated."
)
@click.option("--sample", type=click.IntRange(min=1), help="Only so many of them, spread over the areas.")
@click.option("--budget", type=click.Choice(list(BUDGETS)), default="standard", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The seed of every run.")
@click.option("--whole", is_flag=True, help="Run the suite on all classes, not on the one that the fault shows in.")
@click.option(
    "--own", is_flag=True, help="Run each fault's own clause alone, and all only where that does not catch it."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=os.cpu_count() or 1, show_default=True, help="Runs at a time."
)
@click.option("--fresh", is_flag=True, help="Run again what another state of the suite has judged.")
@click.option("--out", default=OUT, show_default=True, metavar="DIR", help="Folder for the rows and the reports.")
def matrix(names: tuple[str, ...], areas: tuple[str, ...], clauses: tuple[str, ...], **said: Any) -> None:
    """Run certify on every fault (or on those NAMES), and on the sound server, and show which clause catches what.

    Rows are kept in the folder as they come: the same command goes on where it was stopped. Exit codes: 0 every fault
    was caught by its clause and nothing else failed, 1 not so, 2 wrong usage, 3 stopped.
    """
    try:
        chosen = [find(name) for name in names] or list(load().values())
    except ValueError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    kept = [f for f in chosen if (not areas or f.area in areas) and (not clauses or f.clause in clauses)]
    if not kept:
        click.echo("xenconform: no fault is of that area and clause; see `xenconform faults list`", err=True)
        sys.exit(USAGE)
    plan = Plan(said["budget"], said["seed"], said["whole"], said["own"])
    subjects = sample([subject_of(each) for each in kept], said["sample"] or len(kept))
    folder = Path(said["out"])
    shelf = Shelf(folder, said["fresh"])
    rows, stopped = _judge((*subjects, *controls(subjects, plan)), plan, shelf, said["workers"])
    if plan.own:
        rows += [row for row in shelf.rows() if not row.subject.name]
    some = names or areas or clauses or said["sample"]
    judged = {f.clause for f in kept} if some else {each.id for each in checked(Api.load(), select(()), ())}
    table = Matrix.of(rows, judged)
    write_matrix(table, folder)
    print_matrix(table, Console(highlight=False))
    click.echo(f"\nThe matrix is in {folder}/matrix.html, matrix.json and matrix.svg")
    if stopped:
        click.echo(f"stopped: {len(rows)} rows are kept; the same command goes on from there", err=True)
    sys.exit(STOPPED if stopped else 0 if table.is_clean else 1)


def _judge(subjects: Sequence[Subject], plan: Plan, shelf: Shelf, workers: int) -> tuple[list[Row], bool]:
    """Return a row for each subject, and whether somebody stopped it before all were there."""
    rows: list[Row] = []
    trials, calls, amiss = Trials(plan), 0, 0
    with Progress(len(subjects), Console(stderr=True)) as progress, terminable():
        try:
            for row, _ in run_all(subjects, trials, shelf, workers):
                rows.append(row)
                calls += row.calls
                amiss += bool(row.strays) or (bool(row.subject.name) and row.fate is not Fate.CAUGHT)
                progress.update(len(rows), calls, amiss, row.subject.name or f"sound server, {' '.join(row.classes)}")
        except KeyboardInterrupt:
            return rows, True
    return rows, False


def _plain(fault: Fault) -> dict[str, Any]:
    return {
        "name": fault.name,
        "area": fault.area,
        "clause": fault.clause,
        "also": list(fault.also),
        "class": fault.cls,
        "difficulty": str(fault.difficulty),
        "symptom": fault.symptom,
    }
