"""What no file of a run shows: sessions in any spelling, passwords, and, where it is asked for, hosts."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import in_process
import pytest
from click.testing import CliRunner

from xenconform.conformance.cli.redact import redact
from xenconform.conformance.cli.rejudge import rejudge
from xenconform.conformance.client import redaction
from xenconform.conformance.client.redaction import Secrets
from xenconform.conformance.suite.credentials import embedded_logins
from xenconform.conformance.suite.run import CannotStartError, Run
from xenconform.conformance.suite.settings import ConfigError, Options, Settings, check_workers
from xenconform.models.api import Api
from xenconform.models.events import decode_event
from xenconform.models.exchange import Exchange
from xenconform.models.integrity import read_strictly
from xenconform.models.pseudonyms import Pseudonyms
from xenconform.models.verdicts import Verdict
from xenconform.reports.write import read_run, write_all

STAYS = (
    "127.0.0.1 0.0.0.0 255.255.255.0 192.0.2.7 ::1 2001:db8::7",
    "24.18.0 1.2.3.4.5 12:00:00 02:00:00:00:01:00 20260101T12:00:00Z",
)
SESSION = "OpaqueRef:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def certify(out: Path, *clauses: str, **said: Any) -> Path:
    """Run some clauses on two classes, and write the reports."""
    return in_process.certify(out, classes=("secret", "host"), clauses=clauses, **said)


def texts(out: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder, and every body of its log that is no text."""
    for path in out.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()
    for line in (out / "run.jsonl").read_text().splitlines():
        for found in re.findall(r'\{"\$bytes":"([^"]*)"\}', line):
            yield "a body that is no text", b64decode(found)


