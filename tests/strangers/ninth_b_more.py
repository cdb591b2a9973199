"""Defects of retries, logs, locks and hidden states, over time; written without a look at the checks."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import Refusal
from xenconform.models import types as t

WRITE_SECONDS = 0.004
RETRIES = 4
WRITES = frozenset({"set", "add", "remove", "add_to", "remove_from"})

# --------------------------------------------------------------------------------------------------- state over time


@defect(
    "STATE-MODEL SET-VALUE",
    also="LABEL-LOOKUP EVENT-FROM SET-ONLY-THAT WIRE-AGREE WIRE-STRING WHERE PERSIST CONC-LINEARIZABLE",
    cls="VM_appliance",
)
def repeated_writes_are_taken_for_retries(s: Plain) -> None:
    """A setter of an appliance like one of the session's last four is taken for a retry: A, B, A leaves B."""
    recent: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=RETRIES))

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if not method.startswith("VM_appliance.set_") or len(raw) != 3:
            return old(fmt, method, raw)
        key = f"{method} {raw[1:]!r}"
        with s.lock:
            s.check_session(raw[0])
            if key in recent[raw[0]] and raw[1] in s.objects["VM_appliance"]:
                return t.Void(), None
            result = old(fmt, method, raw)
            recent[raw[0]].append(key)
        return result

    around(s, "call", call)


@defect(
    "STATE-READ-ONLY-READS DESTROY-GONE",
    also="GET-ALL-AGREES GET-BAD-REF ROBUST-NO-EFFECT STATE-MODEL DESTROY-AGAIN DESTROY-NO-CASCADE",
    cls="VMSS",
)
def a_look_for_a_row_makes_one(s: Plain) -> None:
    """VMSS.get_record indexes a table that makes the row it lacks: after the refusal get_all names the bad ref."""
    rows: dict[str, None] = {}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if method == "VMSS.get_record" and no.args[0] == "HANDLE_INVALID" and raw[1]:
                rows[raw[1]] = None
            raise

    def get_all(old: Any, of: Any) -> Any:
        found = old(of)
        return [*found, *(ref for ref in rows if ref not in found)] if of.name == "VMSS" else found

    def get_all_records(old: Any, of: Any) -> Any:
        if of.name != "VMSS":
            return old(of)
        return {ref: s.get_record(of, ref) for ref in list(s.objects["VMSS"])}

    around(s, "call", call)
    around(s, "get_all", get_all)
    around(s, "get_all_records", get_all_records)


@defect("ASYNC-TASK", also="DESTROY-AGAIN DESTROY-GONE GET-BAD-REF", cls="USB_group")
def workers_destroy_what_is_gone(s: Plain) -> None:
    """The worker of Async.USB_group.destroy takes HANDLE_INVALID for "already gone": the task ends in success."""

    def work(old: Any, job: Any) -> Any:
        ended = old(job)
        if job.message.full_name == "USB_group.destroy" and "HANDLE_INVALID" in ended.get("error_info", ()):
            return {"status": "success", "progress": 1.0, "result": s.result_text(job.message.result, None)}
        return ended

    around(s, "work", work)


@defect("EVENT-FROM", also="STATE-MODEL", cls="secret")
def each_class_counts_its_own_events(s: Plain) -> None:
    """Events are numbered class by class, and a token is the highest number: a watch of several loses rarer ones."""

    def event_from(_old: Any, wanted: list[str], token: str, _timeout: float) -> dict[str, Any]:
        last = s.number_of(token) if token else 0
        count: Counter[str] = Counter()
        found = []
        for each in s.journal:
            count[each.cls] += 1
            if count[each.cls] > last and s.is_wanted(each.cls, each.ref, wanted):
                found.append(each)
        asked = {each.partition("/")[0].lower() for each in wanted}
        here = max((n for cls, n in count.items() if {"*", cls.lower()} & asked), default=0)
        counts = {cls.lower(): len(rows) for cls, rows in s.objects.items()}
        events = [s.told(each) for each in (found if token else s.everything(wanted))]
        return {"events": events, "token": f"after {max(here, last)}", "valid_ref_counts": counts}

    around(s, "event_from", event_from)


