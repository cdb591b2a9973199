"""The files of a kill matrix: matrix.json, matrix.html and matrix.svg, from its rows alone."""

from __future__ import annotations

import json
from pathlib import Path

from xenconform.models.clauses import catalogue
from xenconform.models.kills import Matrix
from xenconform.reports.kills.heat import STYLE, heat_map
from xenconform.reports.kills.told import shares, summary, to_json
from xenconform.reports.pages import render_page
from xenconform.reports.write import write_whole


def render_html(matrix: Matrix, heat: str) -> str:
    """Return the page around a heat map: one file that needs nothing else, neither network nor other files."""
    known = catalogue()
    return render_page(
        "kills",
        styles=(STYLE,),
        matrix=matrix,
        summary=summary(matrix),
        areas=shares(matrix, "area"),
        difficulties=shares(matrix, "difficulty"),
        rules={name: known[name].rule for name in matrix.clauses if name in known},
        heat=heat,
    )


def write_matrix(matrix: Matrix, folder: Path) -> None:
    """Write the files into a folder, each whole or not at all.

    Raises:
        OSError: one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    heat = heat_map(matrix)
    for name, text in {
        "matrix.json": json.dumps(to_json(matrix), indent=1) + "\n",
        "matrix.html": render_html(matrix, heat),
        "matrix.svg": heat,
    }.items():
        write_whole(folder / name, text)
