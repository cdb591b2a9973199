"""A case as a Python script and as a shell file: both stand by themselves, and judge as the case says."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from case_samples import API, HOSTILE, NETWORK, NUMBERS, SAMPLES, XML, Sample, case, do, hostile, make
from strangers.defects import DEFECTS
from strangers.plain_server import Plain
from strangers.values import PASSWORD

from xenconform.conformance.reference import embedded
from xenconform.models.calls import Call, Format, Success
from xenconform.models.cases import Case, Expect, Step, Wanted, from_json
from xenconform.models.types import Void
from xenconform.models.values import Handle
from xenconform.reports.cases import case_name, clear_cases, curl, save_case, script

SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
BY_NAME = {each.defect: each for each in SAMPLES}


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    """The URL of a reference server."""
    with embedded.start() as server:
        yield server.url


@pytest.fixture(scope="module")
def sound() -> Iterator[Plain]:
    """A stranger without defects."""
    with Plain() as server:
        yield server


def run(command: list[str], url: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    """Run a file of a case on a server, as a user does who has none of this product."""
    environment = {"PATH": os.environ["PATH"], "XENCONFORM_PASSWORD": password, "PYTHONUTF8": "1"}
    return subprocess.run(
        [*command, url], env=environment, capture_output=True, text=True, timeout=60, check=False, encoding="utf-8"
    )


def python(folder: Path, of: Case) -> list[str]:
    path = folder / "case.py"
    path.write_text(script(of, API), "utf-8")
    return [sys.executable, "-I", str(path)]


def shell(folder: Path, of: Case, by: str = "sh") -> list[str]:
    path = folder / "case.sh"
    path.write_text(curl(of, API), "utf-8")
    return [by, str(path)]


def objects(server: Plain) -> dict[str, list[str]]:
    return {cls: list(rows) for cls, rows in server.objects.items()}


def defective(sample: Sample) -> Plain:
    server = Plain()
    DEFECTS[sample.defect].install(server)
    return server


@pytest.mark.parametrize("name", BY_NAME)
def test_a_script_shows_the_defect(name: str, tmp_path: Path, sound: Plain, reference: str) -> None:
    """A case's Python script ends with 1 where the defect is, with 0 where it is not, and leaves nothing behind."""
    sample = BY_NAME[name]
    command = python(tmp_path, sample.case)
    with defective(sample) as server:
        before = objects(server)
        ended = run(command, server.url)
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert f"The defect shows: step {sample.case.calls}, " in ended.stdout
        assert "  expected: " in ended.stdout
        assert objects(server) == before
    before = objects(sound)
    ended = run(command, sound.url)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert objects(sound) == before
    ended = run(command, reference, "password")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


@pytest.mark.parametrize("name", BY_NAME)
def test_a_shell_file_shows_the_defect(name: str, tmp_path: Path, sound: Plain, reference: str) -> None:
    """A case's shell file ends with 1 where the defect is, with 0 where it is not, and leaves nothing behind."""
    sample = BY_NAME[name]
    command = shell(tmp_path, sample.case)
    with defective(sample) as server:
        before = objects(server)
        ended = run(command, server.url)
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert f"The defect shows at step {sample.case.calls}." in ended.stdout
        assert objects(server) == before
    before = objects(sound)
    for url, password in ((sound.url, PASSWORD), (reference, "password")):
        ended = run(command, url, password)
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert objects(sound) == before


@pytest.mark.parametrize("last", ["name_label", "name_description", "tags", "other_config", "record"])
@pytest.mark.parametrize("fmt", Format)
def test_hostile_values_stay_values(fmt: Format, last: str, tmp_path: Path, sound: Plain, reference: str) -> None:
    """Quotes, substitutions, line ends and characters beyond ASCII reach a server as they are, from both files."""
    of = hostile(fmt, last=last)
    for url, password in ((sound.url, PASSWORD), (reference, "password")):
        ended = run(python(tmp_path, of), url, password)
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
        for by in SHELLS if url == sound.url else SHELLS[:1]:
            ended = run(shell(tmp_path, of, by), url, password)
            told = 2 if last == "record" else 0
            assert (ended.returncode, ended.stderr) == (told, ""), ended.stdout


@pytest.mark.parametrize("number", range(len(NUMBERS)), ids=[each.clause for each in NUMBERS])
def test_numbers_and_instants_are_exact(number: int, tmp_path: Path, sound: Plain, reference: str) -> None:
    """64-bit ints, the bits of floats, microseconds and empty collections pass; sessions end and found objects stay."""
    of = NUMBERS[number]
    before = objects(sound)
    for url, password in ((sound.url, PASSWORD), (reference, "password")):
        ended = run(python(tmp_path, of), url, password)
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
        ended = run(shell(tmp_path, of), url, password)
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert objects(sound) == before


@pytest.mark.parametrize(
    "tastes", [("spaced", "string_tags", "int_text"), ("bare_refs", "closing"), ("chunked", "shuffled")]
)
def test_any_spelling_of_a_reply_is_read(tastes: tuple[str, ...], tmp_path: Path) -> None:
    """Servers that spell replies otherwise are read all the same, by both files."""
    with Plain(tastes) as server:
        for sample in SAMPLES:
            ended = run(python(tmp_path, sample.case), server.url)
            assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
            ended = run(shell(tmp_path, sample.case), server.url)
            assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


