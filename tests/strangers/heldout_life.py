"""Held-out defects of sessions, tasks, events and power states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from strangers.base import after, around, defect
from strangers.plain_server import Plain
from strangers.power import MOVES
from strangers.tasks import Job
from strangers.values import PASSWORD, USER, Refusal
from xenconform.models import types as t

# ------------------------------------------------------------------------------------------------------------ sessions


@defect("SESSION-LOGIN")
def password_of_eight_characters(s: Plain) -> None:
    """A password counts by its first eight characters."""

    def login(old: Any, raw: Any) -> Any:
        close = len(raw) > 1 and raw[0] == USER and str(raw[1]).startswith(PASSWORD[:8])
        return old([raw[0], PASSWORD, *raw[2:]] if close else raw)

    around(s, "login", login)


@defect("SESSION-LOGIN")
def unknown_user_is_an_internal_error(s: Plain) -> None:
    """A login of a user that is not there fails with INTERNAL_ERROR over JSON-RPC 1.0."""

    def login(old: Any, raw: Any) -> Any:
        try:
            return old(raw)
        except Refusal as no:
            if s.fmt == "json1" and raw and raw[0] != USER and no.args[0] == "SESSION_AUTHENTICATION_FAILED":
                raise Refusal("INTERNAL_ERROR", "Not_found") from no
            raise

    around(s, "login", login)


@defect("SESSION-REQUIRED", cls="secret")
def look_up_of_secrets_needs_no_session(s: Plain) -> None:
    """secret.get_by_uuid does not look at the session."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        valid = next(iter(s.objects["session"]), "")
        return old(fmt, method, [valid, *raw[1:]] if method == "secret.get_by_uuid" and raw else raw)

    around(s, "call", call)


@defect("SESSION-REQUIRED")
def any_object_is_a_session(s: Plain) -> None:
    """The ref of a host serves as a session."""
    around(s, "check_session", lambda old, session: None if (
        isinstance(session, str) and session in s.objects["host"]) else old(session))  # fmt: skip


@defect("SESSION-LOGOUT")
def logout_over_json2_does_nothing(s: Plain) -> None:
    """Over JSON-RPC 2.0 a logout succeeds and ends nothing."""

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        if (fmt, method) == ("json2", "session.logout") and len(params) == 1:
            s.check_session(params[0])
            return t.Void(), None
        return old(fmt, method, params)

    around(s, "perform", perform)


@defect("SESSION-REQUIRED SESSION-LOGOUT")
def second_logout_succeeds(s: Plain) -> None:
    """A logout of a session that is logged out succeeds."""
    gone: set[str] = set()

    def logout(old: Any, session: Any) -> None:
        if not isinstance(session, str) or session not in gone:
            old(session)
            gone.add(session)

    around(s, "logout", logout)


# --------------------------------------------------------------------------------------------------------------- tasks


@defect("ASYNC-TASK")
def tasks_end_with_their_session(s: Plain) -> None:
    """The tasks of a session are gone once it is logged out."""
    begun: dict[str, list[str]] = {}

    def begin(old: Any, message: Any, raw: Any) -> Any:
        ref = old(message, raw)
        begun.setdefault(s.session, []).append(ref)
        return ref

    def forget(session: Any) -> None:
        for ref in begun.pop(session, ()):
            s.objects["task"].pop(ref, None)

    around(s, "begin", begin)
    after(s, "logout", forget)


@defect("ASYNC-TASK", cls="VBD")
def task_result_is_the_uuid(s: Plain) -> None:
    """The result of a task that made a VBD is the uuid."""

    def work(old: Any, job: Job) -> Any:
        ended = old(job)
        if job.message.full_name == "VBD.create" and "result" in ended:
            newest = list(s.objects["VBD"].values())[-1]
            return {**ended, "result": s.xml(t.Str(), newest["uuid"])}
        return ended

    around(s, "work", work)


@defect("ASYNC-TASK", cls="PVS_site")
def task_mixes_texts_up(s: Plain) -> None:
    """What is introduced asynchronously has the label for the description and the description for the label."""
    around(s, "carry_out", lambda old, job: old(
        replace(job, raw=[job.raw[1], job.raw[0], *job.raw[2:]])
        if job.message.full_name == "PVS_site.introduce" and len(job.raw) > 1 else job))  # fmt: skip


@defect("ASYNC-TASK", cls="secret")
def equal_calls_are_one_task(s: Plain) -> None:
    """An asynchronous call that is made twice with equal parameters gives the task of before, and nothing is done."""
    tasks: dict[str, str] = {}

    def begin(old: Any, message: Any, raw: Any) -> Any:
        key = repr((message.full_name, raw))
        if tasks.get(key) not in s.objects["task"]:
            tasks[key] = old(message, raw)
        return tasks[key]

    around(s, "begin", begin)


