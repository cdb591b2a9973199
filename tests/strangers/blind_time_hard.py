"""The hard ones of the blind defects of state over time: written without a look at the checks."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from strangers.base import around, defect
from strangers.blind_time import breathe
from strangers.plain_server import Plain
from strangers.roles import ADMIN
from strangers.values import Refusal
from xenconform.models.api import Qualifier


@defect("ROBUST-AUTH", also="SESSION-REQUIRED")
def sessions_are_padded(s: Plain) -> None:
    """A session ref with spaces after it is taken for the session: the column is CHAR, compared with padding."""

    def bare(session: Any) -> Any:
        return session.rstrip(" ") if isinstance(session, str) else session

    for name in ("check_session", "logout", "role_of"):
        around(s, name, lambda old, session: old(bare(session)))


@defect("ASYNC-TASK", cls="SDN_controller")
def job_needs_the_session(s: Plain) -> None:
    """A task fails with SESSION_INVALID if its session was logged out in the moment before its work began."""
    owners: dict[int, tuple[Any, str]] = {}

    def begin(old: Any, message: Any, raw: Any) -> Any:
        ref = old(message, raw)
        owners[id(s.pending[ref])] = s.pending[ref], s.session
        return ref

    def carry_out(old: Any, job: Any) -> Any:
        _, session = owners.pop(id(job), (job, ""))
        if session and session not in s.objects["session"]:
            raise Refusal("SESSION_INVALID", session)
        return old(job)

    around(s, "due", lambda old: old() + 0.05)
    around(s, "begin", begin)
    around(s, "carry_out", carry_out)


@defect("RBAC", cls="subject")
def context_comes_back_dirty(s: Plain) -> None:
    """After a refused call of an admin the next call runs as admin, whoever makes it: a pooled context is not reset."""
    left = {"admin": False}

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        try:
            result = old(fmt, method, raw)
        except Refusal:
            session = raw[0] if raw and isinstance(raw[0], str) else ""
            left["admin"] |= session in s.objects["session"] and s.role_of(session) == ADMIN
            raise
        left["admin"] = False
        return result

    around(s, "call", call)
    around(s, "check_role", lambda old, message: None if left["admin"] else old(message))


@defect("PERSIST", cls="secret")
def secrets_in_an_xml_file(s: Plain) -> None:
    """After a restart a secret's value has LF where it had CR or CR LF: the file is XML, written without &#13;."""

    def revived(old: Any, cls: str, ref: str, row: Any) -> Any:
        row = old(cls, ref, row)
        return row | {"value": row["value"].replace("\r\n", "\n").replace("\r", "\n")} if cls == "secret" else row

    around(s, "revived", revived)


@defect("CONC-LINEARIZABLE", also="CREATE-NEW UUID-FORM", cls="VMSS")
def uuid_is_drawn_ahead(s: Plain) -> None:
    """VMSSs that are created at the same time get one uuid: the next one is drawn ahead and taken without a lock."""
    ahead = {"uuid": s.new_uuid()}

    def make(old: Any, of: Any, given: Any) -> Any:
        if of.name != "VMSS":
            return old(of, given)
        mine = ahead["uuid"]
        breathe(s)
        ahead["uuid"] = s.new_uuid()
        ref = old(of, given)
        s.objects["VMSS"][ref]["uuid"] = mine
        return ref

    around(s, "make", make)


@defect("LABEL-LOOKUP", also="STATE-MODEL", cls="VM_appliance")
def index_forgets_the_same_label(s: Plain) -> None:
    """A VM_appliance that was given the label it had is no longer found by it: the index adds new, then drops old."""
    dropped: set[str] = set()

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        if (of.name, field.name) == ("VM_appliance", "name_label"):
            (dropped.add if obj["name_label"] == value else dropped.discard)(ref)
        old(of, ref, obj, field, value)

    around(s, "do_set", do_set)
    around(s, "by_label", lambda old, of, label: [ref for ref in old(of, label) if ref not in dropped])


@defect("UUID-UNKNOWN", also="DESTROY-GONE STATE-MODEL", cls="SR")
def worker_has_another_cache(s: Plain) -> None:
    """get_by_uuid still finds an SR that was looked up once and then destroyed by a task, whose worker has no cache."""
    cache: dict[str, str] = {}
    here = {"worker": False}

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        if of.name != "SR":
            return old(of, text)
        if text not in cache:
            cache[text] = old(of, text)
        return cache[text]

    def carry_out(old: Any, job: Any) -> Any:
        here["worker"] = True
        try:
            return old(job)
        finally:
            here["worker"] = False

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        for text in [text for text, each in cache.items() if each == ref and not here["worker"]]:
            del cache[text]

    around(s, "by_uuid", by_uuid)
    around(s, "carry_out", carry_out)
    around(s, "destroy", destroy)


@defect("SET-VALUE STATE-MODEL", also="SESSION-LOGOUT")
def replays_a_request_of_the_same_id(s: Plain) -> None:
    """A getter sent twice with one id over JSON-RPC 2.0 is taken for a retry within two seconds: old values come."""
    sent: dict[bytes, tuple[float, str]] = {}

    def answer(old: Any, body: bytes) -> Any:
        at, reply = sent.get(body, (0.0, ""))
        if reply and time.monotonic() - at < 2:
            return reply
        reply = old(body)
        if b".get_" in body and '"jsonrpc"' in reply and '"error"' not in reply:
            sent[body] = time.monotonic(), reply
        return reply

    around(s, "answer_json", answer)


@defect("CREATE-BAD", also="ROBUST-NO-EFFECT STATE-MODEL", cls="VBD")
def unit_of_work_is_not_cleared(s: Plain) -> None:
    """A VBD whose create failed for its VDI comes into being with the next VBD: the failed entity is still enlisted."""
    enlisted: list[dict[str, Any]] = []

    def create(old: Any, of: Any, raw: Any) -> Any:
        try:
            ref = old(of, raw)
        except Refusal as no:
            if of.name == "VBD" and no.args[:2] == ("HANDLE_INVALID", "VDI"):
                entity = {}
                for name, field in of.fields.items():
                    if name in raw and name != "VDI" and field.qualifier is not Qualifier.RUNTIME:
                        with suppress(Refusal):
                            entity[name] = s.read(field.type, raw[name])
                enlisted.append(entity)
            raise
        while of.name == "VBD" and enlisted:
            s.make(of, enlisted.pop())
        return ref

    around(s, "create", create)


@defect("STATE-READ-ONLY-READS", also="GET-ALL-AGREES STATE-MODEL", cls="USB_group")
def list_query_cuts_the_entity(s: Plain) -> None:
    """After get_all_records a USB_group's description is cut to 255 characters: the list's projection is saved."""

    def get_all_records(old: Any, of: Any) -> Any:
        if of.name == "USB_group":
            for row in s.objects["USB_group"].values():
                row["name_description"] = row["name_description"][:255]
        return old(of)

    around(s, "get_all_records", get_all_records)
