"""All generated pages into the source folder of the site, where git does not see them."""

from __future__ import annotations

from pathlib import Path

from sitemaking import classes, clauses, commands, faults, schemas, seen
from xenconform.models.api import Api
from xenconform.models.diagram import relations_about
from xenconform.models.diagram_svg import svg


def write(reference: Path) -> int:
    """Write what is new or changed below a folder, remove what is no longer made, and return how many pages there are.

    A page that did not change is left alone, so that a second build reads it no more than once.
    """
    api = Api.load()
    facts = clauses.facts(api)
    made = {
        "clauses": clauses.pages(facts),
        "classes": {
            **classes.pages(facts),
            "relations.svg": svg(relations_about(api), f"Bound relations of the API, {api.release}"),
        },
        "faults": faults.pages(facts),
        "commands": commands.pages(),
        "schemas": schemas.pages(),
        "seen": {"index.md": seen.page(facts.seen)},
    }
    for folder, pages in made.items():
        _fill(reference / folder, pages)
    return sum(map(len, made.values()))


def _fill(folder: Path, pages: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name not in pages:
            old.unlink()
    for name, words in pages.items():
        file = folder / name
        if not file.exists() or file.read_text("utf-8") != words:
            file.write_text(words, "utf-8")
