"""`xenconform certify --sign` and `xenconform verify` as a user runs them, on real runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from certificate_folders import KEY, START, Folder, run, verified
from hypothesis import given, settings
from hypothesis import strategies as st

from xenconform.conformance.cli.signing import Signing
from xenconform.models.api import Api
from xenconform.models.integrity import LogError, read_strictly
from xenconform.models.profiles import SHIPPED
from xenconform.models.results import summarise
from xenconform.models.run import RunEnd
from xenconform.reports.certificate import CERTIFICATE
from xenconform.reports.certificate.keys import private_pem, public_pem
from xenconform.reports.write import LOG, RENDERERS, write_all

PASSPHRASE = "Geheimnis-7"
CERTIFY = ("certify", "--budget", "quick", "--seed", "5")
FAULT = "removals_return_null"
FAILURES = ("another result", "void-not-empty")
"""How the fault shows in checks, and in any reply."""
WAIVERS = "".join(
    f"""
[[waivers]]
clause = "WIRE-VOID"
element = "*"
failure = "{failure}"
reason = "known"
link = "https://bugs.example/1"
expires = 2999-12-31
"""
    for failure in FAILURES
)


def xenconform(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("XENCONFORM_")}
    return subprocess.run(
        [sys.executable, "-m", "xenconform", *arguments],
        env=plain | {"COLUMNS": "160"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed private key; its public one lies beside."""
    path = tmp_path_factory.mktemp("keys") / "vendor"
    made = xenconform("keygen", str(path), XENCONFORM_KEY_PASSPHRASE=PASSPHRASE)
    assert made.returncode == 0, made.stderr
    return path