@pytest.mark.parametrize(
    "changed",
    [
        {"name_label": "it's"},
        {"name_description": HOSTILE[1] + " "},
        {"tags": HOSTILE[3:]},
        {"other_config": {"$(x)": "y"}},
    ],
)
@pytest.mark.parametrize("fmt", Format)
def test_a_changed_hostile_value_is_seen(fmt: Format, changed: dict[str, object], tmp_path: Path, sound: Plain) -> None:
    """A reply that is not quite the hostile value that must come is told from it, by both files."""
    of = hostile(fmt, last=next(iter(changed)))
    record = {**of.steps[0].call.args[0], **changed}
    of = replace(of, steps=(replace(of.steps[0], call=Call("network.create", (record,))), of.steps[-1]))
    assert run(python(tmp_path, of), sound.url).returncode == 1
    assert run(shell(tmp_path, of), sound.url).returncode == 1


def test_a_server_without_what_a_case_needs(tmp_path: Path) -> None:
    """Where a server refuses to make what the case is about, both files end with 2 and say so."""
    with Plain({"no_hardware"}) as server:
        before = objects(server)
        for command in (python(tmp_path, SAMPLES[1].case), shell(tmp_path, SAMPLES[1].case)):
            ended = run(command, server.url)
            assert ended.returncode == 2, ended.stdout
            assert "The case cannot be run here: step 3" in ended.stdout
        assert objects(server) == before


def test_a_step_that_is_refused_ends_the_case(tmp_path: Path, reference: str) -> None:
    """Where an earlier step may be refused and is, the case cannot be run: nothing is said of the server."""
    never = replace(do("network.destroy", "made up"), expect=Expect(Void(), Wanted.VALUE))
    of = case("SET-VALUE", "network.MTU", make(NETWORK), do("network.set_MTU", NETWORK, 1), never, never)
    allowed = replace(of.steps[2], expect=Expect(Void(), Wanted.VALUE, None, ("HANDLE_INVALID",)))
    of = replace(of, steps=(*of.steps[:2], allowed, of.steps[3]))
    ended = run(python(tmp_path, of), reference, "password")
    assert ended.returncode == 2
    assert "step 3, network.destroy, was refused here (HANDLE_INVALID)" in ended.stdout
    assert run(shell(tmp_path, of), reference, "password").returncode == 2
    seen = replace(of, steps=(*of.steps[:2], replace(allowed, refused=True), of.steps[3]))
    assert run(python(tmp_path, seen), reference, "password").returncode == 1, "the last step fails in earnest"


@pytest.mark.parametrize("password", ["wrong", 'it\'s "$(x)" & <\\'])
def test_no_log_in_no_verdict(password: str, tmp_path: Path, sound: Plain) -> None:
    """A wrong password or a server that is not there ends with 2, and no password is printed."""
    for command in (python(tmp_path, SAMPLES[0].case), shell(tmp_path, SAMPLES[0].case)):
        for url in (sound.url, "http://127.0.0.1:9"):
            ended = run(command, url, password)
            assert ended.returncode == 2, ended.stdout
            assert "The case cannot be run here: " in ended.stdout
            assert password not in ended.stdout + ended.stderr


def test_an_odd_password_arrives(tmp_path: Path) -> None:
    """A password is sent as it is, over each format, by both files."""
    odd = 'it\'s "$(x)" & <\\ é'
    users = tmp_path / "users.json"
    users.write_text(json.dumps({"root": {"password": odd, "roles": ["pool-admin"]}}))
    with embedded.start(["--users", str(users)]) as server:
        for fmt in Format:
            of = case("SET-VALUE", "network", make(NETWORK, fmt))
            assert run(python(tmp_path, of), server.url, odd).returncode == 0
            assert run(shell(tmp_path, of), server.url, odd).returncode == 0


