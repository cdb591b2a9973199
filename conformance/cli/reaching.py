"""The options by which a server is reached, which several commands have."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

import click

C = TypeVar("C", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--user", default="", help="Log in as this user (default: root, or XENCONFORM_USER)."),
    click.option(
        "--password-file", default="", metavar="FILE", help="File with the password; else XENCONFORM_PASSWORD."
    ),
    click.option(
        "--profile", default="", metavar="NAME|FILE", help="What the server claims and how it may be touched."
    ),
    click.option("--ca-file", default="", metavar="FILE", help="Trust the certificates of this CA."),
    click.option("--insecure", is_flag=True, help="Accept any certificate, self-signed ones too."),
)


def reaching(command: C) -> C:
    """Give a command the options; they come to it by the names of the fields of `Options`."""
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)
