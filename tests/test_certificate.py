"""What `xenconform verify` lets hold and what it refuses: made-up runs, each with its reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import pytest
from certificate_folders import (
    CLAUSES,
    FAILED,
    KEY,
    START,
    STRANGER,
    UNTESTED,
    WAIVED,
    WAIVER,
    Folder,
    run,
    verified,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from xenconform.models.integrity import LogError, read_strictly
from xenconform.models.run import Run, encode_event
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.certificate import CERTIFICATE
from xenconform.reports.certificate.dsse import parse_envelope
from xenconform.reports.certificate.statement import schema

REFUSED = "REFUSED"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A whole run that found the server conformant, with nothing to be warned of."""
    return Folder(tmp_path / "out").write(list(run().lines()))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A run with a judgement of each kind, for properties that only read it."""
    more = (FAILED, replace(WAIVED, element="VM.blocked"), UNTESTED)
    return Folder(tmp_path_factory.mktemp("mixed") / "out").write(list(run(*more).lines()))


def test_a_whole_run_holds_and_is_told_with_target_and_time(folder: Folder) -> None:
    """A certificate of a whole run holds, exit code 0, and says of which server and when, so that none is replayed."""
    code, said = folder.verify()
    assert code == 0, said
    assert "CONFORMANT: the certificate holds" in said
    for told in ("target http://h", "2026-06-01T03:04:05+00:00", "level 5 of 5", "seed 7", "profile reference, as"):
        assert told in said
    assert verified(str(folder.path), "--key", str(folder.path.parent / "out.pub"))[0] == 0, "the folder does as well"


@pytest.mark.parametrize(
    ("more", "code", "result", "title"),
    [
        ((), 0, "PASSED", "CONFORMANT: the certificate holds"),
        ((WAIVED,), 0, "WARNED", "CONFORMANT: the certificate holds"),
        ((replace(FAILED, clause="WHERE"),), 0, "WARNED", "CONFORMANT: the certificate holds"),
        ((FAILED,), 1, "FAILED", "NOT CONFORMANT: the certificate holds"),
        ((UNTESTED,), 4, "FAILED", "UNTESTED PARTS: the certificate holds"),
    ],
)
def test_verify_ends_as_the_run_did(
    more: tuple[Judgement, ...], code: int, result: str, title: str, tmp_path: Path
) -> None:
    """Of a whole run the exit code is that of certify, and the statement's result is PASSED for nothing less."""
    folder = Folder(tmp_path / "out").write(list(run(*more).lines()))
    found, said = folder.verify("--on", "2026-12-31")
    assert (found, title in said) == (code, True), said
    assert folder.statement["predicate"]["result"] == result
    jsonschema.validate(folder.statement, schema())


def test_the_statement_sorts_clauses_by_how_they_came_out(tmp_path: Path) -> None:
    """Clauses are passed, warned, failed or in none of the three; the rest stands in the extension."""
    more = (FAILED, replace(FAILED, clause="WHERE"), replace(UNTESTED, clause="SET-VALUE"))
    untested = replace(START, clauses=(*CLAUSES, "NEW-RULE"))
    told = Folder(tmp_path / "out").write(list(run(*more, start=untested).lines())).statement["predicate"]
    assert told["failedTests"] == ["SET-ADD"]
    assert told["warnedTests"] == ["SET-VALUE", "WHERE"]
    assert sorted(told["passedTests"]) == sorted(set(CLAUSES) - {"SET-ADD", "SET-VALUE", "WHERE"})
    extension = told["xenconform"]
    assert (extension["verdict"], extension["exit_code"], extension["level"]) == ("NOT CONFORMANT", 1, 1)
    assert (extension["untested_clauses"], extension["untested_in_part"]) == (["NEW-RULE"], ["SET-VALUE"])
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_wrong_key_is_refused(folder: Folder) -> None:
    """Who trusts another key is told both, and that it is refused."""
    code, said = folder.verify(key=STRANGER)
    assert (code, f"{REFUSED} " in said, "Wrong signature: it says to be signed by" in said) == (1, True, True)
    folder.sign(STRANGER)
    assert folder.verify()[0] == 1
    assert folder.verify(key=STRANGER)[0] == 0


