"""Defects of calls, values and sessions that an audit missed: another parameter, spelling, listing or connection."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Handler, Plain
from strangers.roles import USERS
from strangers.unseen_wire import handled
from strangers.values import Refusal
from xenconform.models import types as t

# ---------------------------------------------------------------------------------------------------------------- calls


@defect("WIRE-METHOD-UNKNOWN", cls="host_metrics")
def every_class_has_labels(s: Plain) -> None:
    """get_by_name_label is offered by the base of all classes; one without labels finds nobody."""

    def find(old: Any, method: str) -> Any:
        message, (cls, _, name) = old(method), method.partition(".")
        if message is None and name == "get_by_name_label" and cls in s.api.classes:
            like = s.api.message("network.get_by_name_label")
            return replace(like, cls=cls) if like else None
        return message

    around(s, "find", find)
    around(s, "by_label", lambda old, of, label: old(of, label) if "name_label" in of.fields else [])


@defect("WIRE-METHOD-UNKNOWN", cls="VBD")
def last_two_parts_count(s: Plain) -> None:
    """Of a method's name the last two parts count: any.thing.VBD.get_all is VBD.get_all."""
    around(s, "find", lambda old, name: old(name if name.startswith("Async.") else ".".join(name.split(".")[-2:])))


@defect("WIRE-METHOD-UNKNOWN", cls="VM")
def taking_from_no_field(s: Plain) -> None:
    """add_, remove_, add_to_ and remove_from_ of a field that there is not do nothing, and succeed."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        nothing = s.find(method) is None and re.match(r"\w+\.(add|remove)_", method)
        return (t.Void(), None) if nothing else old(fmt, method, raw)

    around(s, "call", call)


def shortened(s: Plain, surplus: Any) -> None:
    """Ignore what stands behind the parameters of a message, where it is of some kind."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.find(method)
        takes = 1 + len(message.params) if message and message.takes_session else len(raw)
        return old(fmt, method, raw[:takes] if len(raw) > takes and surplus(raw[takes:]) else raw)

    around(s, "call", call)


@defect("WIRE-ARITY")
def nulls_at_the_end(s: Plain) -> None:
    """Nulls behind the last parameter are parameters that were left out."""
    shortened(s, lambda rest: all(each is None for each in rest))


@defect("WIRE-ARITY")
def options_at_the_end(s: Plain) -> None:
    """An empty struct behind the last parameter is the options, of which there are none."""
    shortened(s, lambda rest: rest == [{}])


@defect("WIRE-TYPE", cls="VMSS")
def objects_in_arrays(s: Plain) -> None:
    """A ref in an array of its own stands for the object, in setters: the library takes one row for a list of rows."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.find(method)
        alone = len(raw) > 1 and isinstance(raw[1], list) and len(raw[1]) == 1
        return old(fmt, method, [raw[0], raw[1][0], *raw[2:]] if message and message.verb == "set" and alone else raw)

    around(s, "call", call)


@defect("WIRE-TYPE", cls="VM")
def native_ints_wrap_around(s: Plain) -> None:
    """An integer beyond 64 bits keeps its lower ones; as text it is refused."""

    def whole(old: Any, raw: Any) -> int:
        native = isinstance(raw, int) and not isinstance(raw, bool)
        return int(old((raw + 2**63) % 2**64 - 2**63 if native else raw))

    around(s, "int", whole)


@defect("WIRE-INT-REQUEST", cls="VDI")
def explicit_ints_as_text_alone(s: Plain) -> None:
    """Explicit messages take ints as text alone over JSON: they were written for another wire."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.find(method)
        if fmt != "xml" and message and not message.implicit and not message.verb and message.name != "create":
            for param, value in zip(message.params, raw[1:], strict=False):
                if param.type == t.Int() and isinstance(value, int):
                    raise Refusal("FIELD_TYPE_ERROR", param.name)
        return old(fmt, method, raw)

    around(s, "call", call)


# --------------------------------------------------------------------------------------------------------------- values


@defect("WIRE-STRING")
def sections_are_skipped(s: Plain) -> None:
    """What stands in a CDATA section of a request is not read."""
    around(s, "answer_xml", lambda old, body: old(re.sub(rb"<!\[CDATA\[.*?\]\]>", b"", body, flags=re.DOTALL)))


@defect("WIRE-STRING")
def bare_text_is_trimmed(s: Plain) -> None:
    """Text of a request that stands in <value> without <string> loses its outer spaces."""
    bare = re.compile(rb"<value>\s*([^<]*?)\s*</value>")
    around(s, "answer_xml", lambda old, body: old(bare.sub(rb"<value>\1</value>", body)))


@defect("WIRE-STRING")
def slashes_keep_their_mark(s: Plain) -> None:
    """An escaped slash in JSON is read with its backslash."""
    around(s, "answer_json", lambda old, body: old(re.sub(rb"(?<!\\)\\/", rb"\\\\/", body)))


def listed(s: Plain, kind: type, change: Any) -> None:
    """Change the values of a kind that get_all_records lists."""

    def records(old: Any, of: Any) -> Any:
        rows = old(of).items()
        return {ref: {k: change(v) if type(v) is kind else v for k, v in row.items()} for ref, row in rows}

    around(s, "get_all_records", records)


