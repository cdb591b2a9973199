"""Servers with one fault in what they do, not in how they write it: worlds that answer one kind of call wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from xenconform.models.api import Api
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.values import Handle, null
from xenconform.models.world import Branch, Prediction, World


@dataclass(frozen=True, slots=True)
class FaultyWorld(World):
    """A world whose predictions pass through a fault."""

    fault: Fault = field(default=lambda _world, _call, branch: branch, repr=False)

    def predict(self, call: Call) -> Prediction:
        # A dataclass with slots is a new class, of which a plain super() does not know.
        return Prediction((self.fault(self, call, World.predict(self, call).first),))


Fault: TypeAlias = "Callable[[FaultyWorld, Call, Branch], Branch]"
"""Takes the world, the call and what a sound server does; gives what the faulty one does."""


def faulty(world: World, fault: Fault) -> FaultyWorld:
    """The same world with a fault."""
    return FaultyWorld(world.api, world.objects, world.last, world.salt, fault)


def put(world: World, handle: Handle, **values: Any) -> World:
    """The world with fields of an object overwritten, nothing else following."""
    records = world.objects[handle.cls]
    changed = {**records, handle.n: {**records[handle.n], **values}}
    return replace(world, objects={**world.objects, handle.cls: changed})


def on(message: str, fault: Fault) -> Fault:
    """A fault in one message alone."""
    return lambda world, call, branch: fault(world, call, branch) if call.message == message else branch


def ok(branch: Branch) -> bool:
    return isinstance(branch.outcome, Success)


def code_of(branch: Branch) -> str:
    return branch.outcome.code if isinstance(branch.outcome, Failure) else ""


def changed(message: str, change: Callable[[Any], Any]) -> Fault:
    """Another value where a message succeeds."""

    def fault(_world: FaultyWorld, _call: Call, branch: Branch) -> Branch:
        return (
            replace(branch, outcome=Success(change(branch.outcome.value)))
            if isinstance(branch.outcome, Success)
            else branch
        )

    return on(message, fault)


def other_failure(message: str, code: str, failure: Failure) -> Fault:
    """Another failure in place of one of a code."""
    return on(message, lambda _w, _c, branch: replace(branch, outcome=failure) if code_of(branch) == code else branch)


def excused(message: str, code: str, value: Any = None) -> Fault:
    """Success in place of a failure, with nothing done."""
    return on(
        message, lambda _w, _c, branch: replace(branch, outcome=Success(value)) if code_of(branch) == code else branch
    )


def then(message: str, after: Callable[[Call, Branch], World]) -> Fault:
    """Another world after a success of a message."""

    def fault(_world: FaultyWorld, call: Call, branch: Branch) -> Branch:
        if not isinstance(branch.outcome, Success):
            return branch
        touched = (call.args[0] if isinstance(call.args[0], Handle) else branch.outcome.value,)
        return replace(branch, world=after(call, branch), touched=(*branch.touched, *touched))

    return on(message, fault)


def stays(message: str) -> Fault:
    """Success with nothing done."""
    return on(message, lambda world, _c, branch: Branch(branch.outcome, world) if ok(branch) else branch)


def duplicate_shown(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """A value added twice is there twice."""
    obj, value = call.args
    tags = (world.record(obj) or {})["tags"]
    return Branch(Success(None), put(world, obj, tags=(*tags, value)), (obj,)) if value in tags else branch


def overwrites(world: FaultyWorld, call: Call, _branch: Branch) -> Branch:
    """A key that is there already takes the new value."""
    obj, key, value = call.args
    pairs = (world.record(obj) or {})["other_config"]
    return Branch(Success(None), put(world, obj, other_config={**pairs, key: value}), (obj,))


def refused_and_done(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """The right failure, and the change all the same."""
    if code_of(branch) != "MAP_DUPLICATE_KEY":
        return branch
    return replace(overwrites(world, call, branch), outcome=branch.outcome)


def dedup_refused(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """A value that is there already is refused."""
    obj, value = call.args
    there = value in (world.record(obj) or {})["tags"]
    return Branch(Failure("INTERNAL_ERROR", ("there already",)), world) if there else branch


def cascades(_world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """The one made next goes with the one that is destroyed."""
    rest = [handle for handle in branch.world.handles("secret") if handle.n > call.args[0].n]
    if not ok(branch) or not rest:
        return branch
    further = branch.world.destroy(rest[0])
    return Branch(branch.outcome, further.world, (*branch.touched, *further.touched))


def referenced_goes(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """An object to which another refers is destroyed all the same."""
    return branch if ok(branch) or code_of(branch) == "HANDLE_INVALID" else world.destroy(call.args[0])


def refused_and_renamed(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """The destroy fails, and yet the object has changed."""
    if ok(branch) or code_of(branch) == "HANDLE_INVALID":
        return branch
    return Branch(branch.outcome, put(world, call.args[0], name_label="half gone"), (call.args[0],))


def unbound(world: FaultyWorld, _call: Call, branch: Branch) -> Branch:
    """A new VIF is not among the VIFs of its network."""
    if not isinstance(branch.outcome, Success):
        return branch
    network = (branch.world.record(branch.outcome.value) or {})["network"]
    vifs = (world.record(network) or {})["VIFs"]
    return replace(branch, world=put(branch.world, network, VIFs=vifs))


def lingers(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """A destroyed VIF is still among the VIFs of its network."""
    record = world.record(call.args[0]) if call.args and isinstance(call.args[0], Handle) else None
    if not ok(branch) or record is None:
        return branch
    vifs = (world.record(record["network"]) or {})["VIFs"]
    return replace(branch, world=put(branch.world, record["network"], VIFs=vifs))


def dangling_made(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """A record with a reference to nothing makes an object."""
    if code_of(branch) != "HANDLE_INVALID":
        return branch
    record = {key: null(key) if key == "network" else value for key, value in call.args[0].items()}
    return World.predict(world, Call(call.message, (record,))).first


@dataclass(frozen=True)
class Faulted:
    """A fault, the clause that must catch it, the class to look at, and the clauses that may fail with it."""

    clause: str
    cls: str
    fault: Fault

    @property
    def also(self) -> frozenset[str]:
        return frozenset(IMPLIED.get(self.clause, "").split())


IMPLIED = {
    "GET-EVERY-FIELD": "SET-VALUE CREATE-FIELDS",  # what was written cannot be read back
    "GET-RECORD-AGREES": "GET-ALL-AGREES",
    "GET-BAD-REF": "DESTROY-GONE",
    "SET-VALUE": "LABEL-LOOKUP",
    "SET-ADD": "SET-ADD-DEDUP",
    "SET-NO-DUPLICATES": "SET-ADD-DEDUP",
    "QUAL-RO-CONSTRUCTOR": "SET-ONLY-THAT",
    "CREATE-NEW": "UUID-FORM UUID-UNKNOWN DESTROY-GONE",  # uuids that are not unique denote no one object
    "UUID-UNKNOWN": "DESTROY-GONE",
    "UUID-FORM": "GET-RECORD-AGREES UUID-LOOKUP",  # the record has another uuid than the getter
    "DESTROY-GONE": "GET-BAD-REF CALL-BAD-REF UUID-UNKNOWN",
    "DESTROY-REFERENCED": "DESTROY-NO-CASCADE",
    "DESTROY-NO-CASCADE": "UUID-FORM UUID-LOOKUP GET-ALL-AGREES",  # what is listed is no longer there
    "BIND-CREATE": "BIND-SYMMETRY BIND-DESTROY",
    "BIND-SYMMETRY": "BIND-CREATE BIND-DESTROY",
    "BIND-DESTROY": "BIND-SYMMETRY",
}
"""The clauses that a fault breaks besides the one that is about it."""


def faults(api: Api) -> Iterator[Faulted]:
    """At least one fault for each clause of levels 2 and 3 that depends on what a server does."""
    assert "network" in api.classes
    unknown = Failure("MESSAGE_METHOD_UNKNOWN", ("network.get_MTU",))
    gone = Failure("OBJECT_GONE", ())
    net = "network"
    yield Faulted("GET-EVERY-FIELD", net, on("network.get_MTU", lambda w, _c, _b: Branch(unknown, w)))
    yield Faulted("GET-RECORD-AGREES", net, changed("network.get_record", lambda r: {**r, "name_description": "else"}))
    yield Faulted(
        "GET-ALL-AGREES",
        net,
        changed("network.get_all_records", lambda rs: {h: {**r, "name_description": "else"} for h, r in rs.items()}),
    )
    yield Faulted("GET-BAD-REF", net, excused("network.get_MTU", "HANDLE_INVALID", 0))
    yield Faulted("GET-BAD-REF-CODE", net, other_failure("network.get_MTU", "HANDLE_INVALID", gone))
    yield Faulted(
        "SET-VALUE", net, then("network.set_name_label", lambda c, b: put(b.world, c.args[0], name_label="fixed"))
    )
    yield Faulted("SET-ONLY-THAT", net, then("network.set_name_label", lambda c, b: put(b.world, c.args[0], MTU=17)))
    yield Faulted("SET-ADD", net, then("network.add_tags", lambda c, b: put(b.world, c.args[0], tags=(c.args[1],))))
    yield Faulted("SET-ADD-DEDUP", net, on("network.add_tags", dedup_refused))
    yield Faulted("SET-NO-DUPLICATES", net, on("network.add_tags", duplicate_shown))
    yield Faulted("SET-REMOVE", net, then("network.remove_tags", lambda c, b: put(b.world, c.args[0], tags=())))
    yield Faulted(
        "MAP-ADD",
        net,
        then("network.add_to_other_config", lambda c, b: put(b.world, c.args[0], other_config={c.args[1]: c.args[2]})),
    )
    yield Faulted("MAP-DUPLICATE-KEY", net, on("network.add_to_other_config", overwrites))
    yield Faulted("MAP-DUPLICATE-UNCHANGED", net, on("network.add_to_other_config", refused_and_done))
    yield Faulted(
        "MAP-DUPLICATE-PARAMS",
        net,
        other_failure("network.add_to_other_config", "MAP_DUPLICATE_KEY", Failure("MAP_DUPLICATE_KEY", ())),
    )
    yield Faulted(
        "MAP-REMOVE",
        net,
        then("network.remove_from_other_config", lambda c, b: put(b.world, c.args[0], other_config={})),
    )
    yield Faulted(
        "QUAL-RO-CONSTRUCTOR", net, then("network.set_name_label", lambda c, b: put(b.world, c.args[0], bridge="moved"))
    )
    yield from _objects(gone)


def _objects(gone: Failure) -> Iterator[Faulted]:
    net, secret = "network", "secret"

    def made(**values: Any) -> Callable[[Call, Branch], World]:
        return lambda _c, b: put(b.world, b.outcome.value, **values) if isinstance(b.outcome, Success) else b.world

    yield Faulted("CREATE-FIELDS", net, then("network.create", made(name_description="lost")))
    yield Faulted("CREATE-NEW", secret, then("secret.create", made(uuid="11111111-2222-4333-8444-555555555555")))
    yield Faulted(
        "CREATE-DEFAULTS",
        net,
        on(
            "network.create",
            lambda _w, c, b: (
                b
                if not isinstance(b.outcome, Success) or "MTU" in c.args[0]
                else replace(b, world=put(b.world, b.outcome.value, MTU=4))
            ),
        ),
    )
    yield Faulted("CREATE-BAD", "VIF", on("VIF.create", dangling_made))
    yield Faulted(
        "UUID-LOOKUP", secret, on("secret.get_by_uuid", lambda w, _c, b: w.stay(w.handles("secret")[0]) if ok(b) else b)
    )
    yield Faulted("UUID-UNKNOWN", secret, excused("secret.get_by_uuid", "UUID_INVALID", null("secret")))
    yield Faulted("UUID-UNKNOWN-CODE", secret, other_failure("secret.get_by_uuid", "UUID_INVALID", gone))
    yield Faulted("UUID-FORM", secret, changed("secret.get_uuid", lambda text: f"uuid {text}"))
    yield Faulted(
        "LABEL-LOOKUP",
        net,
        on(
            "network.get_by_name_label",
            lambda w, c, _b: w.stay(
                tuple(h for h in w.handles("network") if (w.record(h) or {})["name_label"].lower() == c.args[0].lower())
            ),
        ),
    )
    yield Faulted("DESTROY-GONE", secret, stays("secret.destroy"))
    yield Faulted("DESTROY-REFERENCED", net, on("network.destroy", referenced_goes))
    yield Faulted("DESTROY-REFERENCED-UNCHANGED", net, on("network.destroy", refused_and_renamed))
    yield Faulted("DESTROY-NO-CASCADE", secret, on("secret.destroy", cascades))
    yield Faulted("DESTROY-AGAIN", secret, other_failure("secret.destroy", "HANDLE_INVALID", gone))
    yield Faulted("BIND-CREATE", "VIF", on("VIF.create", unbound))
    yield Faulted("BIND-SYMMETRY", "VIF", on("VIF.create", unbound))
    yield Faulted("BIND-DESTROY", "VIF", on("VIF.destroy", lingers))
    yield Faulted(
        "WHERE",
        net,
        on(
            "network.get_all_records_where",
            lambda w, _c, b: w.stay({h: w.record(h) for h in w.handles("network")}) if ok(b) else b,
        ),
    )
