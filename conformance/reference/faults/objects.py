"""What faults of several areas take hold of besides the seams: objects that are made, found and ended, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from xenconform.conformance.codec import Node, Struct
from xenconform.conformance.reference.faults.base import Server, around
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of, put, putting
from xenconform.conformance.reference.plans import Plan
from xenconform.models.binding import Record, referrer
from xenconform.models.calls import Call, Failure, Format, Success
from xenconform.models.types import RecordOf, Type
from xenconform.models.values import Handle, Ref, Value
from xenconform.models.world import Branch


def made(s: Server, name: str, change: Callable[[Record], dict[str, Value]], *formats: Format) -> None:
    """Overwrite fields of each object that a constructor, by its full name, has just made; no far end follows."""

    def effect(_call: Call, branch: Branch) -> Branch:
        handle = result(branch)
        values = change(branch.world.record(handle) or {}) if s.is_over(*formats) else {}
        return putting(branch, handle, **values) if values else branch

    after(s, effect, name)


def given(s: Server, name: str, change: Callable[[dict[str, Value]], dict[str, Value]]) -> None:
    """Change the record that an implicit constructor, by its full name, is given; unknown refs are text in it."""
    calls(s, lambda old, call: old(Call(call.message, (change(dict(call.args[0])),))), name)


def member(s: Server, cls: str, name: str, change: Callable[[Node], Node]) -> None:
    """Change one member of each record that a constructor of a class is given, before its type is looked at."""

    def read(old: Any, param: str, of: Type, node: Node) -> Value:
        if of == RecordOf(cls) and isinstance(node, Struct):
            node = Struct(tuple((n, change(v) if n == name else v) for n, v in node.members))
        return old(param, of, node)

    around(s.service, "_read", read)


def refused(s: Server, name: str, effect: Callable[[Call, Branch], Branch]) -> None:
    """Change what comes of each call of a message that fails."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch = old(call)
        return effect(call, branch) if isinstance(branch.outcome, Failure) else branch

    calls(s, rule, name)


def noting(s: Server, note: Callable[[Call, Branch], object], names: str) -> None:
    """Take note of each call that succeeds, before it changes anything, of the messages that fit a glob."""

    def effect(call: Call, branch: Branch) -> Branch:
        note(call, branch)
        return branch

    after(s, effect, names)


def result(branch: Branch) -> Value:
    """Return what a branch that succeeds answers."""
    assert isinstance(branch.outcome, Success), "only successes have a result"
    return branch.outcome.value


def failing(branch: Branch, code: str, *params: str | Handle) -> Branch:
    """Return a branch that answers with another failure."""
    return replace(branch, outcome=Failure(code, params))


def is_held(branch: Branch) -> bool:
    """Whether an end is refused because something still refers to the object."""
    return code_of(branch) == "OPERATION_NOT_ALLOWED"


def spared(s: Server, name: str) -> set[Handle]:
    """Return the objects whose end by a message, by its full name, was refused because of a reference; it fills."""
    kept: set[Handle] = set()

    def note(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch = old(call)
        if is_held(branch):
            kept.add(call.args[0])
        return branch

    calls(s, note, name)
    return kept


def ended(s: Server) -> dict[Ref, Handle]:
    """Return a book of the refs of destroyed objects; it fills, and refs in it can still be shown."""
    book: dict[Ref, Handle] = {}
    shown: dict[Handle, Ref] = {}

    def drop(old: Any, handle: Handle) -> None:
        shown[handle] = s.state.refs.ref(handle)
        book[shown[handle]] = handle
        old(handle)

    around(s.state.refs, "drop", drop)
    around(s.state.refs, "ref", lambda old, handle: shown.get(handle) or old(handle))
    return book


def destroying(s: Server, branch: Branch, others: list[Handle]) -> Branch:
    """Return a branch after which other objects are gone too, those apart that something refers to."""
    for other in others:
        if branch.world.record(other) is not None and not referrer(s.api, branch.world.objects, other):
            gone = branch.world.destroy(other)
            branch = replace(branch, world=gone.world, touched=(*branch.touched, *gone.touched))
    return branch


def found(s: Server, name: str, is_it: Callable[[Record, Value], bool]) -> None:
    """Let a look-up by label, by its full name, find the objects for whose fields and the text something holds."""
    cls = name.partition(".")[0]

    def rule(_old: Callable[[Call], Branch], call: Call) -> Branch:
        world = s.state.world
        return world.stay(tuple(h for h in world.handles(cls) if is_it(fields_of(s, h), call.args[0])))

    calls(s, rule, name)


def twins(s: Server, handle: Handle, *names: str) -> list[Handle]:
    """Return the other objects of a class that have the same values in some fields."""
    mine = fields_of(s, handle)
    others = (h for h in s.state.world.handles(handle.cls) if h != handle)
    return [h for h in others if all(fields_of(s, h)[name] == mine[name] for name in names)]


def unseen(branch: Branch, far: Handle, name: str, handle: Handle) -> Branch:
    """Return a branch after which a derived end does not show an object."""
    record = branch.world.record(far)
    if record is None:
        return branch
    return replace(branch, world=put(branch.world, far, **{name: tuple(h for h in record[name] if h != handle)}),
                   touched=(*branch.touched, far))  # fmt: skip


def unbound(s: Server, name: str, ends: tuple[str, str], when: Callable[[Handle], bool], *formats: Format) -> None:
    """Let a constructor forget the far end of what it makes, for those targets for which something holds."""
    near, far = ends

    def forget(_call: Call, branch: Branch) -> Branch:
        handle = result(branch)
        target = (branch.world.record(handle) or {})[near]
        return unseen(branch, target, far, handle) if s.is_over(*formats) and when(target) else branch

    after(s, forget, name)


def left_behind(s: Server, name: str, near: str, far: str, when: Callable[[Handle], bool], *formats: Format) -> None:
    """Let a destructor leave the object in the far end of a bond."""
    ended(s)

    def leave(call: Call, branch: Branch) -> Branch:
        handle = call.args[0]
        target = fields_of(s, handle)[near]
        record = branch.world.record(target)
        if record is None or not when(handle) or not s.is_over(*formats):
            return branch
        return putting(branch, target, **{far: (*record[far], handle)})

    after(s, leave, name)


def carrying_out(s: Server) -> Callable[[Plan], None]:
    """Return what does the call in hand although it is refused, given its plan: for refusals that come too late."""
    args: list[Value] = []

    def answer(old: Any, *call: Any) -> Any:
        args.clear()
        return old(*call)

    def read(old: Any, *param: Any) -> Value:
        args.append(old(*param))
        return args[-1]

    def do(plan: Plan) -> None:
        branch = s.state.predict(Call(plan.full_name, tuple(args)))
        s.state.adopt(branch.world, branch.touched)

    for seam, new in {"_answer": answer, "_read": read}.items():
        around(s.service, seam, new)
    return do
