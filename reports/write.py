"""The report folder: every file in it is made from `run.jsonl` alone, and again the same, byte for byte."""

from __future__ import annotations

from pathlib import Path

from xenconform.models.results import Results, summarise
from xenconform.models.run import Run, cited
from xenconform.models.traffic import Traffic
from xenconform.reports.badge import render_badge
from xenconform.reports.junit import render_junit
from xenconform.reports.machine import render_json
from xenconform.reports.markdown import render_markdown
from xenconform.reports.metrics import render_metrics
from xenconform.reports.page import render_html
from xenconform.reports.sarif import render_sarif

LOG = "run.jsonl"
"""The name of the log in a report folder."""

RENDERERS = {
    "results.json": render_json,
    "junit.xml": render_junit,
    "summary.md": render_markdown,
    "badge.svg": render_badge,
    "report.html": render_html,
    "results.sarif": render_sarif,
    "metrics.txt": render_metrics,
}
"""The files that are made of the log, by name."""


def read_run(log: Path, *, summed: bool = True) -> Run:
    """Return the run of a log file, with the exchanges that its judgements cite and none else.

    `summed` says whether all its exchanges are summed up, which report.html needs and which costs a third of the time.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line of it, other than the last, is no event.
    """
    with log.open(encoding="utf-8", errors="replace") as lines:
        wanted = cited(lines)
    with log.open(encoding="utf-8", errors="replace") as lines:
        return Run.from_lines(lines, keep=wanted, traffic=Traffic() if summed else None)


def write_all(run: Run, out_dir: Path) -> Results:
    """Write the files of `RENDERERS` into the folder, which is made if need be; return the results.

    Raises:
        OSError: a file cannot be written.
    """
    results = summarise(run)
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, render in RENDERERS.items():
        write_whole(out_dir / name, render(results))
    return results


def write_whole(path: Path, text: str) -> None:
    """Write a file in a folder that is there, and put it in place whole, so that a reader never sees half of it.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
