"""Which tool finds which faults of the reference server, in the same budget of calls and of seconds.

    python benchmarks/kills.py [--faults N|NAME ...] [--calls N] [--seconds N] [--tool NAME ...] --out DIR

Every tool gets the same faults, one server each, and looks at the class in which the fault shows. A tool kills a fault
when it reports a failure that it does not report of the sound server. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kills_certify import certify_run
from kills_common import Budget, Run, Spent, Subject, Tool
from kills_hypothesis import hypothesis_run
from kills_plot import Row, areas, plot, table
from kills_schemathesis import schemathesis_run
from kills_smoke import smoke_run

from xenconform.conformance.reference import embedded
from xenconform.conformance.reference.faults import AREAS, Fault, load

TOOLS: dict[str, Tool] = {
    "xenconform": certify_run,
    "Schemathesis": schemathesis_run,
    "Hypothesis": hypothesis_run,
    "smoke test": smoke_run,
}
OWN_SERVER = frozenset({"xenconform"})
"""Tools that start the server themselves."""
SOUND = ""
HERE = Path(__file__).parent
MARK = "<!-- kills -->"


def chosen(asked: list[str], seed: int) -> list[Fault]:
    """Return the faults of these names, or so many of all areas, drawn by the seed; those of XML alone are left out."""
    faults = load()
    if asked and not asked[0].isdecimal():
        return [faults[name] for name in asked]
    draw = random.Random(seed)  # noqa: S311 - a sample that can be drawn again
    usable = [each for each in faults.values() if "XML" not in each.symptom or "JSON" in each.symptom]
    strata = [draw.sample(of, len(of)) for area in AREAS if (of := [each for each in usable if each.area == area])]
    mixed = [stratum[at] for at in range(max(map(len, strata))) for stratum in strata if at < len(stratum)]
    return mixed[: int(asked[0]) if asked else 60]


class Book:
    """What was run already, in a file that is added to, so that a run that was broken off goes on."""

    def __init__(self, out: Path, budget: Budget) -> None:
        """Read the file of a folder, which is made if it is not there."""
        out.mkdir(parents=True, exist_ok=True)
        self.file, self.budget = out / "runs.jsonl", asdict(budget)
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        entries = [json.loads(line) for line in lines]
        self.entries: dict[tuple[str, str, str], dict[str, Any]] = {
            (e["tool"], e["fault"], e["cls"]): e for e in entries if e["budget"] == self.budget
        }

    def sound(self, tool: str) -> set[str]:
        """Return all that a tool said of the sound server so far, on any class; its keys name the place."""
        return {key for (by, fault, _), e in self.entries.items() if (by, fault) == (tool, SOUND) for key in e["found"]}

    def run(self, tool: str, subject: tuple[str, str], known: set[str]) -> dict[str, Any]:
        """Return what a tool found of a fault on a class, run now if it was not yet."""
        fault, cls = subject
        if (tool, fault, cls) not in self.entries:
            run = attempt(tool, subject, Budget(**self.budget), known | self.sound(tool))
            kill = run.kill
            self.entries[tool, fault, cls] = {
                "tool": tool,
                "fault": fault,
                "cls": cls,
                "budget": self.budget,
                "calls": run.calls,
                "seconds": round(run.seconds, 2),
                "killed_at": kill.calls if kill and fault else None,
                "by": f"{kill.key}: {kill.text}" if kill and fault else "",
                "found": sorted(run.found),
            }
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self.entries[tool, fault, cls]) + "\n")
        return self.entries[tool, fault, cls]


def attempt(tool: str, subject: tuple[str, str], budget: Budget, known: set[str]) -> Run:
    """Run a tool on a server with a fault, or on the sound one, which is looked at for twice as long, to the end."""
    fault, cls = subject
    whole = fault == SOUND
    if whole:
        budget = Budget(2 * budget.calls, 2 * budget.seconds, budget.seed)
    if tool in OWN_SERVER:
        run = Run(budget, known, whole)
        TOOLS[tool](Subject("", fault, cls), run)
        return run
    with embedded.start(["--fault", fault] if fault else []) as server:
        run = Run(budget, known, whole)
        with suppress(Spent):
            TOOLS[tool](Subject(server.url, fault, cls), run)
        return run


def main() -> int:
    """Run what was not run yet, and write the tables and the plot."""
    given = arguments()
    budget, tools = Budget(given.calls, given.seconds, given.seed), given.tool or list(TOOLS)
    faults, book = chosen(given.faults, given.seed), Book(given.out, budget)
    if given.sound:
        look_at_the_sound(book, tools, dict.fromkeys(fault.cls for fault in faults))
        return 0
    rows = compare(book, tools, faults)
    tell(rows, budget, given.out)
    if given.publish:
        tell(rows, budget, HERE)
    return 0


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--faults", nargs="+", default=[], metavar="N|NAME", help="how many, or which; 60 unless told")
    parser.add_argument("--calls", type=int, default=5000, help="calls for each tool and fault")
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds for each tool and fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tool", action="append", choices=list(TOOLS), help="only this one; may be repeated")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results; a run goes on from there")
    parser.add_argument("--sound", action="store_true", help="only look at the sound server, for later")
    parser.add_argument("--publish", action="store_true", help="put tables and plot into this folder's README.md too")
    return parser.parse_args()


def look_at_the_sound(book: Book, tools: Sequence[str], classes: Iterable[str]) -> None:
    """Run the tools on the sound server, each class by itself."""
    for cls in classes:
        for tool in tools:
            entry = book.run(tool, (SOUND, cls), set())
            kinds = f"{len(entry['found'])} kinds of failures"
            print(f"{cls} {tool}: {kinds} ({entry['calls']} calls, {entry['seconds']} s)", flush=True)


def compare(book: Book, tools: Sequence[str], faults: Sequence[Fault]) -> dict[str, list[Row]]:
    """Run the tools on the faults, one after another; an interrupt ends it with what every tool has tried."""
    rows: dict[str, list[Row]] = {tool: [] for tool in tools}
    for number, fault in enumerate(faults, 1):
        try:
            of_fault = [one_row(book, tool, fault) for tool in tools]
        except KeyboardInterrupt:
            print(f"interrupted; the {number - 1} faults that were tried by every tool are told", file=sys.stderr)
            break
        for row in of_fault:
            rows[row.tool].append(row)
            came = f"killed by call {row.killed_at}: {row.by}" if row.killed_at else "not killed"
            print(f"{number}/{len(faults)} {row.fault} {row.tool}: {came} ({row.calls} calls, {row.seconds} s)"[:220])
        sys.stdout.flush()
    return rows


def one_row(book: Book, tool: str, fault: Fault) -> Row:
    """Return what became of a fault under a tool; both it and the sound server are run if they were not yet."""
    known = book.run(tool, (SOUND, fault.cls), set())["found"]
    entry = book.run(tool, (fault.name, fault.cls), set(known))
    told = {key: entry[key] for key in ("killed_at", "seconds", "calls", "by")}
    return Row(tool, fault.name, fault.area, fault.cls, **told)


def tell(rows: dict[str, list[Row]], budget: Budget, folder: Path) -> None:
    """Write the plot and the tables into a folder; in the README between the marks, where it has them."""
    (folder / "kills.svg").write_text(plot(rows, budget.calls), encoding="utf-8")
    tables = f"{MARK}\n\n{table(rows, budget.calls)}\n{areas(rows)}\n{MARK}"
    readme = folder / "README.md"
    before, mark, after = readme.read_text("utf-8").partition(MARK) if readme.exists() else ("", "", "\n")
    readme.write_text(before + tables + (after.partition(MARK)[2] if mark else after), encoding="utf-8")
    print("\n" + table(rows, budget.calls))


if __name__ == "__main__":
    if "PYTHONHASHSEED" not in os.environ:  # sets have an order then, which draws depend on
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 - this very command again
    sys.exit(main())