@defect("WIRE-STRING")
def listed_texts_are_trimmed(s: Plain) -> None:
    """Texts in get_all_records have lost their outer spaces."""
    listed(s, str, str.strip)


@defect("WIRE-FLOAT", cls="task")
def listed_floats_are_short(s: Plain) -> None:
    """Floats in get_all_records have six digits."""
    listed(s, float, lambda value: float(f"{value:.6g}"))


@defect("WIRE-AGREE")
def long_texts_over_json1(s: Plain) -> None:
    """Texts of more than a hundred characters are cut over JSON-RPC 1.0."""

    def tell(old: Any, of: Any, value: Any) -> Any:
        told = old(of, value)
        return told[:100] if of == t.Str() and s.fmt == "json1" and isinstance(told, str) else told

    around(s, "json", tell)


@defect("WIRE-AGREE", cls="VMSS")
def getters_of_json2_trim(s: Plain) -> None:
    """Over JSON-RPC 2.0 a getter tells a text without its outer spaces; the record has them."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        told = old(message, args)
        return told.strip() if message.verb == "get" and isinstance(told, str) and s.fmt == "json2" else told

    around(s, "run", run)


# ------------------------------------------------------------------------------------------------------------- sessions


@defect("WIRE-SESSION-SHARED")
def sessions_end_with_their_connection(s: Plain) -> None:
    """A session ends when the connection is closed over which it was opened."""
    opened: dict[int, list[str]] = {}

    class Owning(Handler):
        def handle(self) -> None:
            mine = opened[threading.get_ident()] = []
            try:
                super().handle()
            finally:
                with s.lock:
                    for ref in mine:
                        s.objects["session"].pop(ref, None)

    def login(old: Any, raw: list[Any]) -> Any:
        ref = old(raw)
        opened[threading.get_ident()].append(ref)
        return ref

    around(s, "login", login)
    handled(s, Owning)


@defect("SESSION-LOGOUT", cls="VMSS")
def records_kept_by_session(s: Plain) -> None:
    """The answers to get_record are kept by session and ref, and found there before the session is looked at."""
    kept: dict[tuple[str, str, str], Any] = {}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if not method.endswith(".get_record") or len(raw) != 2 or not all(isinstance(each, str) for each in raw):
            return old(fmt, method, raw)
        key = (fmt, raw[0], raw[1])
        if raw[0] not in s.objects["session"] and key in kept:
            return kept[key]
        kept[key] = old(fmt, method, raw)
        return kept[key]

    around(s, "call", call)


@defect("SESSION-REQUIRED")
def ends_later_for_anybody(s: Plain) -> None:
    """Async.c.destroy is queued for whoever calls it."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if method.startswith("Async.") and method.endswith(".destroy") and raw:
            raw = [next(iter(s.objects["session"])), *raw[1:]]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("SESSION-REQUIRED", cls="SR")
def taken_out_and_then_refused(s: Plain) -> None:
    """What a remove_ or remove_from_ without a session is about is taken out, and the call is refused."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            message = s.find(method)
            if no.args[0] == "SESSION_INVALID" and message and message.verb in {"remove", "remove_from"} and raw:
                with s.lock:
                    old(fmt, method, [next(iter(s.objects["session"])), *raw[1:]])
            raise

    around(s, "call", call)


@defect("SESSION-LOGIN")
def passwords_end_at_the_null(s: Plain) -> None:
    """A password counts up to its first NUL."""
    around(
        s, "login", lambda old, raw: old([each.partition("\0")[0] if isinstance(each, str) else each for each in raw])
    )


@defect("SESSION-LOGIN")
def old_clients_need_no_password(s: Plain) -> None:
    """A login of two parameters, as clients of the first release sent it, takes any password."""
    around(s, "login", lambda old, raw: old([raw[0], USERS[raw[0]][0]] if len(raw) == 2 and raw[0] in USERS else raw))


@defect("SESSION-REQUIRED", cls="VMSS")
def one_getter_serves_the_dead(s: Plain) -> None:
    """VMSS.get_frequency does not see that a session has ended: it is read from a cache of sessions."""
    ended: set[str] = set()

    def logout(old: Any, session: Any) -> None:
        old(session)
        ended.add(session)

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        dead = bool(raw) and method == "VMSS.get_frequency" and isinstance(raw[0], str) and raw[0] in ended
        return old(fmt, method, [next(iter(s.objects["session"])), *raw[1:]] if dead else raw)

    around(s, "logout", logout)
    around(s, "call", call)


@defect("WIRE-SESSION-SHARED", cls="VBD")
def one_class_knows_its_own(s: Plain) -> None:
    """Messages of VBD serve sessions of the format alone over which they are called."""
    opened: dict[str, str] = {}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if method.startswith("VBD.") and raw and isinstance(raw[0], str) and opened.get(raw[0], fmt) != fmt:
            raise Refusal("SESSION_INVALID", raw[0])
        told = old(fmt, method, raw)
        if method.startswith("session.login"):
            opened[told[1]] = fmt
        return told

    around(s, "call", call)