def test_without_a_key_nothing_is_verified(folder: Folder) -> None:
    """No key to trust is wrong usage: a signature by anybody shows nothing."""
    code, said = verified(str(folder.path))
    assert (code, "not who signed; give --key FILE" in said) == (2, True)


def _edit(name: str) -> Callable[[Path], object]:
    return lambda path: (path / name).write_text((path / name).read_text().replace("CONFORMANT", "NOT CONFORMANT", 1))


def _folder_instead(path: Path) -> None:
    (path / "junit.xml").unlink()
    (path / "junit.xml").mkdir()


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited result": (_edit("results.json"), "File changed: results.json"),
    "edited summary": (_edit("summary.md"), "File changed: summary.md"),
    "log with a line removed": (
        lambda path: (path / "run.jsonl").write_text("\n".join((path / "run.jsonl").read_text().splitlines()[:-2])),
        "File changed: run.jsonl",
    ),
    "report removed": (lambda path: (path / "junit.xml").unlink(), "File missing: junit.xml"),
    "file added": (lambda path: (path / "notes.txt").touch(), "File added: notes.txt"),
    "hidden file added": (lambda path: (path / ".x").touch(), "File added: .x"),
    "folder added by a link": (lambda path: (path / "cases").symlink_to(path.parent), "File added: cases"),
    "report that is a folder": (
        _folder_instead,
        "File missing: junit.xml",
    ),
    "no certificate": (lambda path: (path / CERTIFICATE).write_text("{}"), "No envelope"),
    "no JSON": (lambda path: (path / CERTIFICATE).write_bytes(b"\xff"), "No envelope"),
    "deep JSON": (lambda path: (path / CERTIFICATE).write_text("[" * 200_000), "No envelope"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_changed_after_it_was_signed_is_named(name: str, folder: Folder) -> None:
    """A file that was changed, removed or added is refused by name."""
    tamper, told = TAMPERED[name]
    tamper(folder.path)
    code, said = folder.verify()
    assert (code, told in said) == (1, True), said


@settings(deadline=None)
@given(st.data())
def test_no_byte_of_the_folder_can_change(mixed: Folder, data: st.DataObject) -> None:
    """Any byte of any file changed is refused; of the certificate, where it changes anything that is signed."""
    name = data.draw(st.sampled_from(sorted(each.name for each in mixed.path.iterdir())))
    content = bytearray((mixed.path / name).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    with TemporaryDirectory() as place:
        changed = Folder(Path(place) / "out")
        shutil.copytree(mixed.path, changed.path)
        (changed.path / name).write_bytes(content)
        code, said = changed.verify("--on", "2026-12-31")
        if REFUSED not in said:
            assert (name, code) == (CERTIFICATE, 1), said
            assert _signed(changed) == _signed(mixed), "blanks and key ids are signed by nobody"


def _signed(folder: Folder) -> tuple[bytes, str, bytes]:
    envelope = parse_envelope((folder.path / CERTIFICATE).read_bytes())
    return envelope.payload, envelope.payload_type, envelope.signatures[0].signature


def test_no_line_of_the_log_can_go_or_come_twice_whoever_signs(tmp_path: Path) -> None:
    """A line taken out or doubled is missed in the log itself, by who makes the reports anew and has the key too."""
    few = replace(START, clauses=("SET-VALUE", "SET-ADD", "WHERE"))
    lines = list(run(FAILED, replace(WAIVED, element="VM.blocked"), UNTESTED, start=few).lines())
    changed = Folder(tmp_path / "out")
    for at in range(1, len(lines)):
        for other in ([*lines[:at], *lines[at + 1 :]], [*lines[:at], lines[at], *lines[at:]]):
            code, said = changed.write(other).verify()
            assert code == 1, said
            assert f"{REFUSED} " in said
            assert "Log broken: run.jsonl, line" in said


@settings(deadline=None)
@given(st.data())
def test_a_log_is_not_cut_swapped_or_turned(mixed: Folder, data: st.DataObject) -> None:
    """Of the log alone: the start or the end out of their places, and every cut of its bytes, are an error."""
    lines = [f"{line}\n".encode() for line in mixed.log]
    assert read_strictly(lines, keep={2}) == Run.from_lines(mixed.log, keep={2})
    at = data.draw(st.integers(1, len(lines) - 1))
    for other in ([*lines[at:], *lines[:at]], [*lines[:at], b"\n", *lines[at:]], lines[:at]):
        with pytest.raises(LogError, match="line"):
            read_strictly(other)
    whole = b"".join(lines)
    with pytest.raises(LogError, match="line"):
        read_strictly(whole[: data.draw(st.integers(0, len(whole) - 1))].splitlines(keepends=True))


def test_a_log_begins_with_an_instant() -> None:
    """A start that tells no time is none: a waiver could not be judged."""
    with pytest.raises(LogError, match="line 1: the run began at 'today', which is no instant"):
        read_strictly(f"{line}\n".encode() for line in run(start=replace(START, started="today")).lines())


BROKEN: dict[str, tuple[Callable[[Run], Run], str]] = {
    "a failure turned into a pass": (
        lambda whole: _swapped(whole, FAILED, replace(FAILED, verdict=Verdict.PASS)),
        "SET-ADD VM.tags xmlrpc is PASS, and tells a failure",
    ),
    "a failure turned into no duty": (
        lambda whole: _swapped(whole, FAILED, replace(FAILED, verdict=Verdict.UNSUPPORTED, reason="not offered")),
        "is UNSUPPORTED, and tells a failure",
    ),
    "a failure waived by nobody": (
        lambda whole: _swapped(whole, FAILED, replace(FAILED, verdict=Verdict.WAIVED, actual="a thrice", reason="x")),
        "is WAIVED, and no waiver of the run covers it",
    ),
    "a waiver that had expired before": (
        lambda whole: replace(whole, start=replace(START, started="2027-01-01T00:00:00+00:00")),
        "is WAIVED, and no waiver of the run covers it",
    ),
    "an exchange of nowhere": (
        lambda whole: _swapped(whole, FAILED, replace(FAILED, exchanges=(9,))),
        "judges by exchange 9, which the log does not have",
    ),
    "a clause that was not selected": (
        lambda whole: replace(whole, start=replace(START, clauses=CLAUSES[:-1])),
        f"judges the clause '{CLAUSES[-1]}', which the run did not select",
    ),
    "a format that was not selected": (
        lambda whole: replace(whole, start=replace(START, formats=("jsonrpc1",))),
        "judges the format 'xmlrpc', which the run did not select",
    ),
    "other calls": (lambda whole: _ended(whole, calls=4), "the run's end tells 4 calls, and the log has 3"),
    "other judgements": (lambda whole: _ended(whole, judgements=1), "the run's end tells 1 judgements"),
    "no judgements told": (lambda whole: _ended(whole, judgements=None), "the run's end tells None judgements"),
}


def _swapped(whole: Run, old: Judgement, new: Judgement) -> Run:
    assert old in whole.judgements
    return replace(whole, judgements=tuple(new if each == old else each for each in whole.judgements))


def _ended(whole: Run, **told: Any) -> Run:
    assert whole.end is not None
    return replace(whole, end=replace(whole.end, **told))


@pytest.mark.parametrize("name", BROKEN)
def test_a_log_that_contradicts_itself_is_refused_whoever_signed(name: str, tmp_path: Path) -> None:
    """Signed with the right key over reports that fit, a log that no run writes is refused with its line."""
    breaking, told = BROKEN[name]
    broken = breaking(run(FAILED, replace(WAIVED, element="VM.blocked"), UNTESTED))
    code, said = Folder(tmp_path / "out").write(list(broken.lines())).verify()
    assert (code, "Log broken" in said, told in said) == (1, True, True), said


def test_a_call_that_was_taken_out_is_missed_by_its_number(tmp_path: Path) -> None:
    """Without exchange 2, and the end made to fit, a run that failed nothing lacks a number."""
    whole = _ended(run(), calls=2)
    lines = [line for line in whole.lines() if line != encode_event(whole.exchanges[2])]
    code, said = Folder(tmp_path / "out").write(lines).verify()
    assert (code, "exchange 2 is not there, and later ones are" in said) == (1, True), said


STATED: dict[str, tuple[Callable[[Any], object], str]] = {
    "result": (lambda told: told.update(result="WARNED"), "Verdict differs: predicate.result is 'WARNED'"),
    "test": (lambda told: told["failedTests"].pop(), "predicate.failedTests is [] in the certificate"),
    "verdict": (lambda told: told["xenconform"].update(verdict="CONFORMANT"), "predicate.xenconform.verdict is"),
    "level": (lambda told: told["xenconform"].update(level=5), "predicate.xenconform.level is 5"),
    "count": (lambda told: told["xenconform"]["counts"].update(FAIL=0), "predicate.xenconform.counts.FAIL is 0"),
    "target": (
        lambda told: told["configuration"][0]["annotations"].update(target="http://other"),
        "predicate.configuration[0].annotations.target is 'http://other' in the certificate",
    ),
    "form": (lambda told: told.update(result="GOOD"), "No test result: at $.predicate.result"),
}


@pytest.mark.parametrize("name", STATED)
def test_a_statement_that_the_log_does_not_give_is_refused(name: str, tmp_path: Path) -> None:
    """Whatever the statement says otherwise than the log gives is named with both values, whoever signed it."""
    folder = Folder(tmp_path / "out").write(list(run(FAILED).lines()))
    edit, told = STATED[name]
    folder.sign(edit=lambda statement: edit(statement["predicate"]))
    code, said = folder.verify()
    assert (code, REFUSED in said, told in said) == (1, True, True), said


@pytest.mark.parametrize("name", ["results.json", "junit.xml", "summary.md"])
def test_a_report_that_the_log_does_not_give_is_refused(name: str, folder: Folder) -> None:
    """A report that was edited and signed all the same is not what the log gives."""
    (folder.path / name).write_text((folder.path / name).read_text().replace("SET-ADD", "SET-ODD"))
    code, said = folder.sign().verify()
    assert (code, f"Reports differ: {name} is not what run.jsonl gives" in said) == (1, True), said


@pytest.mark.parametrize("name", ["../x", "/x", "a/../x", "./x", "a//x", CERTIFICATE])
def test_a_subject_outside_the_folder_is_refused(name: str, folder: Folder) -> None:
    """A name that leads out of the folder is never opened."""
    folder.sign(edit=lambda told: told["subject"].append({"name": name, "digest": {"sha256": "0" * 64}}))
    code, said = folder.verify()
    assert (code, "names no file of the folder" in said) == (1, True), said


PARTS: dict[str, tuple[dict[str, Any], str]] = {
    "half the clauses": ({"clauses": CLAUSES[::2]}, f"without {len(CLAUSES) // 2} clauses"),
    "two formats": ({"formats": ("xmlrpc", "jsonrpc2")}, "without the format jsonrpc1"),
    "a class": ({"classes": ("VM",)}, "of the class VM alone"),
    "a fault": ({"fault": "removals_return_null"}, "with the fault removals_return_null switched on"),
    "hostile input": ({"kind": "fuzz"}, "a run of fuzz, which cannot show that a server conforms"),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_a_run_is_no_whole_one(name: str, tmp_path: Path) -> None:
    """A run that is not whole is refused with what it lacks, exit code 4, unless that is allowed and said again."""
    changes, told = PARTS[name]
    folder = Folder(tmp_path / "out").write(list(run(start=replace(START, **changes)).lines()))
    code, said = folder.verify()
    assert (code, f"{REFUSED} " in said, "Partial run: " in said, told in said) == (4, True, True, True), said
    code, said = folder.verify("--allow-partial")
    assert (code, "IN PART: the certificate holds" in said, told in said) == (0, True, True), said
    assert folder.statement["predicate"]["result"] != "PASSED"
    assert folder.statement["predicate"]["xenconform"]["whole"] is False


def test_a_run_without_a_restart_is_whole_and_says_so(tmp_path: Path) -> None:
    """PERSIST is left out where nobody says how to restart the server: the certificate holds, and tells that."""
    start = replace(START, clauses=tuple(each for each in CLAUSES if each != "PERSIST"))
    code, said = Folder(tmp_path / "out").write(list(run(start=start).lines())).verify()
    assert (code, "PERSIST was not run: this says nothing of restarts" in said) == (0, True), said


@pytest.mark.parametrize(
    "end", [{"interrupted": True}, {"error": "no route to host"}], ids=["interrupted", "out of reach"]
)
def test_a_run_that_was_not_finished_never_holds(end: dict[str, Any], tmp_path: Path) -> None:
    """A run without a verdict is refused with 3, also where a part would do."""
    folder = Folder(tmp_path / "out").write(list(run(**end).lines()))
    for options in ((), ("--allow-partial",)):
        code, said = folder.verify(*options)
        assert (code, "Run not finished" in said) == (3, True), said


def test_a_waiver_holds_until_its_last_day(tmp_path: Path) -> None:
    """On the last day of a waiver its certificate holds, a day later it is refused with the waiver's name and day."""
    folder = Folder(tmp_path / "out").write(list(run(WAIVED).lines()))
    code, said = folder.verify("--on", "2026-12-31")
    assert (code, "waived until 2026-12-31: SET-ADD on VM.* where it shows 'a twice', 1 part: known" in said) == (
        0,
        True,
    ), said
    code, said = folder.verify("--on", "2027-01-01")
    told = "Waiver expired: waived until 2026-12-31, and 2027-01-01 is later: SET-ADD VM.tags[xmlrpc]"
    assert (code, told in said) == (1, True), said
    stated = folder.statement["predicate"]["xenconform"]["waivers"]
    assert [(each["expires"], each["parts"]) for each in stated] == [("2026-12-31", ["SET-ADD VM.tags[xmlrpc]"])]


def test_a_waiver_that_nothing_rests_on_may_expire(folder: Folder) -> None:
    """A waiver of the profile that waived nothing is no part of the certificate."""
    assert WAIVER in START.waivers
    assert folder.verify("--on", "2099-01-01")[0] == 0


def test_of_waivers_that_cover_one_failure_the_last_counts(tmp_path: Path) -> None:
    """Where two waivers cover a failure, both are told, and it is waived until the last day of either."""
    longer = replace(WAIVER, element="*", expires=WAIVER.expires.replace(year=2030))
    start = replace(START, waivers=(WAIVER, longer))
    folder = Folder(tmp_path / "out").write(list(run(WAIVED, start=start).lines()))
    assert folder.verify("--on", "2026-12-31")[0] == 0
    code, said = folder.verify("--on", "2027-01-01")
    assert code == 0, said
    assert "waived until 2030-12-31" in said
    assert folder.verify("--on", "2031-01-01")[0] == 1


def test_another_version_is_told(tmp_path: Path) -> None:
    """Where a certificate of another version says otherwise, the version that certified is named."""
    folder = Folder(tmp_path / "out").write(list(run(start=replace(START, version="9.9")).lines()))
    folder.sign(edit=lambda told: told["predicate"].update(result="FAILED"))
    assert "verify with the version that certified, 9.9" in folder.verify()[1]


def test_what_somebody_else_adds_to_a_statement_is_passed_over(folder: Folder) -> None:
    """Members that this version does not know mean nothing to it, as in-toto's parsing rules want."""
    folder.sign(edit=lambda told: (told.update(x_y=1), told["predicate"].update(url="https://ci.example/7")))
    assert folder.verify()[0] == 0
    assert KEY is not STRANGER