def test_a_unix_socket_is_a_server(tmp_path: Path) -> None:
    """Both files reach a server over a unix socket."""
    place = tmp_path / "s"
    server = subprocess.Popen(
        [sys.executable, "-m", "xenconform", "serve", "--unix", str(place)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline()
        for command in (python(tmp_path, SAMPLES[0].case), shell(tmp_path, SAMPLES[0].case)):
            ended = run(command, f"unix://{place}", "password")
            assert ended.returncode == 0, ended.stdout + ended.stderr
    finally:
        server.terminate()
        server.wait(30)
        assert server.stdout is not None
        server.stdout.close()


def test_a_script_is_plain_python() -> None:
    """A script is Python 3.8, in ASCII, imports the standard library alone, and says on top what rule is broken."""
    for of in (*[each.case for each in SAMPLES], *NUMBERS, hostile(XML, last="tags")):
        text = script(of, API)
        tree = ast.parse(text, feature_version=(3, 8))
        assert text.isascii()
        modules = {name.split(".")[0] for name in re.findall(r"^(?:from|import) (\S+)", text, re.MULTILINE)}
        assert modules <= sys.stdlib_module_names
        assert f"# {of.clause}: " in text[:200]
        assert next(each.name for each in tree.body if isinstance(each, ast.FunctionDef)) == "steps"
        assert max(map(len, text.splitlines())) <= 120 or of.clause == "SET-VALUE"


def test_no_refs_in_any_file(tmp_path: Path) -> None:
    """No reference of a server and no password is in a written file, though the words for people had one."""
    for sample in SAMPLES:
        name = save_case(sample.case, tmp_path, API, "https://xen.example")
        assert name == case_name(from_json((tmp_path / "cases" / f"{name}.json").read_text("utf-8")))
    texts = [path.read_text("utf-8") for path in (tmp_path / "cases").iterdir()]
    assert len(texts) == 3 * len(SAMPLES)
    found = {each for text in texts for each in re.findall(r"OpaqueRef:[0-9a-f]+", text)}
    assert found == set()
    assert all(PASSWORD not in text for text in texts)
    assert all(os.access(path, os.X_OK) == (path.suffix != ".json") for path in (tmp_path / "cases").iterdir())
    clear_cases(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_stays() -> None:
    """A case with the same calls has the same name whatever came of it; another call gives another name."""
    one = SAMPLES[0].case
    assert case_name(replace(one, actual="x", expected="y", note="z")) == case_name(one)
    assert case_name(replace(one, steps=one.steps[:2])) != case_name(one)
    assert re.fullmatch(r"LABEL-LOOKUP-network-[0-9a-f]{8}", case_name(one))
    assert re.fullmatch(r"[A-Za-z0-9_-]+", case_name(replace(one, element="VIF.VM<->../VM", clause="A/B")))


def test_a_uuid_of_one_server_is_none_of_another(tmp_path: Path, sound: Plain) -> None:
    """A uuid that a server chose is named by its object in the files, so that they hold on any server."""
    uuid = "0b5ac4e6-3d0a-4a7e-9c85-1c2b7a6d0f11"
    uuid_again = replace(
        do("network.get_uuid", NETWORK), expect=Expect(API.classes["network"].fields["uuid"].type, Wanted.VALUE, uuid)
    )
    first = replace(uuid_again, expect=Expect(API.classes["network"].fields["uuid"].type, Wanted.ANY))
    of = case("GET-AGAIN", "network.uuid", make(NETWORK), first, uuid_again)
    assert uuid not in script(of, API)
    assert run(python(tmp_path, of), sound.url).returncode == 0
    assert run(shell(tmp_path, of), sound.url).returncode == 0


def test_an_object_that_no_step_makes_is_refused() -> None:
    """A case that uses an object before it is made cannot be written, and says which."""
    of = case("SET-VALUE", "network", do("network.destroy", Handle("network", 7)))
    for write in (script, curl):
        with pytest.raises(ValueError, match="network#7 is used before a step makes it"):
            write(of, API)


def test_words_cannot_leave_their_comment(tmp_path: Path, sound: Plain) -> None:
    """Whatever stands in the words of a case stays in its comments."""
    words = 'x\nexit 9\r\nraise SystemExit(9)\n"""\n$(exit 9)\x85\u2028exit 9\nimport os'
    of = replace(SAMPLES[0].case, clause=f"C{words}", element=words, expected=words, actual=words, note=words)
    assert run(python(tmp_path, of), sound.url).returncode == 0
    assert run(shell(tmp_path, of), sound.url).returncode == 0


def test_a_race_is_tried_until_it_shows(tmp_path: Path, sound: Plain) -> None:
    """Concurrent steps run in threads of their own, and fail only with replies that no outcome has."""
    writes = [Step(Call("network.set_name_label", (NETWORK, text)), XML, thread=at) for at, text in enumerate("ab", 1)]
    read = Step(Call("network.get_name_label", (NETWORK,)), Format.JSONRPC2, together=True)
    steps = (make(NETWORK), *writes, read)
    joint = tuple((Success(None), Success(None), Success(last)) for last in ("a", "b"))
    of = Case("CONC-LINEARIZABLE", "network", steps, joint=joint, repeats=3)
    before = objects(sound)
    ended = run(python(tmp_path, of), sound.url)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert "The defect does not show in 3 tries." in ended.stdout
    wrong = replace(of, joint=tuple((Success(None), Success(None), Success(last)) for last in ("c", "d")))
    ended = run(python(tmp_path, wrong), sound.url)
    assert ended.returncode == 1
    assert "no outcome of any order" in ended.stdout
    assert run(shell(tmp_path, of), sound.url).returncode == 2, "a shell leaves it to the reader"
    untold = replace(of, joint=())
    assert run(python(tmp_path, untold), sound.url).returncode == 2
    assert objects(sound) == before
    spans = ((0, 400), (100, 900), (1000, 1500))
    name = save_case(replace(of, spans=spans, came=joint[0]), tmp_path, API)
    picture = (tmp_path / "cases" / f"{name}.svg").read_text("utf-8")
    assert [each in picture for each in ("thread 1", "thread 2", "after", "prefers-color-scheme: dark")] == [True] * 4
    assert picture.count('rx="3"') == 3