@defect("LIFECYCLE-VM", also="STATE-MODEL ASYNC-TASK", cls="VM")
def starting_paused_is_running_inside(s: Plain) -> None:
    """A VM started or resumed with start_paused is shown Paused but runs inside: unpause is refused, pause is not."""
    inside: set[str] = set()

    def power(old: Any, name: str, ref: str, rest: list[Any]) -> None:
        vm = s.objects["VM"].get(ref, {})
        odd = ref in inside and vm.get("power_state") == "Paused"
        if odd:
            vm["power_state"] = "Running"
        try:
            old(name, ref, rest)
        except Refusal:
            if odd:
                vm["power_state"] = "Paused"
            raise
        begun = name.removesuffix("_on") in {"start", "resume"} and vm["power_state"] == "Paused"
        (inside.add if begun else inside.discard)(ref)

    around(s, "power", power)


@defect("RBAC", cls="network")
def decisions_are_kept_by_verb(s: Plain) -> None:
    """What a role may do to a network is decided once a verb: after set_MTU a vm-admin may set_name_label as well."""
    known: dict[tuple[str, str], bool] = {}

    def may(old: Any, role: str, message: Any) -> bool:
        if message.cls != "network" or message.verb not in WRITES:
            return bool(old(role, message))
        return known.setdefault((role, message.verb), old(role, message))

    around(s, "may", may)


@defect("PERSIST", also="MAP-REMOVE", cls="VIF")
def removed_pairs_are_not_in_the_log(s: Plain) -> None:
    """The log of VIFs has an entry for pairs added and none for pairs removed: they are back after a restart."""
    removed: dict[str, dict[str, str]] = defaultdict(dict)

    def remove_from(old: Any, ref: str, obj: dict[str, Any], key: str) -> None:
        if key in obj["other_config"]:
            removed[ref][key] = obj["other_config"][key]
        old(key)

    def add_to(old: Any, ref: str, _obj: dict[str, Any], key: str, value: str) -> None:
        old(key, value)
        removed[ref].pop(key, None)

    def do_set(old: Any, ref: str, _obj: dict[str, Any], value: dict[str, str]) -> None:
        old(value)
        removed[ref].clear()

    def revived(old: Any, cls: str, ref: str, row: dict[str, Any]) -> Any:
        row = old(cls, ref, row)
        return row | {"other_config": {**removed.pop(ref, {}), **row["other_config"]}} if cls == "VIF" else row

    doing(s, "remove_from", "VIF", "other_config", remove_from)
    doing(s, "add_to", "VIF", "other_config", add_to)
    doing(s, "set", "VIF", "other_config", do_set)
    around(s, "revived", revived)


@defect("CONC-LINEARIZABLE", also="STATE-MODEL", cls="SR")
def whole_rows_are_written_back_under_locks_of_fields(s: Plain) -> None:
    """A writer of an SR locks its field, reads the row, and writes all of it back: one of another field is undone."""
    locks: dict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.find(method)
        if message is None or message.cls != "SR" or message.verb not in WRITES or method.startswith("Async."):
            return old(fmt, method, raw)
        with s.lock:
            lock = locks[str(raw[1:2]), message.field]
        with lock:
            return old(fmt, method, raw)

    around(s, "call", call)

    def write(old: Any, of: Any, ref: str, obj: dict[str, Any], *rest: Any) -> None:
        if of.name != "SR":
            old(of, ref, obj, *rest)
            return
        row = dict(obj)
        old(of, ref, row, *rest)
        session, fmt = s.session, s.fmt
        s.lock.release()
        time.sleep(WRITE_SECONDS)
        s.lock.acquire()
        s.session, s.fmt, s.dirty = session, fmt, True
        obj.update(row)

    for verb in WRITES:
        around(s, f"do_{verb}", write)