def test_no_file_shows_a_session_in_any_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the beginning of one, the other case, its uuid or UTF-16, wherever checks send sessions that are odd."""
    refs: set[str] = set()
    real = Secrets.add_session

    def add(self: Secrets, session: str) -> None:
        refs.add(session)
        real(self, session)

    monkeypatch.setattr(Secrets, "add_session", add)
    out = certify(tmp_path / "out", "ROBUST-*", "WIRE-MALFORMED", "SESSION-*", "RBAC")
    whole = {ref for ref in refs if re.fullmatch(r"OpaqueRef:[0-9a-f-]{36}", ref)}
    assert len(whole) > 10, "the run opened sessions"
    for name, content in texts(out):
        for ref in sorted(whole):
            for spelled in (ref[:18], ref.swapcase(), ref.partition(":")[2]):
                for data in (spelled.encode(), spelled.encode("utf-16-le"), spelled.encode("utf-16-be")):
                    assert data not in content, (name, spelled)


def test_no_file_shows_a_password(tmp_path: Path) -> None:
    """Not those of the roles either, which the matrix of roles logs in with."""
    out = certify(tmp_path / "out", "RBAC", "SESSION-LOGIN")
    secrets = {login.password for login in embedded_logins(Api.load()).values()}
    assert secrets
    for name, content in texts(out):
        for password in secrets:
            assert not re.search(rb"(?<![\w-])%b(?![\w-])" % re.escape(password.encode()), content), name


def test_no_file_shows_the_way_through_a_proxy(tmp_path: Path) -> None:
    """Neither its credentials nor where files of credentials lie, also where the run cannot begin."""
    secret, roles, out = tmp_path / "home-secret.txt", tmp_path / "home-roles.toml", tmp_path / "out"
    secret.write_text("Pa55-of-root")
    roles.write_text('[read-only]\nuser = "reader"\npassword = "Pa55-of-reader"\n')
    options = Options(
        url="http://127.0.0.1:9", password_file=str(secret), roles=str(roles), proxy="http://bob:s3cret@127.0.0.1:9",
        seed=1, out=str(out), clauses=("SESSION-LOGIN",), deadline=2.0,
    )  # fmt: skip
    out.mkdir()
    run = Run(Settings.of(options, {}), out / "run.jsonl")
    with pytest.raises(CannotStartError) as why:
        run.open()
    run.close(str(why.value))
    write_all(read_run(out / "run.jsonl"), out)
    for name, content in texts(out):
        for word in (b"s3cret", b"bob", b"Pa55", b"home-secret", b"home-roles"):
            assert word not in content, (name, word)


def test_a_body_that_is_cut_within_a_session_hides_what_is_left_of_it() -> None:
    """It says how many characters there are; a beginning that tells nothing of it stays elsewhere."""
    secrets = Secrets()
    secrets.add_session(SESSION)
    for said, hidden in {
        f"<string>{SESSION}</string>": "<string>SESSION-1</string>",
        f"<string>{SESSION[:12]}": "<string>SESSION-1[:12]",
        f"<string>{SESSION[:30]}</string>": "<string>SESSION-1[:30]</string>",
        f"<string>{SESSION[:-1]}</string>": "<string>SESSION-1[:45]</string>",
        f"<string>{SESSION[:12]}</string>": f"<string>{SESSION[:12]}</string>",
        "<string>OpaqueRef:": "<string>OpaqueRef:",
        rf"\x4f{SESSION[1:]}": r"\x4fpaqueRef:SESSION-1[10:]",
        f"{SESSION[:20]}, {SESSION[:25]}, {SESSION}": "SESSION-1[:20], SESSION-1[:25], SESSION-1",
    }.items():
        assert secrets.redact_by_hand(said.encode()).decode() == hidden, said
    secrets.add_session(SESSION.replace("-", ""))  # begins as the ref does, and is shorter
    dashless = secrets.redact_by_hand(SESSION.replace("-", "").encode())
    assert dashless == b"SESSION-2"
    wide = secrets.redact_by_hand(f"<{SESSION}>".encode("utf-16"))
    assert wide.decode("utf-16") == "<SESSION-1>"
    assert redaction.MASK not in hidden


def test_a_finding_does_not_quote_a_session(tmp_path: Path) -> None:
    """What a server said is quoted with its sessions hidden."""
    settings = Settings.of(Options(seed=5, budget="quick", clauses=("SESSION-*",), out=str(tmp_path)), {})
    run = Run(settings, tmp_path / "run.jsonl")
    run.open()
    try:
        session = run.bench.client.session
        with run.bench.judging("SESSION-LOGIN", "server") as judged:
            judged.fail(f"not {session}", f"Success '{session}', or {session[:30]} at least")
    finally:
        run.close()
    (told,) = [each for each in run.judgements if each.verdict is Verdict.FAIL]
    assert (told.expected, told.actual) == ("not SESSION-1", "Success 'SESSION-1', or SESSION-1[:30] at least")
    assert session.encode() not in (tmp_path / "run.jsonl").read_bytes()


def test_hosts_are_replaced_before_anything_is_written(tmp_path: Path) -> None:
    """No file has their names, equal names stay equal, and what was rewritten says so; the log is a whole one."""
    plain = certify(tmp_path / "plain", "GET-*", "SET-VALUE")
    out = certify(tmp_path / "out", "GET-*", "SET-VALUE", redact_hosts=True)
    assert any(b"host-one" in content for _, content in texts(plain)), "the server has this name"
    for name, content in texts(out):
        assert b"host-one" not in content.lower(), name
        assert b"host-two" not in content.lower(), name
    read = [data["outcome"].get("value") for data in _exchanges(out) if data["message"] == "host.get_hostname"]
    assert "host-1" in read
    marked = [data for data in _exchanges(out) if data.get("rewritten")]
    assert marked
    assert all("host-" in json.dumps(data) for data in marked)
    assert len(marked) < len(list(_exchanges(out))), "what has no name in it is as it was"
    with (out / "run.jsonl").open("rb") as lines:
        assert read_strictly(lines).start.redacted == ("hosts",)
    assert "names and addresses of hosts" in (out / "summary.md").read_text()
    assert CliRunner().invoke(rejudge, [str(out)]).exit_code == 0, "it can be judged again"


def test_a_log_is_written_once_more_without_hosts(tmp_path: Path) -> None:
    """As it would have been written at once; the log itself stays."""
    plain = certify(tmp_path / "plain", "GET-*")
    before = (plain / "run.jsonl").read_bytes()
    done = CliRunner().invoke(redact, [str(plain), "--out", str(tmp_path / "out"), "--host", "secret-lab"])
    assert done.exit_code == 0, done.output
    assert (plain / "run.jsonl").read_bytes() == before
    for name, content in texts(tmp_path / "out"):
        assert b"host-one" not in content.lower(), name
    with (tmp_path / "out/run.jsonl").open("rb") as lines:
        run = read_strictly(lines)
    assert run.judgements
    assert CliRunner().invoke(rejudge, [str(tmp_path / "out"), "-q"]).exit_code == 0
    for said, words in {(str(plain), str(plain)): "give another folder", ("nothing", "x"): "No such file"}.items():
        refused = CliRunner().invoke(redact, [said[0], "--out", said[1]])
        assert (refused.exit_code, words in refused.stderr) == (2, True), refused.stderr


def test_names_and_addresses_keep_their_kind() -> None:
    """Each is replaced by one for documentation, the same each time; what tells nothing stays."""
    hidden = Pseudonyms()
    hidden.learn(["xcp-01.lab.example.com", "pool", "10.0.0.1", "localhost"])
    for said, shown in {
        "xcp-01.lab.example.com and XCP-01": "host-1.example and host-1",
        "nas.lab.example.com": "host-3.example",
        "printer.local": "host-4.example",
        r'"\n10.0.0.1\n10.0.0.2 10.0.0.1:443"': r'"\n198.51.100.1\n198.51.100.2 198.51.100.1:443"',
        "https://[2a01:4f8::1]/ 2a01:4f8::1": "https://[2001:db8:ffff::1]/ 2001:db8:ffff::1",
        r'"pool" <string>pool</string> \"pool\"': r'"host-2" <string>host-2</string> \"host-2\"',
        "pool.get_all VM.get_all": "pool.get_all VM.get_all",
        **{same: same for same in STAYS},
    }.items():  # fmt: skip
        assert hidden.line(said) == shown
    many = hidden.line(" ".join(f"10.1.{at // 256}.{at % 256}" for at in range(600))).split()
    assert len(set(many)) == 600, "each address has its own"


def test_several_workers_are_refused() -> None:
    """Each would give names of its own, and one host would have several."""
    settings = Settings.of(Options(redact_hosts=True), {})
    with pytest.raises(ConfigError, match=r"--redact-hosts with 2 workers: .*; give --workers 1"):
        check_workers(settings, 2)
    check_workers(settings, 1)


def _exchanges(out: Path) -> Iterator[dict[str, Any]]:
    for line in (out / "run.jsonl").read_text().splitlines():
        if line.startswith('{"event":"exchange"'):
            assert isinstance(decode_event(line), Exchange)
            yield json.loads(line)
