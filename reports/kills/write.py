"""The files of a kill matrix: matrix.json, matrix.html and matrix.svg, from its rows alone."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from xenconform.models.clauses import LEVELS, catalogue
from xenconform.models.kills import Matrix
from xenconform.reports.kills.heat import heat_map
from xenconform.reports.kills.told import cells, kill_curve, shares, summary, to_json


def render_html(matrix: Matrix) -> str:
    """Return the page: one file that needs nothing else, neither network nor other files."""
    loader = PackageLoader("xenconform.reports", "kills")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = pages.get_template("page.html")
    known = catalogue()
    return page.render(
        matrix=matrix,
        summary=summary(matrix),
        areas=shares(matrix, "area"),
        difficulties=shares(matrix, "difficulty"),
        rows=[(row, cells(row)) for row in matrix.rows],
        rules={name: known[name].rule for name in matrix.clauses if name in known},
        levels=LEVELS,
        level_of={name: known[name].level if name in known else 0 for name in matrix.clauses},
        curve=kill_curve(matrix.rows),
        heat=heat_map(matrix),
    )


def write_matrix(matrix: Matrix, folder: Path) -> None:
    """Write the files into a folder, each whole or not at all.

    Raises:
        OSError: one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "matrix.json": json.dumps(to_json(matrix), indent=1) + "\n",
        "matrix.html": render_html(matrix),
        "matrix.svg": heat_map(matrix),
    }.items():
        part = folder / f".{name}.part"
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(folder / name)