@defect("ASYNC-TASK", cls="VM")
def task_error_in_lower_case(s: Plain) -> None:
    """The parameters of a task's error are in lower case."""
    around(s, "error_info", lambda old, no: [*old(no)[:1], *(each.lower() for each in old(no)[1:])])


# -------------------------------------------------------------------------------------------------------------- events


def journal(s: Plain, change: Any) -> None:
    """Change the entries that a watcher is told: `change(entries)`."""
    around(s, "since", lambda old, number, wanted: change(old(number, wanted)))


@defect("EVENT-FROM", cls="VBD")
def ends_of_vbds_not_told(s: Plain) -> None:
    """No end of a VBD is told."""
    journal(s, lambda entries: [each for each in entries if (each.cls, each.operation) != ("VBD", "del")])


@defect("EVENT-FROM", cls="SR")
def snapshots_without_tags(s: Plain) -> None:
    """The record of an event of an SR has no tags, though the SR has."""
    journal(s, lambda entries: [replace(each, snapshot={**each.snapshot, "tags": []}) if (
        each.cls == "SR" and each.snapshot) else each for each in entries])  # fmt: skip


@defect("EVENT-FROM")
def numbers_compared_as_texts(s: Plain) -> None:
    """Events are told whose number as a text comes after that of the token, so that the tenth is not."""
    around(s, "since", lambda _old, number, wanted: [
        each for each in s.journal if str(each.number) > str(number) and s.is_wanted(each.cls, each.ref, wanted)
    ] if number else _old(number, wanted))  # fmt: skip


@defect("EVENT-FROM")
def told_to_one_session(s: Plain) -> None:
    """An event that one session was told is told to no other."""
    to: dict[int, str] = {}

    def since(old: Any, number: int, wanted: Any) -> Any:
        return [each for each in old(number, wanted) if to.setdefault(each.number, s.session) == s.session]

    around(s, "since", since)


@defect("EVENT-FROM", cls="secret")
def changes_have_another_name(s: Plain) -> None:
    """A change is told as modify."""
    around(
        s, "told", lambda old, entry: {**old(entry), "operation": "modify"} if entry.operation == "mod" else old(entry)
    )


@defect("EVENT-FROM", cls="PVS_site")
def introduced_sites_not_told(s: Plain) -> None:
    """No new site is told."""
    journal(s, lambda entries: [each for each in entries if (each.cls, each.operation) != ("PVS_site", "add")])


# -------------------------------------------------------------------------------------------------------- power states


def moved(s: Plain, name: str, froms: str, to: str = "") -> None:
    """Let a message work from other states, or lead to another."""
    around(s, "move", lambda old, asked: (froms, to or MOVES[name][1]) if asked == name else old(asked))


@defect("LIFECYCLE-VM", cls="VM")
def clean_shutdown_from_paused(s: Plain) -> None:
    """A paused VM can be shut down cleanly."""
    moved(s, "clean_shutdown", "Running Paused")


@defect("LIFECYCLE-VM", cls="VM")
def clean_reboot_from_halted(s: Plain) -> None:
    """A halted VM can be rebooted cleanly."""
    moved(s, "clean_reboot", "Running Halted")


@defect("LIFECYCLE-VM", cls="VM")
def resume_leaves_paused(s: Plain) -> None:
    """A VM that is resumed is paused."""
    moved(s, "resume", "Suspended", "Paused")


@defect("LIFECYCLE-VM", cls="VM")
def bad_state_names_the_label(s: Plain) -> None:
    """VM_BAD_POWER_STATE names the VM by its label."""
    around(s, "bad_state", lambda old, ref, froms, now: old(s.objects["VM"][ref]["name_label"], froms, now))


@defect("LIFECYCLE-VM STATE-MODEL", cls="VM")
def start_of_one_halts_another(s: Plain) -> None:
    """The start of a VM halts the one that was started before."""

    def settle(old: Any, vm: Any, state: str, host: str) -> None:
        if state == "Running":
            for other in s.objects["VM"].values():
                if other is not vm and other["power_state"] == "Running":
                    old(other, "Halted", "OpaqueRef:NULL")
        old(vm, state, host)

    around(s, "settle", settle)


@defect("LIFECYCLE-VM STATE-MODEL", cls="VM")
def shutdown_drops_tags(s: Plain) -> None:
    """A hard shutdown takes the tags off the VM."""
    after(
        s, "power", lambda name, ref, _rest: s.objects["VM"][ref].update(tags=[]) if name == "hard_shutdown" else None
    )
