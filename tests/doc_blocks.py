"""The code blocks of Markdown pages, with what the comment before each says of it.

<!-- not run: REASON -->   of a shell block: its commands are only parsed
<!-- exits 1 -->           it ends with this code, or with one of several: `exits 0 or 4`
<!-- serves -->            its one command is a server, which runs while the rest of the page does
<!-- shows -->             of a text block: what the block before it prints has these lines, in this order
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from xenconform.conformance.cli import xenconform

_BLOCK = re.compile(
    r"^ *(?:<!-- (?P<mark>[^\n]*?) -->\n *)?```(?P<kind>sh|text)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
_MARKS = re.compile(r"not run: .+|exits \d( or \d)*|serves|shows|transcript|certify|tests")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block: the line of its page that it begins on, its language, its text, and its mark."""

    line: int
    kind: str
    text: str
    mark: str

    @property
    def codes(self) -> set[int]:
        """The exit codes that a shell block may end with."""
        return {int(each) for each in re.findall(r"\d", self.mark)} if self.mark.startswith("exits") else {0}


def blocks(page: Path) -> list[Block]:
    """Return the shell and text blocks of a page, in their order.

    Raises:
        AssertionError: a mark is none of those above.
    """
    words = page.read_text("utf-8")
    found = []
    for each in _BLOCK.finditer(words):
        mark = each["mark"] or ""
        assert not mark or _MARKS.fullmatch(mark), f"{page.name}: no mark {mark!r}; see tests/doc_blocks.py"
        line = words.count("\n", 0, each.start("body"))
        found.append(Block(line, each["kind"], textwrap.dedent(each["body"]), mark))
    return found


def commands(shell: str) -> Iterator[list[str]]:
    """Yield the words of each call of `xenconform` in a shell block, without what the shell itself takes."""
    without_documents = re.sub(r"<<'(\w+)'\n.*?^\1$", "", shell, flags=re.MULTILINE | re.DOTALL)
    for line in without_documents.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|\|\||;| \| |&$", line.partition(" #")[0].partition(" > ")[0]):
            words = shlex.split(part)
            while words and "=" in words[0] and not words[0].startswith("-"):
                words = words[1:]
            if words and Path(words[0]).name == "xenconform":
                yield words[1:]


def parse(words: list[str]) -> None:
    """Parse a command as `xenconform` itself does: each name, each option, each value out of a list of some.

    What is not there is not looked for, such as a file that an option names.

    Raises:
        click.UsageError: the command line knows no such command, option or value.
    """
    command: click.Command = xenconform
    context = click.Context(command, info_name="xenconform")
    rest = words
    while True:
        given, rest, order = command.make_parser(context).parse_args(list(rest))
        for param in order:
            if isinstance(param.type, click.Choice):
                for each in given[param.name] if param.multiple else [given[param.name]]:
                    param.type.convert(each, param, context)
        if {"help", "version"} & {param.name for param in order}:
            return
        if not isinstance(command, click.Group):
            break
        name, found, rest = command.resolve_command(context, list(rest))
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=name)
    if rest:
        raise click.UsageError(f"{words}: nothing takes {rest}", context)


def shape(line: str) -> str:
    """Return a line of output without what differs from run to run: numbers, frames, the width of columns."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "9", re.sub("[╭╮╰╯│─]", " ", line))).strip()


def missing(shown: str, printed: str) -> list[str]:
    """Return the lines of a quoted output that no line of what was printed begins with, in this order.

    `…` stands for any lines.
    """
    left = iter([shape(line) for line in printed.splitlines()])
    wanted = [shape(line) for line in shown.splitlines() if line.strip() not in ("", "…")]
    return [line for line in wanted if not any(each.startswith(line) for each in left)]
