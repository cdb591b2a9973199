"""The reference server without sockets: every format, the order of checks, sessions, roles, tasks and events."""

from __future__ import annotations

import time
from typing import Any

import pytest
from reference_caller import API, FORMATS, Caller

from xenconform.conformance.codec import codec_for
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.conformance.reference.users import read_users
from xenconform.models import types as t
from xenconform.models.calls import Breach, Failure, Format, Success


@pytest.fixture
def service() -> Service:
    return Service(State(seeded(API)))


@pytest.mark.parametrize("over", FORMATS)
def test_every_getter_and_record_over_every_format(service: Service, over: Format) -> None:
    """Of every seeded object each getter and get_record answer without a flaw, and agree."""
    caller = Caller(service, over)
    for cls, of in API.classes.items():
        for handle in service.state.world.handles(cls):
            ref = service.state.refs.ref(handle)
            record = caller.value(f"{cls}.get_record", ref)
            assert list(record) == list(of.fields)
            for name in of.fields:
                if f"get_{name}" in of.messages:
                    assert caller.value(f"{cls}.get_{name}", ref) == record[name]


def test_what_one_format_writes_the_others_read(service: Service) -> None:
    """A session and an object made over one format are the same over the others."""
    one, two, three = (Caller(service, each) for each in FORMATS)
    two.session = three.session = one.session
    record = {
        "name_label": 'a <b> & "c" é 🎈',
        "name_description": " \r\n\t ",
        "MTU": 2**62,
        "other_config": {"k": "v"},
    }
    record["tags"] = ("x", "y")
    ref = two.value("network.create", record)
    assert one.value("network.get_record", ref) == three.value("network.get_record", ref)
    assert {k: three.value("network.get_record", ref)[k] for k in record} == record


@pytest.mark.parametrize("over", FORMATS)
def test_checks_come_in_order(service: Service, over: Format) -> None:
    """Method, count, types, session, role, reference: of several wrong things the first is told."""
    admin, reader = Caller(service, over), Caller(service, over, "read-only")
    network = admin.value("network.get_all")[0]
    assert admin.ask("network.nonsense", "x") == Failure("MESSAGE_METHOD_UNKNOWN", ("network.nonsense",))
    assert admin.ask("network.set_uuid", network, "x") == Failure("MESSAGE_METHOD_UNKNOWN", ("network.set_uuid",))
    mismatch = "MESSAGE_PARAMETER_COUNT_MISMATCH"
    assert admin.ask("network.get_uuid") == Failure(mismatch, ("network.get_uuid", "1", "0"))
    assert admin.ask("network.get_uuid", bare=True) == Failure(mismatch, ("network.get_uuid", "1", "-1"))
    admin.session, good = "OpaqueRef:nobody", admin.session
    wrong = admin.codec.encode_call("network.set_MTU", [(t.Str(), "x"), (t.Str(), "x"), (t.Bool(), True)], 7)
    answer = service.handle("/", "", wrong)
    assert admin.codec.decode_reply(answer.body, None, 7).outcome == Failure("FIELD_TYPE_ERROR", ("value",))
    assert admin.ask("network.get_uuid", "x") == Failure("SESSION_INVALID", ("OpaqueRef:nobody",))
    admin.session = network
    assert admin.ask("network.get_uuid", "x") == Failure("SESSION_INVALID", (network,))
    admin.session = good
    denied = reader.ask("network.set_MTU", "x", 1)
    assert isinstance(denied, Failure)
    assert (denied.code, denied.params[0]) == ("RBAC_PERMISSION_DENIED", "network.set_MTU")
    assert admin.ask("network.get_uuid", "x") == Failure("HANDLE_INVALID", ("network", "x"))
    assert admin.ask("network.get_uuid", "") == Failure("HANDLE_INVALID", ("network", t.NULL_REF))
    host = admin.value("host.get_all")[0]
    assert admin.ask("network.get_uuid", host) == Failure("HANDLE_INVALID", ("network", host))


@pytest.mark.parametrize("over", FORMATS)
def test_a_clock_is_a_host_s(service: Service, over: Format) -> None:
    """What the World cannot answer is asked of an object too: a ref of another class, null or made up is refused."""
    caller = Caller(service, over)
    host, network = caller.value("host.get_all")[0], caller.value("network.get_all")[0]
    for name in ("host.get_servertime", "host.get_server_localtime"):
        assert caller.value(name, host).tzinfo is not None
        for ref in (network, t.NULL_REF, "OpaqueRef:x"):
            assert caller.ask(name, ref) == Failure("HANDLE_INVALID", ("host", ref))