@pytest.fixture(scope="module")
def signed(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two workers over some clauses, with waiting calls among them."""
    out = tmp_path_factory.mktemp("signed") / "out"
    clauses = ("--clause", "GET-*", "--clause", "EVENT-FROM", "--clause", "CONC-*", "--class", "network")
    done = xenconform(
        *CERTIFY, *clauses, "--workers", "2", "--sign", str(keys), "--out", str(out),
        XENCONFORM_KEY_PASSPHRASE=PASSPHRASE,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Signed as {out / CERTIFICATE} by the key " in done.stdout
    assert PASSPHRASE not in done.stdout + done.stderr + "".join(path.read_text() for path in out.iterdir())
    return out


def test_a_signed_run_holds_for_what_it_is(signed: Path, keys: Path) -> None:
    """Of a run of some clauses verify says which are missing and ends with 4; allowed as a part it ends with 0."""
    done = xenconform("verify", str(signed / CERTIFICATE), "--key", f"{keys}.pub")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "Partial run: without " in done.stdout
    assert "of the class network alone" in done.stdout
    done = xenconform("verify", str(signed), "--key", f"{keys}.pub", "--allow-partial")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CONFORMANT IN PART: the certificate holds" in done.stdout
    assert xenconform("verify", str(signed), "--key", f"{keys}.pub", "--allow-partial", "-q").stdout == ""


def test_the_statement_is_a_test_result_over_every_file(signed: Path) -> None:
    """The envelope holds an in-toto Statement v1 of the files, with the test-result predicate v0.1."""
    told = json.loads(b64decode(json.loads((signed / CERTIFICATE).read_text())["payload"]))
    assert (told["_type"], told["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://in-toto.io/attestation/test-result/v0.1",
    )
    assert [each["name"] for each in told["subject"]] == sorted({LOG, *RENDERERS})
    predicate = told["predicate"]
    assert predicate["result"] == "WARNED"
    assert "GET-EVERY-FIELD" in predicate["passedTests"]
    assert [each["name"] for each in predicate["configuration"]] == ["run_start", "reference"]
    assert predicate["configuration"][0]["annotations"]["classes"] == ["network"]


def test_the_log_of_a_real_run_is_what_a_run_writes(signed: Path) -> None:
    """The log of two workers, calls at the same time among them, is read strictly without complaint."""
    with (signed / "run.jsonl").open("rb") as lines:
        found = read_strictly(lines)
    assert found.end is not None
    assert (found.calls, len(found.judgements)) == (found.end.calls, found.end.judgements)


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_no_line_of_a_real_log_can_go_or_come_twice(signed: Path, data: st.DataObject) -> None:
    """Any line taken out of a real log, doubled, or put beside its place is missed or signed by nobody."""
    lines = (signed / "run.jsonl").read_bytes().splitlines(keepends=True)
    at = data.draw(st.integers(1, len(lines) - 2))
    for other in ([*lines[:at], *lines[at + 1 :]], [*lines[:at], lines[at], *lines[at:]]):
        with pytest.raises(LogError, match="line"):
            read_strictly(other)
    with pytest.raises(LogError, match="line"):
        read_strictly([*lines[at:], *lines[:at]])


def test_lines_that_were_swapped_are_signed_by_nobody(signed: Path, keys: Path, tmp_path: Path) -> None:
    """Two lines in each other's places are a changed file."""
    shutil.copytree(signed, tmp_path / "out")
    log = tmp_path / "out" / "run.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:5], lines[6], lines[5], *lines[7:]]))
    code, said = verified(str(tmp_path / "out"), "--key", f"{keys}.pub", "--allow-partial")
    assert (code, "File changed: run.jsonl is not as it was signed" in said) == (1, True), said


def test_a_fault_and_a_waiver_are_told_of_a_real_run(keys: Path, tmp_path: Path) -> None:
    """A run with a fault switched on is a part, and a waiver that its verdict rests on holds until its day."""
    profile = tmp_path / "mine.toml"
    profile.write_text((SHIPPED / "reference.toml").read_text() + WAIVERS)
    options = ("--clause", "WIRE-VOID", "--class", "SR", "--fault", FAULT, "--profile", str(profile))
    done = xenconform(
        *CERTIFY, *options, "--sign", str(keys), "--out", str(tmp_path / "out"), XENCONFORM_KEY_PASSPHRASE=PASSPHRASE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    key = ("--key", f"{keys}.pub", "--allow-partial")
    code, said = verified(str(tmp_path / "out"), *key)
    assert (code, f"with the fault {FAULT} switched on" in said) == (0, True), said
    assert "waived until 2999-12-31: WIRE-VOID on *" in said
    assert "a file of its own, SHA-256" in said
    code, said = verified(str(tmp_path / "out"), *key, "--on", "3000-01-01")
    assert (code, "Waiver expired: waived until 2999-12-31" in said) == (1, True), said


@pytest.mark.parametrize(
    ("key", "told"), [("nowhere", "No such file"), ("vendor.pub", "it is a public key"), ("vendor", "passphrase")]
)
def test_a_key_that_cannot_sign_is_told_before_the_run(key: str, told: str, keys: Path, tmp_path: Path) -> None:
    """A key that is not there, is the public one, or is sealed, is wrong usage before anything is sent or written."""
    done = xenconform(*CERTIFY, "--sign", str(keys.parent / key), "--out", str(tmp_path / "out"))
    assert (done.returncode, told in done.stderr, key in done.stderr) == (2, True, True), done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_told_before_the_run(keys: Path, tmp_path: Path) -> None:
    """What the run does not write would be signed by nobody: it is named, and no run is made."""
    (tmp_path / "notes.txt").touch()
    done = xenconform(*CERTIFY, "--sign", str(keys), "--out", str(tmp_path), XENCONFORM_KEY_PASSPHRASE=PASSPHRASE)
    assert (done.returncode, "notes.txt; move it out" in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "run.jsonl").exists()


def test_a_new_run_takes_the_old_certificate_away(signed: Path, tmp_path: Path) -> None:
    """A folder that is used again without --sign keeps no certificate of the run before."""
    shutil.copy(signed / CERTIFICATE, tmp_path)
    done = xenconform(*CERTIFY, "--clause", "UUID-FORM", "--class", "SR", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / CERTIFICATE).exists()


def test_a_run_without_a_verdict_is_not_signed(tmp_path: Path) -> None:
    """What was interrupted gets no certificate; what was finished gets one that holds."""
    signing = Signing(KEY)
    for end, told in ((RunEnd(3, 1.5, interrupted=True), "Not signed"), (run().end, "Signed as")):
        whole = replace(run(), end=end)
        folder = Folder(tmp_path / told[:3])
        results = write_all(whole, folder.path)
        (folder.path / "run.jsonl").write_text("".join(f"{line}\n" for line in whole.lines()))
        assert signing.sign(folder.path, results, Api.load()).startswith(told)
        assert (folder.path / CERTIFICATE).exists() is (told == "Signed as")
    assert folder.verify()[0] == 0
    assert Signing(None).sign(folder.path, summarise(run(start=START)), Api.load()) == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere",), "nowhere: No such file"),
        (("out", "--key", "nowhere.pub"), "--key nowhere.pub: No such file"),
        (("out", "--key", "a.pub", "--on", "soon"), "'soon'"),
    ],
)
def test_wrong_usage_of_verify_is_told(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read is named, with exit code 2."""
    Folder(tmp_path / "out").write(list(run().lines()))
    (tmp_path / "a.pub").write_bytes(public_pem(KEY.public_key()))
    (tmp_path / "a").write_bytes(private_pem(KEY))
    monkeypatch.chdir(tmp_path)
    code, said = verified(*arguments)
    assert (code, told in said) == (2, True), said
