"""Faults of references that denote nothing: getters that take them, and errors that tell them badly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import calls, failures, fields_of
from xenconform.models.calls import Call, Failure, Format
from xenconform.models.types import MapOf, RefTo, SetOf
from xenconform.models.values import Handle, Value, default_of
from xenconform.models.world import Branch

Old = Callable[[Call], Branch]


def lenient(s: Server, cls: str, meant: Callable[[str], Handle | None], *formats: Format) -> None:
    """Let a class's getters take text that is no ref for an object."""

    def get(old: Old, call: Call) -> Branch:
        ref = call.args[0] if call.args else None
        found = meant(ref) if isinstance(ref, str) and s.is_over(*formats) else None
        return old(Call(call.message, (found,))) if found is not None and found.cls == cls else old(call)

    calls(s, get, f"{cls}.get_*")


@fault("GET-BAD-REF", "secret", MEDIUM, also="UUID-LOOKUP")
def uuid_serves_as_a_ref(s: Server) -> None:
    """The getters of secrets take an object's uuid for its ref."""

    def meant(text: str) -> Handle | None:
        return next((h for h in s.state.world.handles("secret") if fields_of(s, h)["uuid"] == text), None)

    lenient(s, "secret", meant)


@fault("GET-BAD-REF", "VLAN", HARD)
def refs_in_capitals_are_found(s: Server) -> None:
    """Over JSON-RPC 2.0 the getters of VLANs take a ref whose letters are in the other case."""

    def meant(text: str) -> Handle | None:
        return next((h for h in s.state.world.handles("VLAN") if s.state.refs.ref(h).lower() == text.lower()), None)

    lenient(s, "VLAN", meant, Format.JSONRPC2)


@fault("GET-BAD-REF", "task", MEDIUM)
def refs_are_trimmed(s: Server) -> None:
    """The getters of tasks take a ref with white space around it."""
    lenient(s, "task", lambda text: s.state.refs.handle(text.strip()))


@fault("GET-BAD-REF", "subject", HARD, also="UUID-UNKNOWN-CODE")
def the_tail_of_a_ref_serves(s: Server) -> None:
    """Over XML-RPC the getters of subjects take a ref without what stands before its colon."""
    lenient(s, "subject", lambda text: s.state.refs.handle(f"OpaqueRef:{text}"), Format.XMLRPC)


@fault("GET-BAD-REF", "VBD", HARD)
def a_vif_answers_for_a_vbd(s: Server) -> None:
    """The getters of VBDs take the ref of a VIF and answer from it what both classes have."""

    def get(old: Old, call: Call) -> Branch:
        ref = call.args[0] if call.args else None
        if not isinstance(ref, Handle) or ref.cls != "VIF" or ref.is_null:
            return old(call)
        name = call.message.removeprefix("VBD.get_")
        both, record = s.api.classes["VBD"].fields, fields_of(s, ref)
        return s.state.world.stay(record[name]) if name in both and name in record else old(call)

    calls(s, get, "VBD.get_*")


@fault("GET-BAD-REF", "VGPU", MEDIUM)
def nothing_has_empty_fields(s: Server) -> None:
    """VGPU's getters of sets and references answer the null reference with nothing in place of an error."""

    def get(old: Old, call: Call) -> Branch:
        name = call.message.removeprefix("VGPU.get_")
        of = s.api.classes["VGPU"].fields[name].type if name in s.api.classes["VGPU"].fields else None
        null = isinstance(call.args[0], Handle) and call.args[0].is_null if call.args else False
        return s.state.world.stay(default_of(of)) if null and isinstance(of, SetOf | MapOf | RefTo) else old(call)

    calls(s, get, "VGPU.get_*")


# ------------------------------------------------------------------------------------------------ what the error says


def _told(s: Server, cls: str, change: Callable[[Failure], Failure], *formats: Format) -> None:
    def shown(failure: Failure) -> Failure:
        mine = failure.code == "HANDLE_INVALID" and s.method.startswith(f"{cls}.get_") and s.is_over(*formats)
        return change(failure) if mine else failure

    failures(s, shown)


@fault("GET-BAD-REF-CODE", "VIF", MEDIUM)
def class_of_a_bad_ref_in_small_letters(s: Server) -> None:
    """The error of a VIF's getter with a bad ref names the class `vif`."""
    _told(s, "VIF", lambda f: Failure(f.code, (str(f.params[0]).lower(), *f.params[1:])))


@fault("GET-BAD-REF-CODE", "PCI", MEDIUM)
def bad_ref_is_cut(s: Server) -> None:
    """Over JSON-RPC 2.0 the error of a PCI's getter shows the first 32 characters of a bad ref."""
    _told(s, "PCI", lambda f: Failure(f.code, (f.params[0], str(f.params[1])[:32])), Format.JSONRPC2)


@fault("GET-BAD-REF-CODE", "Observer", HARD)
def ended_objects_are_not_found(s: Server) -> None:
    """Getters with the ref of an ended Observer fail with OBJECT_NOLONGER_EXISTS; other bad refs are told as such."""
    ended: set[Value] = set()

    def drop(old: Any, handle: Handle) -> None:
        ended.add(s.state.refs.ref(handle))
        old(handle)

    around(s.state.refs, "drop", drop)
    _told(s, "Observer", lambda f: Failure("OBJECT_NOLONGER_EXISTS", ()) if f.params[1] in ended else f)


@fault("GET-BAD-REF-CODE", "role", EASY, also="CALL-BAD-REF-CODE")
def bad_ref_is_an_unknown_uuid(s: Server) -> None:
    """The getters of roles tell of a bad ref as of an unknown uuid."""
    _told(s, "role", lambda f: Failure("UUID_INVALID", f.params))
