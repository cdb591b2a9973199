"""Tasks and events of the reference server, over every format."""

from __future__ import annotations

from typing import Any

import pytest
from reference_caller import API, FORMATS, Caller

from xenconform.conformance.codec import decode_xml_value
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import HttpAnswer, Parked, Service
from xenconform.conformance.reference.state import State
from xenconform.models import types as t
from xenconform.models.calls import Failure, Format, Success


@pytest.fixture
def service() -> Service:
    return Service(State(seeded(API)))


@pytest.mark.parametrize("over", FORMATS)
def test_a_task_has_the_result_or_error_of_its_call(service: Service, over: Format) -> None:
    """Async.c.m gives a task; its result is XML text in every format; getters have no such form."""
    caller = Caller(service, over)
    task = caller.value("Async.network.create", {"name_label": "later", "MTU": 1}, result=t.RefTo("task"))
    record = caller.value("task.get_record", task)
    assert (record["status"], record["error_info"]) == ("failure", ("FIELD_TYPE_ERROR", "other_config"))
    full = {"name_label": "later", "name_description": "", "MTU": 1, "other_config": {}, "tags": ()}
    record = caller.value("task.get_record", caller.value("Async.network.create", full, result=t.RefTo("task")))
    assert (record["status"], record["progress"]) == ("success", 1.0)
    result = decode_xml_value(record["result"], t.RefTo("network")).outcome
    assert isinstance(result, Success)
    assert caller.value("network.get_name_label", result.value) == "later"
    used = caller.value("network.get_by_name_label", "Pool-wide network associated with eth0")[0]
    task = caller.value("Async.network.destroy", used, result=t.RefTo("task"))
    record = caller.value("task.get_record", task)
    assert (record["status"], record["error_info"][0]) == ("failure", "OPERATION_NOT_ALLOWED")
    unknown = caller.ask("Async.network.get_MTU", used)
    assert unknown == Failure("MESSAGE_METHOD_UNKNOWN", ("Async.network.get_MTU",))


@pytest.mark.parametrize("over", FORMATS)
def test_events_tell_each_change_once(service: Service, over: Format) -> None:
    """Everything at token "", then add, mod and del of what is watched, each once, merged to the latest state."""
    caller = Caller(service, over)
    batch = caller.value("event.from", ("network",), "", 0.0)
    refs = {event["ref"]: event["snapshot"]["uuid"] for event in batch["events"]}
    assert refs == {ref: caller.value("network.get_uuid", ref) for ref in caller.value("network.get_all")}
    assert batch["valid_ref_counts"] == {"network": len(refs)}
    made = caller.value("network.create", {**_network(), "name_label": "new"})
    caller.value("network.set_MTU", made, 9)
    old = next(iter(refs))
    caller.value("network.add_tags", old, "seen")
    second = caller.value("event.from", ("Network",), batch["token"], 0.0)
    told = [(e["operation"], e["class"], e["ref"]) for e in second["events"]]
    assert told == [("add", "network", made), ("mod", "network", old)]
    assert second["events"][0]["snapshot"]["MTU"] == 9
    caller.value("network.destroy", made)
    third = caller.value("event.from", (f"network/{made}", "VM"), second["token"], 0.0)
    assert [(e["operation"], e["ref"], "snapshot" in e) for e in third["events"]] == [("del", made, False)]
    assert caller.value("event.from", ("*",), third["token"], 0.0)["events"] == ()
    assert caller.ask("event.from", ("*",), "nonsense", 0.0) == Failure("EVENT_FROM_TOKEN_PARSE_FAILURE", ("nonsense",))
    token = caller.value("event.inject", "network", old)
    assert caller.value("event.from", ("*",), token, 0.0)["events"] == ()
    assert len(caller.value("event.from", ("*",), third["token"], 0.0)["events"]) == 1


def test_a_call_that_waits_for_events_goes_on_at_the_first(service: Service) -> None:
    """event.from with nothing new is parked for its timeout, and resumes with the change of another call."""
    caller = Caller(service, Format.JSONRPC2)
    token = caller.value("event.from", ("network",), "", 0.0)["token"]
    parked = service.begin("/", "", caller.body("event.from", ("network",), token, 60.1))
    assert isinstance(parked, Parked)
    assert parked.seconds == pytest.approx(60.1)
    assert parked.resume(False) is None
    network = caller.value("network.get_all")[0]
    caller.value("network.add_tags", network, "news")
    answer = parked.resume(False)
    assert isinstance(answer, HttpAnswer)
    reply = caller.codec.decode_reply(answer.body, t.EventBatch(), 7, API).outcome
    assert isinstance(reply, Success)
    assert [e["ref"] for e in reply.value["events"]] == [network]


def test_registered_classes_are_told_by_event_next(service: Service) -> None:
    """event.register, next and unregister, for clients that know no event.from."""
    caller = Caller(service, Format.JSONRPC1)
    assert caller.ask("event.next") == Failure("SESSION_NOT_REGISTERED", (caller.session,))
    caller.value("event.register", ("network",))
    network = caller.value("network.get_all")[0]
    caller.value("network.add_tags", network, "news")
    (event,) = caller.value("event.next")
    assert (event["operation"], event["ref"], event["id"]) == ("mod", network, caller.value("event.get_current_id"))
    caller.value("event.unregister", ("network",))
    assert isinstance(caller.ask("event.next"), Failure)


def _network() -> dict[str, Any]:
    return {"name_label": "", "name_description": "", "MTU": 1500, "other_config": {}, "tags": ()}
