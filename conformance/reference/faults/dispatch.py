"""Faults of finding the message of a call and of checking what it brings: method names, how many, of which type."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from xenconform.conformance.codec import Codec, DecodedCall, Scalar
from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import failures
from xenconform.conformance.reference.service import Answer
from xenconform.models.calls import Failure, Format, Success

XML, JSON1, JSON2 = Format
NIL = Scalar("nil", "")
UNKNOWN, COUNT = "MESSAGE_METHOD_UNKNOWN", "MESSAGE_PARAMETER_COUNT_MISMATCH"


def calling(s: Server, change: Callable[[DecodedCall], DecodedCall]) -> None:
    """Change each call after it was read and before its message is found."""
    around(s.service, "_answer", lambda old, codec, call: old(codec, change(call)))


def unknown(s: Server, succeed: Callable[[DecodedCall], bool]) -> None:
    """Let some calls of methods that do not exist succeed, with the empty text."""

    def answer(old: Any, codec: Codec, call: DecodedCall) -> Answer:
        if s.state.plans.get(call.method) is None and succeed(call):
            empty: Answer = s.service._encode(codec, call, Success(""), None)  # noqa: SLF001 - the seam itself
            return empty
        found: Answer = old(codec, call)
        return found

    around(s.service, "_answer", answer)


def coded(s: Server, code: str, change: Callable[[list[str]], Failure | None], *formats: Format) -> None:
    """Change failures of one code, given their parameters; None leaves one as it is."""

    def changed(failed: Failure) -> Failure:
        mine = failed.code == code and s.is_over(*formats)
        return (change([str(each) for each in failed.params]) if mine else None) or failed

    failures(s, changed)


# ----------------------------------------------------------------------------------------------------- unknown methods


@fault("WIRE-METHOD-UNKNOWN", "VM_appliance", HARD)
def setter_of_no_field_succeeds(s: Server) -> None:
    """A setter of a field that no class has succeeds and does nothing, given an object and a value."""
    known = {f"set_{name}" for of in s.api.classes.values() for name in of.fields}
    unknown(s, lambda call: call.method.partition(".")[2].startswith("set_") and len(call.params) == 3
            and call.method.partition(".")[2] not in known)  # fmt: skip


@fault("WIRE-METHOD-UNKNOWN", "secret", MEDIUM)
def method_names_have_no_case(s: Server) -> None:
    """A method is found whatever the case of the letters of its name."""
    names = {name.lower(): name for name in s.state.plans.names()}
    calling(s, lambda call: replace(call, method=names.get(call.method.lower(), call.method)))


@fault("WIRE-METHOD-UNKNOWN", "PIF", HARD)
def longest_known_beginning_is_called(s: Server) -> None:
    """Over JSON-RPC 1.0 a method whose name is longer than a getter's of one class is taken for that getter."""
    getters = sorted((n for n in s.state.plans.names() if n.startswith("PIF.get_")), key=len, reverse=True)

    def change(call: DecodedCall) -> DecodedCall:
        near = next((name for name in getters if call.method.startswith(name)), "")
        lost = near and call.version is JSON1 and s.state.plans.get(call.method) is None
        return replace(call, method=near) if lost else call

    calling(s, change)


@fault("WIRE-METHOD-UNKNOWN", "blob", MEDIUM, also="ROBUST-AUTH")
def unknown_class_lists_nothing(s: Server) -> None:
    """Listing the objects of a class that does not exist gives the empty text over JSON-RPC 2.0."""
    unknown(s, lambda call: call.version is JSON2 and call.method.endswith(".get_all"))


@fault("WIRE-METHOD-UNKNOWN", "VM_guest_metrics", HARD)
def getter_of_another_class_gives_nothing(s: Server) -> None:
    """Over XML-RPC a getter of a field that only other classes have gives the empty text."""
    getters = {f"get_{name}" for of in s.api.classes.values() for name in of.fields}
    unknown(s, lambda call: call.version is XML and call.method.partition(".")[2] in getters
            and call.method.partition(".")[0] in s.api.classes)  # fmt: skip


@fault("WIRE-METHOD-UNKNOWN", "VLAN", MEDIUM)
def class_may_be_left_out(s: Server) -> None:
    """A method without its class is looked for in every class, and the first that has it answers."""
    first: dict[str, str] = {}
    for name in s.state.plans.names():
        first.setdefault(name.partition(".")[2], name)
    first |= {name.partition(".")[2]: name for name in s.state.plans.names() if name.startswith("VLAN.")}
    calling(s, lambda call: replace(call, method=first.get(call.method, call.method)))


@fault("ROBUST-DEPTH-SIZE", "network", HARD)
def names_are_tried_at_each_underscore(s: Server) -> None:
    """Over JSON-RPC 1.0 finding a method takes the square of the underscores in its name, and holds up all others."""

    def change(call: DecodedCall) -> DecodedCall:
        if call.version is JSON1:
            time.sleep(call.method.count("_") ** 2 * 1.4e-10)
        return call

    calling(s, change)


@fault("WIRE-METHOD-UNKNOWN-CODE", "role", HARD)
def unknown_method_is_named_in_lower_case(s: Server) -> None:
    """Over JSON-RPC 2.0 the error of an unknown method names it in lower case."""
    coded(s, UNKNOWN, lambda said: Failure(UNKNOWN, tuple(each.lower() for each in said)), JSON2)