def test_a_wrong_member_of_a_record_is_named(service: Service) -> None:
    """FIELD_TYPE_ERROR carries the field's name, of a bad type and of one left out."""
    caller = Caller(service, Format.JSONRPC2)
    head = f'{{"jsonrpc":"2.0","id":7,"method":"network.create","params":["{caller.session}",'
    answer = service.handle("/jsonrpc", "", (head + '{"MTU":"x"}]}').encode())
    assert caller.codec.decode_reply(answer.body, None, 7).outcome == Failure("FIELD_TYPE_ERROR", ("MTU",))
    vms = caller.value("VM.get_all")
    assert caller.ask("VIF.create", {"VM": vms[0]}) == Failure("FIELD_TYPE_ERROR", ("device",))


def test_control_characters_are_refused_in_json(service: Service) -> None:
    """Text that XML cannot carry is refused before anything else, and changes nothing."""
    caller = Caller(service, Format.JSONRPC1)
    network = caller.value("network.get_all")[0]
    for text in ("\x00", "\x08", "\x1b", "\ud800", "\uffff"):
        refused = caller.ask("network.add_tags", network, text)
        assert isinstance(refused, Failure)
        assert refused.code == "INVALID_VALUE"
    assert caller.value("network.get_tags", network) == ("lan",)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/", b"", 500),
        ("/", b"<methodCall>", 500),
        ("/jsonrpc", b"[]", 500),
        ("/jsonrpc", b'{"method":"system.isAlive","params":[]}', 500),
        ("/jsonrpc", b'{"jsonrpc":"3.0","method":"system.isAlive","params":[],"id":1}', 500),
        ("/", b'<!DOCTYPE x [<!ENTITY a "b">]><methodCall><methodName>&a;</methodName></methodCall>', 500),
        ("/nowhere", b"{}", 404),
    ],
)
def test_what_is_no_call_gets_a_page(service: Service, path: str, body: bytes, status: int) -> None:
    """A malformed document is answered with an HTTP error, a short page, and the end of the connection."""
    answer = service.handle(path, "", body)
    assert (answer.status, answer.content_type, answer.close) == (status, "text/html", True)
    assert len(answer.body) < 1000
    assert service.handle("/", "", b"", "GET").status == 405


@pytest.mark.parametrize("path", ["/", "/RPC2", "/xmlrpc", "/jsonrpc"])
def test_every_path_takes_every_format(service: Service, path: str) -> None:
    """The body alone says which format a call is in, whatever its content type."""
    for over in FORMATS:
        codec = codec_for(over)
        answer = service.handle(path, "application/x-www-form-urlencoded", codec.encode_call("system.isAlive", [], 7))
        assert codec.decode_reply(answer.body, t.Bool(), 7, API, answer.content_type).outcome == Success(True)


def test_list_methods_needs_no_session(service: Service) -> None:
    """system.listMethods: in XML-RPC a bare array, without the Status struct."""
    codec = codec_for(Format.XMLRPC)
    answer = service.handle("/", "", codec.encode_call("system.listMethods", []))
    assert b"Status" not in answer.body
    names = codec.decode_reply(answer.body, t.SetOf(t.Str()), bare_ok=True).outcome
    assert isinstance(names, Success)
    assert {"VM.start", "network.get_MTU", "event.from"} <= set(names.value)
    assert {name.partition(".")[0] for name in names.value} <= {*API.classes, "system"}


def test_other_spellings_of_names(service: Service) -> None:
    """`VM_get_all` is `VM.get_all`; class names may have underscores of their own."""
    caller = Caller(service, Format.XMLRPC)
    assert caller.ask("VM_get_all") == caller.ask("VM.get_all", result=None)
    assert caller.ask("VM_metrics_get_all") == caller.ask("VM_metrics.get_all")
    assert caller.ask("VM_nonsense") == Failure("MESSAGE_METHOD_UNKNOWN", ("VM_nonsense",))


