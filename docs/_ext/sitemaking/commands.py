"""A page a command of the command line. sphinx-click reads the options; here is which commands there are."""

from __future__ import annotations

import re

import click

from sitemaking.markdown import code, contents, link, table, text, title
from xenconform.conformance.cli import xenconform


def pages() -> dict[str, str]:
    """Return the text of each page by its file's name."""
    context = click.Context(xenconform, info_name="xenconform")
    found = {name: xenconform.get_command(context, name) for name in xenconform.list_commands(context)}
    known = {name: command for name, command in found.items() if command is not None}
    return {"index.md": _index(known), **{f"{name}.rst": _page(name) for name in known}}


def _index(commands: dict[str, click.Command]) -> str:
    rows = [
        (link(f"command-{name}", code(f"xenconform {name}")), text(each.get_short_help_str(200)))
        for name, each in commands.items()
    ]
    return "\n".join(
        [
            *title("Command line", "commands"),
            (
                "As each command's `--help` says it. What the exit codes of `certify` mean is told under "
                "[results](../results.md)."
            ),
            "",
            *contents(commands),
            *table(("command", "what it does"), rows),
        ]
    )


def _page(name: str) -> str:
    """Return a page in reStructuredText: the section that sphinx-click makes is then the page's own title."""
    return "\n".join(
        [
            f".. _command-{name}:",
            "",
            f".. click:: xenconform.conformance.cli.{name}:{name}",
            f"   :prog: xenconform {name}",
            "   :nested: full",
            "",
        ]
    )


def as_it_reads(_app: object, _context: click.Context, lines: list[str]) -> None:
    """Make the help of a command read as it does on the terminal: in it nothing is markup but `code`."""
    for at, line in enumerate(lines):
        if not line.lstrip().startswith((".. ", ":")):
            lines[at] = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line.replace("*", "\\*"))
