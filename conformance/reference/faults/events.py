"""Faults of event.from and the older ways to watch: what is told twice, late, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from xenconform.conformance.reference import watching
from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import handled
from xenconform.conformance.reference.state import Refusal, Waiting
from xenconform.models.calls import Format
from xenconform.models.values import Handle, Value

JSON1, JSON2 = Format.JSONRPC1, Format.JSONRPC2
Batch = dict[str, Any]
Event = Mapping[str, Any]


def batches(s: Server, change: Callable[[Batch, tuple[Value, ...]], Batch]) -> None:
    """Change what event.from gives, given its arguments."""

    def new(old: Any, state: Any, session: Any, args: tuple[Value, ...]) -> Waiting:
        waiting, fmt = old(state, session, args), s.fmt

        def poll(last: bool) -> Any:
            batch = waiting.poll(last)
            s.fmt = fmt
            batch = batch if batch is None else change(batch, args)
            return None if batch is not None and not batch["events"] and not last else batch

        return Waiting(waiting.seconds, poll)

    handled(s, "event.from", new)


def told(s: Server, change: Callable[[Event, tuple[Value, ...]], Event | None]) -> None:
    """Change each event that event.from tells, given the call's arguments; None leaves it out."""

    def events(batch: Batch, args: tuple[Value, ...]) -> Batch:
        changed = (change(each, args) for each in batch["events"])
        return {**batch, "events": [each for each in changed if each is not None]}

    batches(s, events)


def untold(s: Server, is_one: Callable[[str, Handle], bool]) -> None:
    """Keep changes out of the log, given the operation and the object."""
    around(
        s.state.changes,
        "note",
        lambda old, operation, handle, ref: None if is_one(operation, handle) else old(operation, handle, ref),
    )


@fault("EVENT-FROM", "VBD", MEDIUM)
def ends_of_vbds_are_not_told(s: Server) -> None:
    """event.from tells no del of a VBD."""
    told(s, lambda e, _: None if (e["class"], e["operation"]) == ("vbd", "del") else e)


@fault("EVENT-FROM", "secret", MEDIUM)
def new_ones_are_told_as_changed(s: Server) -> None:
    """Over JSON-RPC 2.0 a new object is told as a mod."""
    told(s, lambda e, args: {**e, "operation": "mod"}
         if e["operation"] == "add" and args[1] and s.fmt is JSON2 else e)  # fmt: skip


@fault("EVENT-FROM", "network", HARD)
def additions_to_maps_are_not_told(s: Server) -> None:
    """A pair that is added to a map, or taken out of it, is no event."""
    untold(s, lambda operation, _: operation == "mod" and any(w in s.method for w in (".add_to_", ".remove_from_")))


@fault("EVENT-FROM", "VM", HARD)
def additions_to_sets_are_not_told(s: Server) -> None:
    """A value that is added to a set of a VM over JSON-RPC 1.0 is no event."""
    untold(s, lambda operation, _: operation == "mod" and s.method.startswith("VM.add_tags") and s.fmt is JSON1)


@fault("EVENT-FROM", "VIF", HARD)
def far_ends_are_not_told(s: Server) -> None:
    """A network to which a VIF is bound changes without an event."""
    untold(s, lambda operation, h: operation == "mod" and h.cls == "network" and s.method.startswith("VIF."))


@fault("EVENT-FROM", "network", HARD)
def asynchronous_changes_are_not_told(s: Server) -> None:
    """What a task makes, changes or ends is no event."""
    untold(s, lambda _, h: s.method.startswith("Async.") and h.cls != "task")


@fault("EVENT-FROM", "VM_appliance", HARD)
def beginners_are_told_of_the_dead(s: Server) -> None:
    """Who begins to watch VM appliances is told, as added, of those that ended since the server began."""
    dead: list[Event] = []

    def note(old: Any, operation: str, handle: Handle, ref: str) -> None:
        if operation == "del" and handle.cls == "VM_appliance":
            dead.append({"id": 1, "timestamp": "0.0", "class": "vm_appliance", "operation": "add", "ref": ref})
        old(operation, handle, ref)

    def change(batch: Batch, args: tuple[Value, ...]) -> Batch:
        wanted = not args[1] and {"VM_appliance", "*"} & set(args[0])
        return {**batch, "events": [*batch["events"], *dead]} if wanted else batch

    around(s.state.changes, "note", note)
    batches(s, change)


@fault("EVENT-FROM", "network", HARD)
def ends_are_told_once_to_one(s: Server) -> None:
    """A del is told to the first watch that asks; from an older token it is not told again."""
    gone: set[str] = set()

    def change(event: Event, _args: tuple[Value, ...]) -> Event | None:
        if event["operation"] != "del":
            return event
        late = event["ref"] in gone
        gone.add(event["ref"])
        return None if late else event

    told(s, change)


@fault("EVENT-FROM", "SR", MEDIUM)
def counts_never_go_down(s: Server) -> None:
    """valid_ref_counts shows the most objects of a class that there ever were."""
    most: dict[str, int] = {}

    def change(batch: Batch, _args: tuple[Value, ...]) -> Batch:
        for cls, count in batch["valid_ref_counts"].items():
            most[cls] = max(count, most.get(cls, 0))
        return {**batch, "valid_ref_counts": {cls: most[cls] for cls in batch["valid_ref_counts"]}}

    batches(s, change)


@fault("EVENT-FROM", "network", HARD)
def snapshots_are_kept_from_the_first(s: Server) -> None:
    """The snapshot of an object's second mod is that of its first."""
    first: dict[str, Any] = {}

    def change(event: Event, args: tuple[Value, ...]) -> Event:
        if event["operation"] != "mod" or not args[1] or "snapshot" not in event:
            return event
        return {**event, "snapshot": first.setdefault(event["ref"], event["snapshot"])}

    told(s, change)


