"""A run of some clauses in this process, with its reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xenconform.conformance.suite.one import judge
from xenconform.conformance.suite.run import Run
from xenconform.conformance.suite.selection import selection
from xenconform.conformance.suite.settings import Options, Settings
from xenconform.reports.write import read_run, write_all


def certify(out: Path, **said: Any) -> Path:
    """Run on the embedded server, in the quick budget and with seed 5 but for what is said; return the folder."""
    settings = Settings.of(Options(**{"seed": 5, "budget": "quick", "out": str(out), **said}), {})
    out.mkdir(parents=True)
    run = Run(settings, out / "run.jsonl")
    run.open()
    try:
        for check, of in selection(settings.api, settings.clauses, settings.classes):
            run.begin(check, of)
            judge(run, check, of)
    finally:
        run.close()
    write_all(read_run(out / "run.jsonl"), out)
    return out
