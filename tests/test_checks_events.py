"""The checks of events: a sound server passes, each fault fails, and what is left open passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from waiting_bench import server

from xenconform.conformance.checks import watching as of_classes
from xenconform.conformance.checks import watching_server as of_no_class
from xenconform.conformance.reference import handlers, watching
from xenconform.conformance.reference.changes import Change, ChangeLog
from xenconform.conformance.reference.state import Refusal, State
from xenconform.models.calls import Format
from xenconform.models.verdicts import Verdict

CHECKS = (*of_classes.CHECKS, *of_no_class.CHECKS)
FORMATS = {str(fmt) for fmt in Format}
Told = dict[str, Any]
Batch = Callable[[list[Told]], list[Told]]


@pytest.mark.parametrize("cls", ["network", "secret", "VM", "VIF", "message"])
def test_a_sound_server_passes(cls: str) -> None:
    """Nothing fails, nothing is untested, nothing is left behind."""
    ran = server().judge(CHECKS, cls)
    assert [each for each in ran.judgements if each.verdict is not Verdict.PASS] == []
    assert {each.format for each in ran.judgements} == FORMATS
    assert ran.left == 0


def batches_become(monkeypatch: pytest.MonkeyPatch, change: Batch) -> None:
    """Let event.from tell `change(events)` of what it should; it then answers at once."""

    def event_from(state: State, session: Any, args: Any) -> Any:
        waiting = watching.event_from(state, session, args)

        def poll(last: bool) -> Any:
            batch = waiting.poll(last)
            if batch is None:
                return None
            events = change(batch["events"])
            return {**batch, "events": events} if events or last else None

        return replace(waiting, poll=poll)

    monkeypatch.setattr(handlers, "HANDLERS", {**handlers.HANDLERS, "event.from": event_from})
    monkeypatch.setattr("xenconform.conformance.reference.service.HANDLERS", handlers.HANDLERS)


def without(operation: str) -> Batch:
    return lambda events: [each for each in events if each["operation"] != operation]


BATCHES: dict[str, Batch] = {
    "no add": without("add"),
    "no mod": without("mod"),
    "no del": without("del"),
    "adds are mods": lambda events: [{**each, "operation": "mod"} for each in events],
    "twice": lambda events: [each for each in events for _ in range(2)],
    "another's record": lambda events: [
        {**each, "snapshot": {**each["snapshot"], "name_label": "another's"}} if "snapshot" in each else each
        for each in events
    ],
    "another class": lambda events: [*events, {**events[0], "class": "SR"}] if events else events,
    "the first alone": lambda events: events[:1],
}


@pytest.mark.parametrize("fault", BATCHES)
def test_a_fault_of_what_is_told_fails(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """What is lost, told twice, told wrongly or told of what is not watched is a finding over every format."""
    batches_become(monkeypatch, BATCHES[fault])
    ran = server(deadline=0.2).judge(of_classes.CHECKS, "network")
    assert {each.format for each in ran.failed("EVENT-FROM")} == FORMATS


def test_the_end_before_the_change_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one object the end is told last, in whatever batches."""

    def since(self: ChangeLog, token: int) -> Iterable[Change]:
        for each in tuple(self._latest.values()):
            if each.id > token:
                yield each
                if each.operation == "del":
                    yield replace(each, operation="mod")

    monkeypatch.setattr(ChangeLog, "since", since)
    assert server(deadline=0.2).judge(of_classes.CHECKS, "network").failed("EVENT-FROM")


FAULTS: dict[str, tuple[str, Any]] = {
    "event.from token": ("_since", lambda _state, token: int(token.partition("-")[2] or 0)),
    "network start": ("_counts", lambda _state, _wanted: {"network": 99}),
    "event.from *": (
        "_watched",
        lambda state, wanted, since: [c for c in state.changes.since(since) if c.handle.cls in wanted],
    ),
    "network one": (
        "_watched",
        lambda state, wanted, since: [
            c
            for c in state.changes.since(since)
            if (since or c.operation != "del")
            and ("*" in wanted or c.handle.cls.lower() in {each.partition("/")[0] for each in wanted})
        ],
    ),
}


@pytest.mark.parametrize("element", FAULTS)
def test_a_fault_of_a_watch_is_found_at_its_element(monkeypatch: pytest.MonkeyPatch, element: str) -> None:
    """A token taken though it is none, a wrong count, a watch too narrow or too wide: each is told where it belongs."""
    name, fault = FAULTS[element]
    monkeypatch.setattr(watching, name, fault)
    ran = server(deadline=0.3).judge(CHECKS, "network")
    assert element in {each.element for each in ran.failed("EVENT-FROM")}


def test_answering_nothing_at_once_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is to wait, and does not, makes clients ask without end."""
    monkeypatch.setattr(watching, "MOST_SECONDS", 0.0)
    failed = {each.element for each in server().judge(of_no_class.CHECKS).failed("EVENT-FROM")}
    assert failed == {"event.from timeout"}


def test_calls_that_do_not_come_back_fail_and_are_made_no_more() -> None:
    """A server that waits on though the time is over is found, and does not hold up the run."""
    ran = server(deadline=0.1, hang=True).judge(CHECKS, "network", "secret")
    failed = ran.failed("EVENT-FROM")
    assert failed
    assert all("comes back within" in each.expected or "an answer within" in each.expected for each in failed)
    reasons = {each.reason for each in ran.judgements if each.verdict is Verdict.UNTESTED}
    assert any("so no more are made" in reason for reason in reasons)
    assert ran.clauses(Verdict.FAIL) == {"EVENT-FROM"}


def test_what_the_server_does_not_offer_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rule obliges a server to the event messages: without them nothing passes and nothing fails."""

    def unknown(_state: Any, _session: Any, _args: Any) -> Any:
        raise Refusal("MESSAGE_METHOD_UNKNOWN", "event")

    events = {name: unknown for name in handlers.HANDLERS if name.startswith("event.")}
    monkeypatch.setattr("xenconform.conformance.reference.service.HANDLERS", {**handlers.HANDLERS, **events})
    ran = server().judge(CHECKS, "network")
    assert ran.clauses(Verdict.FAIL) == set()
    verdicts = {each.element: each.verdict for each in ran.judgements}
    assert verdicts["network start"] is Verdict.UNSUPPORTED
    assert verdicts["event.next"] is Verdict.UNSUPPORTED
    assert Verdict.PASS not in {verdict for element, verdict in verdicts.items() if element.startswith("event.")}


def test_next_without_the_registered_changes_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """event.next that tells nothing of what changed after event.register is a finding."""
    nothing = {"event.next": lambda _state, _session, _args: ()}
    monkeypatch.setattr("xenconform.conformance.reference.service.HANDLERS", {**handlers.HANDLERS, **nothing})
    failed = {each.element for each in server().judge(of_no_class.CHECKS).failed("EVENT-FROM")}
    assert failed == {"event.next"}
