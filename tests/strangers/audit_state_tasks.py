"""Defects of tasks that an audit of the checks thought of: another way than the plain call's, for the same work.

Each stands for a dimension that no check varied before: the values that a task is given, what they leave out, how what
it made is found, why it is refused, and the messages that are more than accessors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Plain
from strangers.store import plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t


def in_tasks(s: Plain, change: Callable[[Any], Any], cls: str) -> None:
    """Change each plain value of the parameters of a class's asynchronous calls."""
    working = [False]

    def deep(value: Any) -> Any:
        if isinstance(value, dict):
            return {deep(key): deep(each) for key, each in value.items()}
        return [deep(each) for each in value] if isinstance(value, list) else change(value)

    def parameters(old: Any, message: Any, raw: list[Any]) -> Any:
        return old(message, deep(raw) if working[0] and message.cls == cls else raw)

    def carry_out(old: Any, job: Any) -> Any:
        working[0] = True
        try:
            return old(job)
        finally:
            working[0] = False

    around(s, "parameters", parameters)
    around(s, "carry_out", carry_out)


def by_tasks(s: Plain) -> list[bool]:
    """Return a list of one, which tells whether a task is at work."""
    working = [False]

    def carry_out(old: Any, job: Any) -> Any:
        working[0] = True
        try:
            return old(job)
        finally:
            working[0] = False

    around(s, "carry_out", carry_out)
    return working


@defect("ASYNC-TASK")
def queue_unescapes_twice(s: Plain) -> None:
    """What a task of network is given comes out of its queue with &amp; and &lt; as & and <."""

    def change(value: Any) -> Any:
        return value.replace("&lt;", "<").replace("&amp;", "&") if isinstance(value, str) else value

    in_tasks(s, change, "network")


@defect("ASYNC-TASK", cls="VMSS")
def queue_strips_texts(s: Plain) -> None:
    """What a task of VMSS is given comes out of its queue without the white space around it."""
    in_tasks(s, lambda value: value.strip() if isinstance(value, str) else value, "VMSS")


@defect("ASYNC-TASK", cls="PVS_cache_storage")
def queue_has_doubles(s: Plain) -> None:
    """The ints that a task of PVS_cache_storage is given come out of its queue rounded to 53 bits."""

    def change(value: Any) -> Any:
        text = value if isinstance(value, str) else ""
        return str(int(float(text))) if len(text) > 15 and text.isdigit() else value

    in_tasks(s, change, "PVS_cache_storage")


@defect("ASYNC-TASK", cls="VM")
def power_is_left_to_a_daemon(s: Plain) -> None:
    """A task that is to change a power state ends with success when the request is written; nobody reads it."""
    around(s, "carry_out", lambda old, job: None if s.moves_power(job.message) else old(job))


@defect("ASYNC-TASK", cls="VM")
def power_tasks_never_fail(s: Plain) -> None:
    """A task that is refused because of the power state is logged, and ends with success."""

    def carry_out(old: Any, job: Any) -> Any:
        try:
            return old(job)
        except Refusal:
            if s.moves_power(job.message):
                return None
            raise

    around(s, "carry_out", carry_out)


@defect("ASYNC-TASK", cls="VM_appliance")
def tasks_make_what_is_not_listed(s: Plain) -> None:
    """VM_appliance.get_all lists what plain calls made: the list is theirs to append to."""
    working, hidden = by_tasks(s), set[str]()

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref: str = old(of, given)
        hidden.update({ref} if working[0] and of.name == "VM_appliance" else ())
        return ref

    around(s, "make", make)
    around(s, "get_all", lambda old, of: [ref for ref in old(of) if ref not in hidden])


@defect("ASYNC-TASK", cls="secret")
def tasks_do_not_index_uuids(s: Plain) -> None:
    """secret.get_by_uuid does not find what a task made."""
    working, hidden = by_tasks(s), set[str]()

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref: str = old(of, given)
        hidden.update({s.objects["secret"][ref]["uuid"]} if working[0] and of.name == "secret" else ())
        return ref

    def by_uuid(old: Any, of: Any, text: str) -> str:
        if text in hidden:
            raise Refusal("UUID_INVALID", of.name, text)
        return str(old(of, text))

    around(s, "make", make)
    around(s, "by_uuid", by_uuid)


@defect("ASYNC-TASK", cls="Repository")
def tasks_leave_names_in_the_list(s: Plain) -> None:
    """Repository.get_all still lists what a task ended."""
    working, ghosts = by_tasks(s), list[str]()

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        ghosts.extend([ref] if working[0] and of.name == "Repository" else ())

    around(s, "destroy", destroy)
    around(s, "get_all", lambda old, of: old(of) + (ghosts if of.name == "Repository" else []))


@defect("ASYNC-TASK", cls="VM")
def tasks_know_no_defaults(s: Plain) -> None:
    """What is left out of the record of a VM that a task makes is nothing, not the default."""
    working = by_tasks(s)

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref: str = old(of, given)
        if working[0] and of.name == "VM":
            left = [f for f in of.fields.values() if f.name not in given and f.has_default and not t.refs_in(f.type)]
            s.objects["VM"][ref] |= {field.name: plain(field.type) for field in left}
        return ref

    around(s, "make", make)


def when_refused(s: Plain, then: Callable[[Any, Refusal], Any]) -> None:
    """Let what `then` makes of a job and of its refusal be the end of each task that is refused."""

    def carry_out(old: Any, job: Any) -> Any:
        try:
            return old(job)
        except Refusal as why:
            return then(job, why)

    around(s, "carry_out", carry_out)


@defect("ASYNC-TASK")
def refused_task_makes_nothing_and_says_so_not(s: Plain) -> None:
    """A task whose create was refused ends with success and the null reference."""

    def then(job: Any, why: Refusal) -> Any:
        if job.message.name == "create":
            return NULL
        raise why

    when_refused(s, then)


@defect("ASYNC-TASK", cls="VM")
def task_sets_fields_of_nothing(s: Plain) -> None:
    """The task of an explicit setter updates as many rows as there are, and none is as good as one."""

    def then(job: Any, why: Refusal) -> None:
        if job.message.verb != "set":
            raise why

    when_refused(s, then)


@defect("ASYNC-TASK", cls="VIF")
def task_hides_why_nothing_was_made(s: Plain) -> None:
    """The task of a create that names nothing fails with INTERNAL_ERROR."""

    def then(job: Any, why: Refusal) -> None:
        raise Refusal("INTERNAL_ERROR", "could not create") if job.message.name == "create" else why

    when_refused(s, then)