@fault("EVENT-FROM", "VDI", HARD)
def snapshots_lack_maps(s: Server) -> None:
    """Over JSON-RPC 1.0 snapshots have no fields that are maps."""

    def change(event: Event, _args: tuple[Value, ...]) -> Event:
        if "snapshot" not in event or s.fmt is not JSON1:
            return event
        return {**event, "snapshot": {n: v for n, v in event["snapshot"].items() if not isinstance(v, dict)}}

    told(s, change)


@fault("EVENT-FROM", "PBD", HARD)
def bound_fields_of_snapshots_are_old(s: Server) -> None:
    """A snapshot of an SR shows its PBDs as they were when the SR was made."""

    def change(event: Event, _args: tuple[Value, ...]) -> Event:
        return {**event, "snapshot": {**event["snapshot"], "PBDs": ()}} if event["class"] == "sr" and (
            "snapshot" in event) else event  # fmt: skip

    told(s, change)


@fault("EVENT-FROM", "network", HARD)
def eight_classes_are_watched(s: Server) -> None:
    """Of the classes and objects that are to be watched the first eight are."""
    handled(s, "event.from", lambda old, state, session, args: old(state, session, (args[0][:8], *args[1:])))


@fault("EVENT-FROM", "VM", HARD)
def one_object_is_watched(s: Server) -> None:
    """Of several objects of one class that are to be watched the first is."""

    def new(old: Any, state: Any, session: Any, args: tuple[Value, ...]) -> Any:
        kept: dict[str, str] = {}
        for each in args[0]:
            kept.setdefault(each.partition("/")[0] if "/" in each else each, each)
        return old(state, session, (tuple(kept.values()), *args[1:]))

    handled(s, "event.from", new)


@fault("EVENT-FROM", "event", HARD)
def watches_of_a_session_are_one(s: Server) -> None:
    """Of two calls of event.from that wait in one session the later's classes count for both."""
    latest: dict[Handle, tuple[str, ...]] = {}

    def new(old: Any, state: Any, session: Any, args: tuple[Value, ...]) -> Waiting:
        latest[session.handle] = args[0]
        waiting = old(state, session, args)
        return Waiting(
            waiting.seconds, lambda last: old(state, session, (latest[session.handle], *args[1:])).poll(last)
        )

    handled(s, "event.from", new)


@fault("EVENT-FROM", "event", HARD)
def log_keeps_the_latest_changes(s: Server) -> None:
    """From a token older than two hundred changes the latest two hundred are told, as if there were no others."""
    log = s.state.changes
    around(log, "since", lambda old, token: (c for c in old(token) if not token or c.id > log.last - 200))


@fault("EVENT-FROM", "event", HARD)
def tokens_belong_to_their_format(s: Server) -> None:
    """A token that came over XML-RPC is none over JSON-RPC 1.0: EVENTS_LOST."""
    given: set[str] = set()

    def change(batch: Batch, _args: tuple[Value, ...]) -> Batch:
        if s.fmt is Format.XMLRPC:
            batch = {**batch, "token": f"{batch['token'].partition('-')[0]}-0{batch['token'].partition('-')[2]}"}
            given.add(batch["token"])
        return batch

    batches(s, change)

    def new(old: Any, state: Any, session: Any, args: tuple[Value, ...]) -> Any:
        if args[1] in given and s.fmt is JSON1:
            raise Refusal("EVENTS_LOST")
        return old(state, session, args)

    handled(s, "event.from", new)


@fault("EVENT-FROM", "event", HARD)
def registering_again_forgets(s: Server) -> None:
    """Registering for a second class ends what was registered before."""

    def new(old: Any, state: Any, session: Any, args: tuple[Value, ...]) -> Any:
        if session.watch:
            session.watch = replace(session.watch, classes=frozenset())
        return old(state, session, args)

    handled(s, "event.register", new)


@fault("EVENT-FROM", "event", HARD)
def unregistering_one_ends_all(s: Server) -> None:
    """Unregistering one class over JSON-RPC 2.0 ends the watch of all."""

    def new(old: Any, state: Any, session: Any, args: tuple[Value, ...]) -> Any:
        watch = session.watch
        return old(state, session, (tuple(watch.classes),) if watch and s.fmt is JSON2 else args)

    handled(s, "event.unregister", new)


@fault("EVENT-FROM", "event", MEDIUM)
def wait_is_over_at_once(s: Server) -> None:
    """event.from does not wait: where nothing has happened it answers with nothing at once."""
    handled(s, "event.from", lambda old, *call: Waiting(0.0, old(*call).poll))


@fault("EVENT-FROM", "event", EASY)
def injected_events_are_not_told(s: Server) -> None:
    """event.inject gives a token, and nobody is told of the object."""
    handled(s, "event.inject", lambda _, state, session, __: watching.event_from(state, session, (
        (), "", 0.0)).poll(True)["token"])  # fmt: skip


@fault("EVENT-FROM", "event", HARD)
def next_tells_no_ends(s: Server) -> None:
    """event.next tells what was made and changed, and nothing of what ended."""

    def new(old: Any, state: Any, session: Any, args: tuple[Value, ...]) -> Waiting:
        waiting = old(state, session, args)
        return Waiting(
            waiting.seconds,
            lambda last: (
                None if (found := waiting.poll(last)) is None else tuple(e for e in found if e["operation"] != "del")
            ),
        )

    handled(s, "event.next", new)
