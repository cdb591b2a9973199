"""`xenconform verify`: whether a certificate holds, by its folder and the key of whom you trust; nothing is sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console

from xenconform.conformance.cli.signing import digests_of, files_of, read_public
from xenconform.conformance.suite.selection import whole
from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.api import Api
from xenconform.models.extent import limits_of
from xenconform.models.integrity import LogError, read_strictly
from xenconform.models.results import Results, summarise
from xenconform.models.run import Run, cited
from xenconform.reports.certificate import CERTIFICATE, checking
from xenconform.reports.certificate.keys import key_id
from xenconform.reports.certificate.refusals import Reason, RefusedError
from xenconform.reports.certificate.statement import Certified
from xenconform.reports.certificate.terminal import print_certified, print_refused
from xenconform.reports.write import LOG, RENDERERS

USAGE = 2
NO_KEY = (
    "no key to trust: a signature alone shows that nothing was changed, not who signed; "
    "give --key FILE, the public key of whoever certified"
)


@click.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@click.option("--key", "keys", multiple=True, metavar="FILE", help="A public key that is trusted; may be repeated.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day on which it is to hold [default: today].")
@click.option("--allow-partial", is_flag=True, help="Let a run of some clauses, formats or classes hold for these.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
def verify(certificate: Path, keys: tuple[str, ...], day: datetime | None, *, allow_partial: bool, quiet: bool) -> None:
    """Verify CERTIFICATE, a certificate.json in its report folder, or that folder, and judge its log again.

    Exit codes: 0 it holds, and the server is conformant; 1 refused, or not conformant; 2 wrong usage; 3 the run was
    not finished; 4 it holds for a part alone, or required parts are untested.
    """
    console = Console(quiet=quiet, highlight=False)
    path = certificate / CERTIFICATE if certificate.is_dir() else certificate
    try:
        text, trusted = _read(path), _trusted(keys)
    except ConfigError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    told = Console(stderr=True, quiet=quiet)
    try:
        attempt = Attempt(path.parent)
        with told.status("reading the log again") if told.is_terminal else nullcontext():
            certified = attempt.check(text, trusted)
        checking.check_standing(certified, (day or datetime.now(UTC)).date(), partial=allow_partial)
    except RefusedError as why:
        print_refused(why, attempt.results, console)
        sys.exit(why.reason.exit_code)
    except OSError as why:
        click.echo(f"xenconform: {why.filename or path}: {why.strerror}; give a folder that can be read", err=True)
        sys.exit(USAGE)
    print_certified(certified, attempt.signed, console)
    sys.exit(certified.results.verdict.exit_code)


@dataclass(slots=True)
class Attempt:
    """The verification of one folder; `results` and `signed` are known once it came so far."""

    folder: Path
    results: Results | None = None
    signed: str = ""
    _paths: Mapping[str, Path] = field(default_factory=dict)

    def check(self, text: bytes, trusted: Mapping[str, Ed25519PublicKey]) -> Certified:
        """Return what a certificate certifies, once all of it is as the folder's log gives it.

        Raises:
            RefusedError: it does not hold.
            OSError: a file cannot be read.
        """
        payload, signer = checking.opened(text, trusted.values())
        name = next(name for name, key in trusted.items() if key is signer)
        self.signed = f"by {name}\n{key_id(signer)}"
        statement = checking.read_statement(payload)
        signed = checking.digests_of(statement)
        self._paths = files_of(self.folder)
        checking.check_files(signed, digests_of(self._paths))
        results = summarise(self._run(signed[LOG]))
        checking.check_reports(results, {name: self._text(name) for name in RENDERERS if name in self._paths})
        certified = Certified(results, limits_of(results.start, _whole(results, statement)), signed)
        checking.check_statement(statement, certified)
        self.results = results
        return certified

    def _run(self, digest: str) -> Run:
        """Return the run of the log, read strictly, and the same that was hashed."""
        log = self._paths[LOG]
        with log.open(encoding="ascii", errors="replace") as lines:
            wanted = cited(lines)
        seen = sha256()

        def hashed(lines: Iterator[bytes]) -> Iterator[bytes]:
            for line in lines:
                seen.update(line)
                yield line

        try:
            with log.open("rb") as raw:
                run = read_strictly(hashed(raw), keep=wanted)
        except LogError as why:
            fix = "no verdict can stand on it; certify again"
            raise RefusedError(Reason.LOG, f"{LOG}, {why}", fix) from why
        if seen.hexdigest() != digest:
            raise RefusedError(Reason.CHANGED, f"{LOG} changed while it was read", "verify again")
        return run

    def _text(self, name: str) -> str:
        return self._paths[name].read_bytes().decode("utf-8", errors="replace")


def _whole(results: Results, statement: Mapping[str, Any]) -> frozenset[str]:
    """Return the clauses of a whole run of the release that a run names."""
    try:
        return whole(Api.load().at(results.start.release))
    except ValueError as why:
        raise RefusedError(Reason.STATEMENT, str(why), checking.version_fix(statement)) from why


def _trusted(keys: tuple[str, ...]) -> dict[str, Ed25519PublicKey]:
    if not keys:
        raise ConfigError(NO_KEY)
    return {name: read_public(Path(name)) for name in keys}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as why:
        fix = "give a certificate.json of xenconform certify --sign, or its folder"
        raise ConfigError(f"{path}: {why.strerror}; {fix}") from why