def test_a_long_name_of_many_underscores_is_unknown_at_once(service: Service) -> None:
    """The fuzzer's: it was tried at each of them, which took seconds and held up all others."""
    name, began = "a_" * 140_000, time.monotonic()
    assert Caller(service, Format.XMLRPC).ask(name) == Failure("MESSAGE_METHOD_UNKNOWN", (name,))
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("over", FORMATS)
def test_sessions(service: Service, over: Format) -> None:
    """Two to four parameters and more open a session; a session is an object; logout ends it and no other."""
    caller = Caller(service, over)
    for more in ((), ("1.0",), ("1.0", "tests"), ("1.0", "tests", "extra")):
        args = ("root", "password", *more)
        body = caller.codec.encode_call("session.login_with_password", [(t.Str(), each) for each in args], 7)
        outcome = caller.codec.decode_reply(service.handle("/", "", body).body, t.RefTo("session"), 7).outcome
        assert isinstance(outcome, Success)
        record = caller.value("session.get_record", outcome.value)
        assert (record["auth_user_name"], record["originator"]) == ("root", more[1] if len(more) > 1 else "")
    other = Caller(service, over)
    assert caller.value("user.get_short_name", record["this_user"]) == "root"
    assert caller.ask("session.logout") == Success(None)
    assert caller.ask("network.get_all") == Failure("SESSION_INVALID", (caller.session,))
    assert other.value("network.get_all")
    for user, password in (("root", "Password"), ("nobody", "password"), ("root", "")):
        refused = other.ask("session.login_with_password", user, password, bare=True)
        assert isinstance(refused, Failure)
        assert (refused.code, refused.params[0]) == ("SESSION_AUTHENTICATION_FAILED", user)
    one = other.ask("session.login_with_password", "root", bare=True)
    assert one == Failure("MESSAGE_PARAMETER_COUNT_MISMATCH", ("session.login_with_password", "4", "1"))


def test_the_oldest_of_too_many_sessions_goes(service: Service) -> None:
    """A user has at most 500 sessions; another user's are not counted."""
    other = Caller(service, Format.JSONRPC1, "read-only")
    first, second, *_ = (Caller(service, Format.JSONRPC1) for _ in range(501))
    assert first.ask("network.get_all") == Failure("SESSION_INVALID", (first.session,))
    assert second.value("network.get_all")
    assert other.value("network.get_all")


def test_roles_are_the_model_s(service: Service) -> None:
    """Each role may run exactly the messages that the model lists for it, tried on every message that reads."""
    readers = {role: Caller(service, Format.JSONRPC2, role) for role in ("pool-operator", "vm-operator", "read-only")}
    for of in API.classes.values():
        for message in of.messages.values():
            if message.takes_session and not message.params and message.cls not in {"session", "event"}:
                for role, caller in readers.items():
                    outcome = caller.ask(message.full_name)
                    denied = isinstance(outcome, Failure) and outcome.code == "RBAC_PERMISSION_DENIED"
                    assert denied == (role not in message.roles), (message.full_name, role)


def test_users_come_from_a_file(tmp_path: Any) -> None:
    """Only the users of the file may log in, with their roles; a wrong file is told with what to do."""
    file = tmp_path / "users.toml"
    file.write_text('[ann]\npassword = "password"\nroles = ["read-only"]\n')
    service = Service(State(seeded(API), read_users(file)))
    ann = Caller(service, Format.XMLRPC, "ann")
    denied = ann.ask("network.create", {})
    assert isinstance(denied, Failure)
    assert denied.code == "RBAC_PERMISSION_DENIED"
    refused = ann.ask("session.login_with_password", "root", "password", bare=True)
    assert isinstance(refused, Failure)
    file.write_text('[ann]\npassword = "p"\nroles = ["king"]\n')
    with pytest.raises(ValueError, match=r"no role 'king'; the roles are pool-admin"):
        read_users(file)


@pytest.mark.parametrize("body", [b"{", b"<", b"\xff", b"[" * 100_000, b"<a>" * 10_000, b'{"method":1,"id":1}'])
def test_no_bytes_harm_the_service(service: Service, body: bytes) -> None:
    """Whatever comes, the next good call is answered."""
    assert service.handle("/", "", body).status == 500
    assert not isinstance(Caller(service, Format.XMLRPC).ask("network.get_all"), Breach)
