"""`xenconform faults`: the switchable faults of the reference server, and which clause catches each."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from xenconform.conformance.reference.faults import Fault, find, load

USAGE = 2


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
    click.echo(f"{fault.name}\n  {fault.symptom}\n")
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
