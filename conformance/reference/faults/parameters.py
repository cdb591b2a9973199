"""Faults of reading a call's parameters as their types: values of another type that are taken, or told of wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xenconform.conformance.codec import Array, Node, Scalar, Struct
from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import put
from xenconform.conformance.reference.state import Refusal
from xenconform.models import types as t
from xenconform.models.calls import Format
from xenconform.models.types import Type
from xenconform.models.values import Handle

XML, JSON1, JSON2 = Format
NIL = Scalar("nil", "")


def reading(s: Server, change: Callable[[Type, Node], Node]) -> None:
    """Change each parameter before it is read as its type."""
    around(s.service, "_read", lambda old, name, of, node: old(name, of, change(of, node)))


@fault("WIRE-TYPE", "network", HARD)
def only_the_first_member_is_checked(s: Server) -> None:
    """Members of a set after the first may be of any type: they are kept as text."""

    def change(of: Type, node: Node) -> Node:
        if of != t.SetOf(t.Str()) or not isinstance(node, Array):
            return node
        return Array((*node.items[:1], *(Scalar("string", each.text) if isinstance(each, Scalar) else each
                                         for each in node.items[1:])))  # fmt: skip

    reading(s, change)


@fault("WIRE-TYPE", "VM", HARD)
def array_of_one_int_is_that_int(s: Server) -> None:
    """An array of a single int is taken for the int."""
    reading(s, lambda of, node: node.items[0] if of == t.Int() and isinstance(node, Array) and len(node.items) == 1
            else node)  # fmt: skip


@fault("WIRE-TYPE", "secret", MEDIUM)
def null_is_the_empty_text(s: Server) -> None:
    """Over JSON-RPC 2.0 null given for a text is kept as the empty text."""
    reading(s, lambda of, node: Scalar("string", "") if of == t.Str() and node == NIL and s.fmt is JSON2 else node)


@fault("WIRE-TYPE", "pool", MEDIUM)
def word_is_a_bool(s: Server) -> None:
    """The texts "true" and "false" are taken for bools."""
    words = {Scalar("string", "true"): Scalar("boolean", "1"), Scalar("string", "false"): Scalar("boolean", "0")}
    reading(s, lambda of, node: words.get(node, node) if of == t.Bool() and isinstance(node, Scalar) else node)


@fault("WIRE-TYPE", "task", HARD)
def empty_text_is_an_empty_map(s: Server) -> None:
    """Over XML-RPC an empty value given for a map is taken for the empty map."""
    reading(s, lambda of, node: Struct(()) if isinstance(of, t.MapOf) and s.fmt is XML
            and node in (Scalar("string", ""), Scalar("", "")) else node)  # fmt: skip


@fault("WIRE-TYPE", "VMSS", HARD)
def bool_is_looked_up_as_a_label(s: Server) -> None:
    """A lookup by label takes a bool and a number for their text."""

    def change(of: Type, node: Node) -> Node:
        if of != t.Str() or not isinstance(node, Scalar) or not s.method.endswith(".get_by_name_label"):
            return node
        return Scalar("string", node.text) if node.tag in {"boolean", "double"} else node

    reading(s, change)


@fault("WIRE-TYPE", "network", HARD)
def refused_map_is_emptied(s: Server) -> None:
    """A map with a value of another type is refused by a network's setter, and the map is empty afterwards."""
    called_on: list[Any] = []

    def read(old: Any, name: str, of: Type, node: Node) -> Any:
        try:
            value = old(name, of, node)
        except Refusal:
            if isinstance(of, t.MapOf) and s.method == "network.set_other_config" and s.fmt is not JSON1:
                s.state.adopt(put(s.state.world, called_on[-1], other_config={}), (called_on[-1],))
            raise
        if of == t.RefTo("network") and isinstance(value, Handle):
            called_on[:] = [value]
        return value

    around(s.service, "_read", read)


@fault("WIRE-TYPE", "VMSS", HARD)
def months_go_on_after_december(s: Server) -> None:
    """Over JSON a datetime of the thirteenth month is taken for one of the next January."""

    def change(of: Type, node: Node) -> Node:
        if of != t.DateTime() or not isinstance(node, Scalar) or s.fmt is XML or node.text[4:6] != "13":
            return node
        return Scalar("string", f"{int(node.text[:4]) + 1}01{node.text[6:]}")

    reading(s, change)


@fault("WIRE-TYPE", "VM_appliance", HARD)
def object_may_stand_in_an_array(s: Server) -> None:
    """Over JSON-RPC 2.0 an array of a single ref given for an object is taken for that ref."""
    reading(s, lambda of, node: node.items[0] if isinstance(of, t.RefTo) and isinstance(node, Array)
            and len(node.items) == 1 and s.fmt is JSON2 else node)  # fmt: skip


@fault("WIRE-TYPE-CODE", "VDI", MEDIUM)
def wrong_member_is_an_internal_error(s: Server) -> None:
    """A set or map with a member of another type fails with INTERNAL_ERROR."""

    def read(old: Any, name: str, of: Type, node: Node) -> Any:
        try:
            return old(name, of, node)
        except Refusal as refused:
            if (
                refused.failure.code == "FIELD_TYPE_ERROR"
                and isinstance(of, t.SetOf | t.MapOf)
                and isinstance(node, Array | Struct)
            ):
                raise Refusal("INTERNAL_ERROR", "cannot convert") from None
            raise

    around(s.service, "_read", read)


@fault("WIRE-TYPE-CODE", "VMSS", MEDIUM)
def wrong_int_is_an_internal_error(s: Server) -> None:
    """Over XML-RPC a text that is no number given for an int fails with INTERNAL_ERROR."""

    def read(old: Any, name: str, of: Type, node: Node) -> Any:
        try:
            return old(name, of, node)
        except Refusal:
            if of == t.Int() and isinstance(node, Scalar) and node.tag == "string" and s.fmt is XML:
                raise Refusal("INTERNAL_ERROR", "no number") from None
            raise

    around(s.service, "_read", read)