@fault("WIRE-METHOD-UNKNOWN-CODE", "SR", MEDIUM)
def unknown_method_is_named_without_its_class(s: Server) -> None:
    """Over JSON-RPC 1.0 the error of an unknown method names it without its class."""
    coded(s, UNKNOWN, lambda said: Failure(UNKNOWN, tuple(each.partition(".")[2] for each in said)), JSON1)


@fault("WIRE-METHOD-UNKNOWN-CODE", "VIF", MEDIUM)
def unknown_class_is_an_internal_error(s: Server) -> None:
    """A method of a class that does not exist fails with INTERNAL_ERROR."""
    coded(s, UNKNOWN, lambda said: None if said[0].partition(".")[0] in s.api.classes
          else Failure("INTERNAL_ERROR", ("no class",)))  # fmt: skip


@fault("WIRE-METHOD-UNKNOWN-CODE", "message", MEDIUM)
def unknown_method_is_not_named(s: Server) -> None:
    """Over XML-RPC the error of an unknown method has no parameter."""
    coded(s, UNKNOWN, lambda _: Failure(UNKNOWN, ()), XML)


# ---------------------------------------------------------------------------------------------- number of parameters


@fault("WIRE-ARITY", "subject", HARD)
def empty_last_parameters_are_dropped(s: Server) -> None:
    """Surplus parameters that are the empty text are overlooked."""

    def change(call: DecodedCall) -> DecodedCall:
        plan = s.state.plans.get(call.method)
        most = len(plan.message.params) + 1 if plan is not None else len(call.params)
        kept = list(call.params)
        while len(kept) > most and kept[-1] in (Scalar("string", ""), Scalar("", "")):
            kept.pop()
        return replace(call, params=tuple(kept))

    calling(s, change)


def trimmed(s: Server, count: int, fits: Callable[[DecodedCall], bool]) -> None:
    """Overlook the parameters of some calls beyond the first ones."""
    calling(s, lambda call: replace(call, params=call.params[:count]) if fits(call) else call)


@fault("WIRE-ARITY", "VDI", HARD)
def destroy_overlooks_what_follows(s: Server) -> None:
    """Over JSON-RPC 2.0 a VDI's destroy with more parameters than it has is carried out."""
    trimmed(s, 2, lambda call: call.method == "VDI.destroy" and call.version is JSON2)


@fault("WIRE-ARITY", "PBD", HARD)
def two_parameters_too_many_are_overlooked(s: Server) -> None:
    """A getter with exactly two parameters too many is answered."""
    trimmed(s, 2, lambda call: ".get_" in call.method and call.method.startswith("PBD.") and len(call.params) == 4)


@fault("WIRE-ARITY", "tunnel", MEDIUM)
def missing_value_of_a_pair_is_empty(s: Server) -> None:
    """Over XML-RPC a pair added to a map without a value gets the empty text for one."""
    calling(s, lambda call: replace(call, params=(*call.params, Scalar("", "")))
            if ".add_to_" in call.method and len(call.params) == 3 and call.version is XML else call)  # fmt: skip


@fault("WIRE-ARITY", "VM", MEDIUM)
def lookup_without_a_label_finds_the_unnamed(s: Server) -> None:
    """Over JSON-RPC 1.0 a lookup by label without the label finds the objects whose label is empty."""
    calling(s, lambda call: replace(call, params=(*call.params, Scalar("string", "")))
            if call.method.endswith(".get_by_name_label") and len(call.params) == 1 and call.version is JSON1
            else call)  # fmt: skip


@fault("WIRE-ARITY", "SR", HARD)
def nothing_is_added_or_removed(s: Server) -> None:
    """Over JSON-RPC 1.0 adding to, or removing from, a set or map without saying of what, or what, succeeds."""

    def answer(old: Any, codec: Codec, call: DecodedCall) -> Answer:
        plan = s.state.plans.get(call.method)
        verb = plan.message.verb if plan is not None else ""
        if verb in {"add", "add_to", "remove", "remove_from"} and len(call.params) == 1 and codec.format is JSON1:
            done: Answer = s.service._encode(codec, call, Success(""), None)  # noqa: SLF001 - the seam itself
            return done
        found: Answer = old(codec, call)
        return found

    around(s.service, "_answer", answer)


@fault("WIRE-ARITY-CODE", "VBD", MEDIUM)
def counts_are_swapped(s: Server) -> None:
    """Over JSON the error of a wrong number of parameters tells the two numbers the wrong way round."""
    coded(s, COUNT, lambda said: Failure(COUNT, (said[0], said[2], said[1])), JSON1, JSON2)


@fault("WIRE-ARITY-CODE", "network", MEDIUM)
def too_few_for_a_constructor_is_internal(s: Server) -> None:
    """A constructor without its record fails with INTERNAL_ERROR."""
    coded(s, COUNT, lambda said: Failure("INTERNAL_ERROR", ("index out of range",)) if said[0].endswith(".create")
          and said[2] == "0" else None)  # fmt: skip


@fault("WIRE-ARITY-CODE", "host", HARD)
def counts_leave_out_the_object(s: Server) -> None:
    """The error of a setter with a wrong number of parameters counts one less of those that came than there were."""
    coded(s, COUNT, lambda said: Failure(COUNT, (said[0], said[1], str(int(said[2]) - 1)))
          if ".set_" in said[0] else None)  # fmt: skip
