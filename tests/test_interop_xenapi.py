"""The official Python SDK, `XenAPI` from PyPI, works with the reference server unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import XenAPI


@pytest.fixture
def session(served_url: str) -> Iterator[Any]:
    """A session that is logged in; logged out at the end."""
    with XenAPI.Session(served_url) as session:
        session.xenapi.login_with_password("root", "password", "1.0", "xenconform tests")
        yield session
        session.xenapi.session.logout()


@pytest.fixture
def network(session: Any) -> Iterator[str]:
    """The ref of a network made through the SDK."""
    ref: str = session.xenapi.network.create(
        {"name_label": "made by the SDK", "name_description": "", "MTU": "1500", "other_config": {"k": "v"}, "tags": []}
    )
    yield ref
    if ref in session.xenapi.network.get_all():
        session.xenapi.network.destroy(ref)


@pytest.mark.parametrize("given", [2, 3, 4])
def test_login_takes_two_to_four_parameters(served_url: str, given: int) -> None:
    """A session opens with user and password alone, and with version and originator after them."""
    with XenAPI.Session(served_url) as session:
        session.xenapi.login_with_password(*("root", "password", "1.0", "xenconform tests")[:given])
        assert re.fullmatch(r"OpaqueRef:\S+", session.handle)
        session.xenapi.session.logout()
        assert session.handle is None


def test_wrong_password_is_a_failure(served_url: str) -> None:
    """A login that is refused raises the SDK's own error with the published code and the user's name."""
    with XenAPI.Session(served_url) as session, pytest.raises(XenAPI.Failure) as refused:
        session.xenapi.login_with_password("root", "wrong")
    assert refused.value.details[:2] == ["SESSION_AUTHENTICATION_FAILED", "root"]


def test_api_version(session: Any) -> None:
    """The SDK can find out the API's version by way of the pool and its master."""
    assert re.fullmatch(r"\d+\.\d+", session.API_version)


def test_all_records_of_vm(session: Any) -> None:
    """VM.get_all_records has the refs of VM.get_all, and records that agree with the getters."""
    records = session.xenapi.VM.get_all_records()
    assert set(records) == set(session.xenapi.VM.get_all())
    assert records
    for ref, record in records.items():
        assert record["uuid"] == session.xenapi.VM.get_uuid(ref)
        assert record["is_a_template"] is session.xenapi.VM.get_is_a_template(ref)
        assert record["memory_static_max"] == session.xenapi.VM.get_memory_static_max(ref)
        assert re.fullmatch(r"\d+", record["memory_static_max"])


def test_life_of_a_network(session: Any, network: str) -> None:
    """A network made through the SDK can be found, renamed, tagged and destroyed, and is gone then."""
    networks = session.xenapi.network
    assert networks.get_by_name_label("made by the SDK") == [network]
    networks.set_name_label(network, "rénamed ☃ 🦊 <&>")
    assert networks.get_name_label(network) == "rénamed ☃ 🦊 <&>"
    networks.add_tags(network, "one")
    networks.add_tags(network, "two")
    networks.remove_tags(network, "one")
    networks.add_to_other_config(network, "key", "value")
    record = networks.get_record(network)
    assert (record["tags"], record["other_config"], record["MTU"]) == (["two"], {"k": "v", "key": "value"}, "1500")
    networks.destroy(network)
    assert network not in networks.get_all()
    with pytest.raises(XenAPI.Failure) as gone:
        networks.get_name_label(network)
    assert gone.value.details == ["HANDLE_INVALID", "network", network]


def test_key_twice_is_a_failure(session: Any, network: str) -> None:
    """A key that is there already is refused with the published code, and the old value stays."""
    with pytest.raises(XenAPI.Failure) as refused:
        session.xenapi.network.add_to_other_config(network, "k", "other")
    code, cls, field, *_, key = refused.value.details  # between them a ref or a uuid: both are in use
    assert (code, cls, field, key) == ("MAP_DUPLICATE_KEY", "network", "other_config", "k")
    assert session.xenapi.network.get_other_config(network) == {"k": "v"}


def test_unknown_method_is_a_failure(session: Any) -> None:
    """A method that is not in the API is refused by name."""
    with pytest.raises(XenAPI.Failure) as refused:
        session.xenapi.network.get_colour("x")
    assert refused.value.details == ["MESSAGE_METHOD_UNKNOWN", "network.get_colour"]


def test_lost_session_is_opened_again(session: Any) -> None:
    """When its session has ended, the SDK logs in again by itself and repeats the call."""
    lost = session.handle
    session.session.logout(lost)
    assert session.xenapi.VM.get_all()
    assert session.handle != lost
