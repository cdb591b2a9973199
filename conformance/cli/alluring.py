"""The options of the results for Allure, which several commands have, and their folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.results import Results
from xenconform.reports.allure import clear_allure, write_allure
from xenconform.reports.allure.write import CONFIGURATION

C = TypeVar("C", bound=Callable[..., Any])
PLACE = "{clause}"
"""What stands for a clause's id in the address of its page."""


def allure_options(command: C) -> C:
    """Give a command the options `allure` and `clause_url`."""
    url = click.option(
        "--clause-url",
        default="",
        metavar="TEMPLATE",
        help=f"With --allure: address of the pages of clauses, with {PLACE} for the id; tests link to theirs.",
    )
    folder = click.option("--allure", default="", metavar="DIR", help="Write results for Allure there too.")
    return folder(url(command))


@dataclass(frozen=True, slots=True)
class Alluring:
    """Where results for Allure go, if anywhere, and where the pages of clauses are, if anywhere."""

    folder: Path | None
    clause_url: str

    @classmethod
    def of(cls, folder: str, clause_url: str) -> Alluring:
        """Return what the options say.

        Raises:
            ConfigError: the address cannot be used.
        """
        if clause_url and not folder:
            raise ConfigError(
                f"--clause-url {clause_url}: it is for links in results for Allure; give --allure DIR too"
            )
        if clause_url and (PLACE not in clause_url or not clause_url.startswith(("https://", "http://"))):
            example = f"https://example.org/reference/clauses/{PLACE}.html"
            raise ConfigError(f"--clause-url {clause_url}: no address with {PLACE} in it; give such as {example}")
        return cls(Path(folder) if folder else None, clause_url)

    def make_room(self, out: Path | None = None, *, signed: bool = False) -> None:
        """Make the folder, and remove an older run's results from it.

        Args:
            out: the report folder of the run, if it has one.
            signed: whether that folder is to be signed, which holds a run's own files alone.

        Raises:
            ConfigError: it cannot be written, or lies in a folder that is to be signed.
        """
        if self.folder is None:
            return
        if signed and out is not None and self.folder.resolve().is_relative_to(out.resolve()):
            raise ConfigError(f"--allure {self.folder}: it lies in {out}, which is to be signed; give another folder")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            clear_allure(self.folder)
        except OSError as why:
            raise ConfigError(f"--allure {self.folder}: {why.strerror}; give a folder that can be written") from why

    def write(self, results: Results) -> str:
        """Write the results, if they are asked for, and return what to tell of it, "" for nothing.

        Raises:
            ConfigError: a file cannot be written.
        """
        if self.folder is None:
            return ""
        try:
            write_allure(results, self.folder, self.clause_url)
        except OSError as why:
            raise ConfigError(f"--allure {self.folder}: {why.strerror}; the results there are not whole") from why
        how = f"allure generate {self.folder} --config {self.folder / CONFIGURATION}"
        return f"Results for Allure are in {self.folder}/: {how}"
