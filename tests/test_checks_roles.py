"""Roles: the checks find what a role may that it must not, and the other way round; and how the users are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from strangers.certify import certify
from strangers.defects import DEFECTS
from strangers.matrix import run as run_defect
from strangers.plain_server import Plain
from strangers.roles import write_roles
from strangers.values import TASTES
from wire_bench import InProcess, Ran

from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.checks.logins import RoleLogin, RoleSessions, roles_of
from xenconform.conformance.checks.roles import CHECKS, has_role_messages
from xenconform.conformance.client import Client
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.conformance.reference.users import User, default_users
from xenconform.conformance.suite.credentials import embedded_logins, read_logins
from xenconform.conformance.suite.settings import ConfigError, Options, Settings
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.profiles import Profile, Scope
from xenconform.models.target import Target
from xenconform.models.verdicts import Verdict

API = Api.load()
ROLES = roles_of(API)
May = Callable[[User, frozenset[str]], bool]


@dataclass(frozen=True, slots=True)
class Odd(User):
    """A user of the reference server who is judged by another rule."""

    rule: May = lambda _user, _roles: True

    def may(self, roles: frozenset[str]) -> bool:
        return self.rule(self, roles)


def judge(
    *classes: str,
    logins: Mapping[str, RoleLogin] | None = None,
    odd: Mapping[str, May] | None = None,
    profile: Profile | None = None,
    budget: str = "standard",
) -> Ran:
    """Judge roles on some classes of a reference server, where some users are judged by another rule."""
    users = {**default_users()}
    for name, rule in (odd or {}).items():
        users[name] = Odd("password", frozenset({name}), rule)
    transport = InProcess(Service(State(seeded(API, 0), users)))
    client = Client(Target("http", "127.0.0.1", 1), API, make_transport=lambda _: transport)
    client.login(Format.XMLRPC, "root", "password")
    ran = Ran()
    bench = Bench(
        api=API,
        client=client,
        profile=profile or Profile.load("reference"),
        formats=tuple(Format),
        budget=BUDGETS[budget],
        seed=7,
        record=ran.judgements.append,
        clauses=["RBAC"],
    )
    bench.roles = RoleSessions(embedded_logins(API) if logins is None else logins)
    for check in CHECKS:
        if check.per_server is not None:
            check.per_server(bench)
        for name in classes:
            if check.per_class is not None and check.applies(API, API.classes[name]):
                check.per_class(bench, API.classes[name])
    ran.calls = transport.calls
    bench.stock.clear()
    assert client.logout_all() == (), "every session can be logged out"
    ran.left = len(client.opened)
    return ran


def test_the_roles_are_those_of_the_model() -> None:
    """The mightiest role comes first, and every role that a message names is there."""
    assert ROLES[0] == "pool-admin"
    assert set(ROLES) == {role for of in API.classes.values() for m in of.messages.values() for role in m.roles}


def test_the_reference_server_passes_the_whole_matrix() -> None:
    """Each class × role passes once, nothing is left untested on a server that need not be spared, nobody stays in."""
    ran = judge(*API.classes)
    counts = Counter(judgement.verdict for judgement in ran.judgements)
    assert counts.keys() == {Verdict.PASS, Verdict.UNSUPPORTED}
    parts = [j.element for j in ran.judgements if j.verdict is Verdict.PASS]
    judged = {name for name, of in API.classes.items() if has_role_messages(API, of)} - {"auth"}  # it has none of these
    assert sorted(parts) == sorted(f"{name} as {role}" for name in (*judged, "server") for role in ROLES)
    assert ran.calls < 15_000
    assert ran.left == 0


def test_the_quick_budget_calls_a_third() -> None:
    """The quick budget calls a part of the messages, and judges every role all the same."""
    few, all_of_them = (judge("VM", budget=name) for name in ("quick", "standard"))
    assert few.calls < all_of_them.calls / 2
    assert {j.element for j in few.judgements if j.verdict is Verdict.PASS} == {
        j.element for j in all_of_them.judgements if j.verdict is Verdict.PASS
    }


def test_a_role_that_may_too_much_is_found() -> None:
    """One finding names the class and the role, counts the messages and lists ten of them."""
    ran = judge("network", odd={"read-only": lambda _user, _roles: True})
    (finding,) = ran.failed("RBAC")
    assert finding.element == "network as read-only"
    assert "network.destroy (not allowed) over" in finding.actual
    assert "more" in finding.actual
    assert len(finding.exchanges) == 10


def test_a_role_that_may_too_little_is_found() -> None:
    """A role that is denied what is published for it fails, and no other role."""
    ran = judge("secret", "VM", odd={"vm-operator": lambda _user, roles: "read-only" in roles})
    (finding,) = ran.failed("RBAC")
    assert finding.element == "VM as vm-operator"
    assert "VM.start (allowed) over" in finding.actual


def test_a_role_without_credentials_is_told_once_with_the_fix() -> None:
    """Who has no credentials is untested once, not once a class; the others are judged."""
    logins = {role: login for role, login in embedded_logins(API).items() if role != "vm-admin"}
    ran = judge("network", "VM", logins=logins)
    (untested,) = [j for j in ran.judgements if j.verdict is Verdict.UNTESTED]
    assert untested.element == "server as vm-admin"
    assert "--roles FILE" in untested.reason


def test_without_credentials_a_class_is_untested() -> None:
    """With no credentials at all nothing passes and nothing fails."""
    ran = judge("network", logins={})
    assert {j.verdict for j in ran.judgements} == {Verdict.UNTESTED}
    assert [j.element for j in ran.judgements if j.element == "network"] == ["network"]


def test_credentials_that_do_not_open_are_untested() -> None:
    """A wrong password is no defect of the server: the reason says who cannot log in, and no password."""
    ran = judge("network", logins={"read-only": RoleLogin("read-only", "open sesame")})
    reasons = {j.element: j.reason for j in ran.judgements if "read-only" in j.element}
    assert reasons.keys() == {"server as read-only", "network as read-only"}
    assert all("cannot log in" in reason and "sesame" not in reason for reason in reasons.values())
    assert {j.verdict for j in ran.judgements} == {Verdict.UNTESTED}


def test_what_may_harm_is_not_called_on_a_server_in_use() -> None:
    """Outside scope all, what names no object and does more than read is told to be not called, by name."""
    spared = replace(Profile.load("reference"), scope=Scope.OWN)
    ran = judge("pool", profile=spared)
    told = {j.element: j.reason for j in ran.judgements if j.verdict is Verdict.UNTESTED}
    assert told.keys() == {f"pool as {role} (not called)" for role in ROLES}
    assert "may do harm" in told["pool as read-only (not called)"]
    assert ran.clauses(Verdict.FAIL) == set()


@pytest.mark.parametrize("tastes", [set(), {"role_last"}, set(TASTES) - {"bare"}], ids=["none", "role last", "most"])
def test_conforming_strangers_pass(tastes: set[str], tmp_path: Path) -> None:
    """Whatever a server checks first, no role is blamed."""
    options = ("--scope", "all", "--class", "network", "--class", "pool", "--clause", "RBAC")
    with Plain(tastes) as server:
        code, results = certify(server, "--roles", str(write_roles(tmp_path)), *options)
    assert results["findings"] == []
    assert results["errors"] == []
    assert results["clauses"][0]["counts"]["PASS"] == 5 * len(ROLES) + 2, (
        "networks: one role is denied a create, one an end"
    )
    assert code == 0, "a SHOULD never decides"


@pytest.mark.parametrize("name", ["read_only_may_rename", "read_only_may_destroy_secrets", "tasks_need_no_role"])
def test_defects_of_roles_are_caught(name: str, tmp_path: Path) -> None:
    """What a role may too much is seen, though what is called first names no object."""
    failed, results = run_defect(DEFECTS[name], "--clause", "RBAC", "--roles", str(write_roles(tmp_path)))
    assert failed == {"RBAC"}, results


def test_a_file_of_roles_is_read(tmp_path: Path) -> None:
    """A password stands in the file, or in another one beside it; who shows a login shows no password."""
    logins = read_logins(write_roles(tmp_path), API)
    assert logins.keys() == set(ROLES)
    assert logins["vm-admin"] == RoleLogin("the vm-admin", "stranger vm-admin")
    assert logins["read-only"].password == "stranger read-only"
    assert "stranger" not in repr(logins)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no role"),
        ('[reader]\nuser = "a"\npassword = "hidden"', r"\[reader\] is no role; the roles are pool-admin"),
        ('[read-only]\npassword = "hidden"', r"\[read-only\]: give user"),
        ('[read-only]\nuser = "a"', "password or password-file"),
        ('[read-only]\nuser = "a"\npassword = "hidden"\npassword-file = "x"', "one of the two"),
        ('[read-only]\nuser = "a"\npassword = 5', "as text"),
        ('[read-only]\nuser = "a"\npassword-file = "no-such"', "No such file"),
        ('[read-only]\nuser = "a"\npassword = "hidden', "no TOML"),
        ('[read-only]\nuser = "a"\npassword = "hidden\\u0000"', "no XML can carry"),
        ('read-only = "hidden"', "give user"),
    ],
)
def test_a_wrong_file_of_roles_is_told_without_its_passwords(tmp_path: Path, text: str, said: str) -> None:
    """Each message names the file and the fix; none shows a password."""
    path = tmp_path / "roles.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"--roles .*roles\.toml: .*{said}") as caught:
        Settings.of(Options(roles=str(path)), {})
    assert "hidden" not in str(caught.value)


def test_the_embedded_servers_users_need_no_file() -> None:
    """Without a URL every role has a user; with one nobody has."""
    assert Settings.of(Options(), {}).roles.keys() == set(ROLES)
    assert Settings.of(Options(url="http://localhost"), {"XENCONFORM_PASSWORD": "x"}).roles == {}


def test_no_log_shows_a_password(tmp_path: Path) -> None:
    """Neither the log nor a report of a run holds a password of a role."""
    out = tmp_path / "out"
    with Plain() as server:
        options = ("--class", "Feature", "--clause", "RBAC", "--roles", str(write_roles(tmp_path)))
        certify(server, *options, "--out", str(out))
        texts = [path.read_text("utf-8") for path in out.iterdir()]
    assert any("the vm-admin" in text for text in texts), "the logins are there"
    assert not any("stranger vm-admin" in text or "stranger read-only" in text for text in texts)
