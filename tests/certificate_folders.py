"""Report folders that several tests of certificates share: made-up runs, signed, changed, and signed once more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xenconform import __version__
from xenconform.conformance.cli.signing import digests_of, files_of
from xenconform.conformance.cli.verify import verify
from xenconform.conformance.suite.selection import whole
from xenconform.models.api import Api
from xenconform.models.calls import Format, Reply, Success
from xenconform.models.clauses import catalogue
from xenconform.models.exchange import Exchange
from xenconform.models.extent import limits_of
from xenconform.models.profiles import Profile, Waiver
from xenconform.models.results import summarise
from xenconform.models.run import Run, RunEnd, RunStart
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.certificate import CERTIFICATE
from xenconform.reports.certificate.dsse import PAYLOAD_TYPE, parse_envelope, render_envelope, sign
from xenconform.reports.certificate.keys import new_key, public_pem
from xenconform.reports.certificate.statement import Certified, statement_of
from xenconform.reports.write import LOG, read_run, write_all

FORMATS = tuple(each.value for each in Format)
CLAUSES = tuple(catalogue())
WAIVER = Waiver("SET-ADD", "VM.*", "a twice", "known", "https://bugs.example/1", date(2026, 12, 31))
KEY = new_key()
STRANGER = new_key()


def exchange(seq: int) -> Exchange:
    return Exchange(seq, "VM.add_tags", ("x",), Format.XMLRPC, b"<a/>", b"<b/>", 200, (), Reply(Success("")), 0.5)


START = RunStart(
    version=__version__,
    seed=7,
    target="http://h",
    release=Api.load().release,
    profile="reference",
    scope="own",
    budget="quick",
    formats=FORMATS,
    clauses=CLAUSES,
    started="2026-06-01T03:04:05+00:00",
    profile_digest=Profile.load("reference").digest,
    waivers=(WAIVER,),
)
PASSED = tuple(Judgement(clause, "VM", "", Verdict.PASS) for clause in CLAUSES)
FAILED = Judgement("SET-ADD", "VM.tags", "xmlrpc", Verdict.FAIL, "", "a once", "a twice", (2,), calls=2, seconds=0.5)
WAIVED = replace(FAILED, verdict=Verdict.WAIVED, reason="known (https://bugs.example/1, until 2026-12-31)")
UNTESTED = Judgement("SET-ADD", "SR.tags", "xmlrpc", Verdict.UNTESTED, "no SR accepted")


def run(*more: Judgement, start: RunStart = START, **end: Any) -> Run:
    """A whole run in which every clause passed, with some judgements more."""
    judgements = tuple(each for each in PASSED if each.clause in start.clauses) + more
    exchanges = {seq: exchange(seq) for seq in (1, 2, 3)}
    told: dict[str, Any] = {"calls": 3, "seconds": 1.5, "judgements": len(judgements)} | end
    return Run(start, exchanges, judgements, RunEnd(**told), 3)


@dataclass(frozen=True)
class Folder:
    """A report folder, whose log can be changed and all else made of it anew."""

    path: Path

    @property
    def log(self) -> list[str]:
        """The log's lines, without their ends."""
        return (self.path / LOG).read_text().splitlines()

    def write(self, lines: list[str], key: Ed25519PrivateKey = KEY) -> Folder:
        """Write a log, the reports of it, and sign it all, as somebody would who has the key."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / LOG).write_text("".join(f"{line}\n" for line in lines))
        write_all(read_run(self.path / LOG), self.path)
        return self.sign(key)

    def sign(self, key: Ed25519PrivateKey = KEY, edit: Callable[[dict[str, Any]], object] = lambda _: None) -> Folder:
        """Sign what is in the folder, the statement changed as is wanted."""
        results = summarise(read_run(self.path / LOG))
        limits = limits_of(results.start, whole(Api.load()))
        statement = statement_of(Certified(results, limits, digests_of(files_of(self.path))))
        edit(statement)
        envelope = sign(json.dumps(statement).encode(), PAYLOAD_TYPE, key)
        (self.path / CERTIFICATE).write_text(render_envelope(envelope))
        return self

    @property
    def statement(self) -> dict[str, Any]:
        """What was signed."""
        found: dict[str, Any] = json.loads(parse_envelope((self.path / CERTIFICATE).read_bytes()).payload)
        return found

    def verify(self, *options: str, key: Ed25519PrivateKey = KEY) -> tuple[int, str]:
        """Verify it as a user does who trusts a key; the exit code and what is said, in one line."""
        public = self.path.parent / f"{self.path.name}.pub"
        public.write_bytes(public_pem(key.public_key()))
        return verified(str(self.path / CERTIFICATE), "--key", str(public), *options)


def verified(*arguments: str) -> tuple[int, str]:
    """The exit code of `xenconform verify`, and what it says, in one line without the frame."""
    done = CliRunner(env={"COLUMNS": "160"}).invoke(verify, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, " ".join(done.output.replace("│", " ").split())
