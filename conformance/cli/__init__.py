"""The command `xenconform`. Each sub-command is imported only when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import click

from xenconform import __version__

_COMMANDS = {
    "certify": "Certify a server, or the embedded reference server.",
    "fuzz": "Send a server hostile input, and judge how it bears up.",
    "keygen": "Make a pair of keys to sign certificates with.",
    "verify": "Verify a signed certificate with its folder, offline.",
    "report": "Make the reports of a run again from its log.",
    "rejudge": "Judge a run again from its log, by today's suite.",
    "redact": "Write a run once more, without the names of hosts.",
    "diff": "Tell what changed from one run to the next.",
    "matrix": "Compare implementations by the results of their runs.",
    "replay": "Run a case of a report again.",
    "serve": "Run the reference server.",
    "faults": "Show the reference server's faults; run the suite on each.",
    "model": "Show, compare, check and import models of the API.",
}
"""Sub-command to its line of help; each is `conformance/cli/<name>.py` with a click command of the same name."""


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported on use; so `--help` and small commands stay fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands there are, in the order of the table."""
        return [name for name in _COMMANDS if importlib.util.find_spec(f"{__name__}.{name}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, importing its module; None if there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found: Any = getattr(importlib.import_module(f"{__name__}.{cmd_name}"), cmd_name)
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xenconform")
def xenconform() -> None:
    """Certify servers of the XenServer Management API."""


def main() -> None:
    """Run the command line; exits with 2 where it was used wrongly."""
    xenconform(prog_name="xenconform")
