"""Defects of tasks and of events."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from strangers.base import around, defect
from strangers.events import Entry
from strangers.plain_server import Plain
from strangers.tasks import Job
from strangers.values import Refusal
from xenconform.models import types as t

# --------------------------------------------------------------------------------------------------------------- tasks


def ends(s: Plain, change: Any) -> None:
    """Let tasks end with `change(ended, job)` in place of what they should."""
    around(s, "work", lambda old, job: change(old(job), job))


@defect("ASYNC-TASK")
def task_never_ends(s: Plain) -> None:
    """Tasks stay pending for ever."""
    around(s, "due", lambda old: old() + 1e9)


@defect("ASYNC-TASK")
def task_result_lacks_the_ref(s: Plain) -> None:
    """The result of a task is always empty."""
    around(s, "result_text", lambda _old, _of, _value: "")


@defect("ASYNC-TASK")
def task_result_is_no_xml(s: Plain) -> None:
    """The result of a task is the bare text."""
    around(s, "result_text", lambda _old, _of, value: "" if value is None else str(value))


@defect("ASYNC-TASK")
def task_result_is_json_over_json(s: Plain) -> None:
    """The result of a task begun over JSON is JSON."""
    around(s, "result_text", lambda old, of, value: old(of, value) if s.fmt == "xml" else json.dumps(s.json(of, value)))


@defect("ASYNC-TASK")
def task_result_names_another(s: Plain) -> None:
    """The result of a task is the oldest object of the class."""
    ends(s, lambda ended, job: ended if job.message.result == t.Void() or "result" not in ended else ended | {
        "result": s.xml(t.Str(), next(iter(s.objects[job.message.cls])))})  # fmt: skip


@defect("ASYNC-TASK")
def task_error_lost(s: Plain) -> None:
    """A task that failed does not say why."""
    around(s, "error_info", lambda _old, _no: [])


@defect("ASYNC-TASK")
def task_error_code_wrong(s: Plain) -> None:
    """The error of every task is INTERNAL_ERROR."""
    around(s, "error_info", lambda old, no: ["INTERNAL_ERROR", " ".join(old(no))])


@defect("ASYNC-TASK")
def task_error_without_parameters(s: Plain) -> None:
    """The error of a task is its code alone."""
    around(s, "error_info", lambda old, no: old(no)[:1])


@defect("ASYNC-TASK")
def task_of_json_unknown_over_xml(s: Plain) -> None:
    """A task begun over JSON cannot be read over XML-RPC."""
    begun: set[str] = set()

    def begin(old: Any, message: Any, raw: Any) -> Any:
        ref = old(message, raw)
        begun.update({ref} if s.fmt != "xml" else ())
        return ref

    def read(old: Any, of: Any, raw: Any) -> Any:
        if of == t.RefTo("task") and s.fmt == "xml" and raw in begun:
            raise Refusal("HANDLE_INVALID", "task", raw)
        return old(of, raw)

    around(s, "begin", begin)
    around(s, "read", read)


@defect("ASYNC-TASK")
def task_effect_twice(s: Plain) -> None:
    """A constructor that is called asynchronously makes two objects."""

    def carry_out(old: Any, job: Job) -> Any:
        made = old(job)
        return old(job) if job.message.name == "create" else made

    around(s, "carry_out", carry_out)


@defect("ASYNC-TASK")
def async_returns_the_value(s: Plain) -> None:
    """An asynchronous call returns what the plain one does."""
    around(s, "begin", lambda _old, message, raw: s.carry_out(Job(0.0, s.fmt, message, raw)) or "")


@defect("ASYNC-TASK")
def async_destroy_does_nothing(s: Plain) -> None:
    """The task of a destroy ends at once, with success, and does nothing."""
    around(s, "carry_out", lambda old, job: None if job.message.name == "destroy" else old(job))


@defect("ASYNC-TASK")
def async_setter_does_nothing(s: Plain) -> None:
    """The task of an explicit setter ends with success and does nothing."""
    around(s, "carry_out", lambda old, job: None if job.message.verb == "set" else old(job))


@defect("ASYNC-TASK")
def async_create_ignores_the_label(s: Plain) -> None:
    """What is made asynchronously over JSON-RPC 2.0 has no label."""

    def begin(old: Any, message: Any, raw: Any) -> Any:
        if s.fmt == "json2" and message.name == "create" and isinstance(raw[0], dict):
            raw = [{**raw[0], "name_label": ""}]
        return old(message, raw)

    around(s, "begin", begin)


@defect("ASYNC-TASK")
def task_fails_though_done(s: Plain) -> None:
    """The task of a destroy fails, and yet the object is gone."""
    ends(s, lambda ended, job: {"status": "failure", "error_info": ["INTERNAL_ERROR", "a worker died"]} if (
        job.message.name == "destroy" and ended["status"] == "success") else ended)  # fmt: skip


@defect("ASYNC-TASK")
def task_succeeds_though_refused(s: Plain) -> None:
    """A task whose work was refused ends with success."""
    ends(s, lambda ended, _job: ended | {"status": "success", "progress": 1.0})


@defect("ASYNC-TASK", also="PERSIST")
def task_status_old_over_json2(s: Plain) -> None:
    """Over JSON-RPC 2.0 every task that succeeded is pending."""

    def record(old: Any, of: Any, ref: str) -> Any:
        row = old(of, ref)
        return row | {"status": "pending"} if of.name == "task" and s.fmt == "json2" else row

    around(s, "get_record", record)


@defect("ASYNC-TASK")
def task_progress_stays_zero(s: Plain) -> None:
    """The progress of a task stays 0."""
    ends(s, lambda ended, _job: ended | {"progress": 0.0})


@defect("ASYNC-TASK")
def task_progress_in_percent(s: Plain) -> None:
    """The progress of a task goes to 100."""
    ends(s, lambda ended, _job: ended | {"progress": 100.0})


@defect("ASYNC-TASK")
def task_finished_never_set(s: Plain) -> None:
    """The time at which a task finished is not noted."""
    ends(s, lambda ended, _job: ended | {"finished": s.default(s.api.classes["task"].fields["finished"])})


@defect("ASYNC-TASK")
def tasks_not_listed(s: Plain) -> None:
    """task.get_all lists no task that was begun by a call."""
    tasks = s.objects["task"]
    around(s, "get_all", lambda old, of: [
        r for r in old(of) if of.name != "task" or not tasks[r]["name_label"].startswith("Async")])  # fmt: skip


@defect("ASYNC-TASK")
def tasks_seen_by_their_session_alone(s: Plain) -> None:
    """A session can read the tasks alone that it began."""
    owner: dict[str, str] = {}

    def begin(old: Any, message: Any, raw: Any) -> Any:
        ref = old(message, raw)
        owner[ref] = s.session
        return ref

    def read(old: Any, of: Any, raw: Any) -> Any:
        if of == t.RefTo("task") and owner.get(raw, s.session) != s.session:
            raise Refusal("HANDLE_INVALID", "task", raw)
        return old(of, raw)

    around(s, "begin", begin)
    around(s, "read", read)


# -------------------------------------------------------------------------------------------------------------- events


def entries(s: Plain, change: Any) -> None:
    """Let event.from tell `change(entries)` of what is new."""
    around(s, "since", lambda old, number, wanted: change(old(number, wanted)))


@defect("EVENT-FROM")
def event_told_twice(s: Plain) -> None:
    """A token covers all but the last event."""
    around(s, "token", lambda _old: f"after {max(0, len(s.journal) - 1)}")


@defect("EVENT-FROM")
def event_skipped(s: Plain) -> None:
    """A token covers one event more than was told, so that the first of the next batch is lost."""
    around(s, "since", lambda old, number, wanted: old(number, wanted)[1:])


@defect("EVENT-FROM")
def mods_lost(s: Plain) -> None:
    """No change is told."""
    entries(s, lambda found: [each for each in found if each.operation != "mod"])


@defect("EVENT-FROM")
def mods_lost_over_json1(s: Plain) -> None:
    """Over JSON-RPC 1.0 no change is told."""
    entries(s, lambda found: [each for each in found if each.operation != "mod" or s.fmt != "json1"])


@defect("EVENT-FROM")
def dels_missing(s: Plain) -> None:
    """No end is told."""
    entries(s, lambda found: [each for each in found if each.operation != "del"])


@defect("EVENT-FROM")
def adds_told_as_mods(s: Plain) -> None:
    """New objects are told as changed."""
    entries(s, lambda found: [replace(e, operation="mod") if e.operation == "add" else e for e in found])


@defect("EVENT-FROM")
def order_reversed(s: Plain) -> None:
    """The latest event is told first."""
    entries(s, lambda found: found[::-1])


@defect("EVENT-FROM")
def token_does_not_advance(s: Plain) -> None:
    """The token that comes back is the one that was given."""

    def event_from(old: Any, wanted: Any, token: str, seconds: float) -> Any:
        batch = old(wanted, token, seconds)
        return batch | {"token": token or batch["token"]}

    around(s, "event_from", event_from)


@defect("EVENT-FROM")
def timeout_ignored(s: Plain) -> None:
    """event.from never waits."""
    around(s, "seconds", lambda _old, _method, _params: 0.0)


@defect("EVENT-FROM")
def timeout_of_an_hour(s: Plain) -> None:
    """event.from waits until there is something to tell, for an hour if need be."""
    around(s, "seconds", lambda old, method, params: old(method, params) and 3600.0)


@defect("EVENT-FROM")
def wakes_late(s: Plain) -> None:
    """event.from that waits looks for events when its time is over."""
    around(s, "has_news", lambda _old, _value: False)


@defect("EVENT-FROM")
def snapshot_stale(s: Plain) -> None:
    """The record of an event is the one of before."""
    before: dict[str, Any] = {}

    def jot(old: Any, cls: str, operation: str, ref: str) -> None:
        old(cls, operation, ref)
        last: Entry = s.journal[-1]
        s.journal[-1] = replace(last, snapshot=before.get(ref, last.snapshot))
        before[ref] = last.snapshot

    around(s, "jot", jot)


@defect("EVENT-FROM")
def snapshot_of_another(s: Plain) -> None:
    """The record of an event is the oldest object's."""

    def jot(old: Any, cls: str, operation: str, ref: str) -> None:
        old(cls, operation, ref)
        if operation == "mod":
            other = s.get_record(s.api.classes[cls], next(iter(s.objects[cls])))
            s.journal[-1] = replace(s.journal[-1], snapshot=other)

    around(s, "jot", jot)


@defect("EVENT-FROM")
def unwatched_classes_told(s: Plain) -> None:
    """Every class is told, whichever is watched."""
    around(s, "is_wanted", lambda _old, _cls, _ref, _wanted: True)


@defect("EVENT-FROM")
def watch_of_one_tells_its_class(s: Plain) -> None:
    """A watch of one object tells of all of its class."""
    around(s, "is_wanted", lambda old, cls, ref, wanted: old(cls, ref, [each.partition("/")[0] for each in wanted]))


@defect("EVENT-FROM")
def watch_of_one_tells_nothing(s: Plain) -> None:
    """A watch of one object tells nothing."""
    around(s, "is_wanted", lambda old, cls, ref, wanted: old(cls, ref, [each for each in wanted if "/" not in each]))


@defect("EVENT-FROM")
def watch_of_all_tells_nothing(s: Plain) -> None:
    """A watch of "*" tells nothing."""
    around(s, "is_wanted", lambda old, cls, ref, wanted: old(cls, ref, [each for each in wanted if each != "*"]))


@defect("EVENT-FROM")
def second_class_not_told(s: Plain) -> None:
    """Of several watched classes the first is told."""
    around(s, "is_wanted", lambda old, cls, ref, wanted: old(cls, ref, list(wanted)[:1]))


@defect("EVENT-FROM")
def bad_token_is_the_beginning(s: Plain) -> None:
    """A token that is none counts as the empty one."""

    def number_of(old: Any, token: str) -> Any:
        try:
            return old(token)
        except Refusal:
            return 0

    around(s, "number_of", number_of)


@defect("EVENT-FROM")
def counts_one_too_many(s: Plain) -> None:
    """valid_ref_counts counts the null reference too."""
    around(s, "event_from", lambda old, *args: (batch := old(*args)) | {
        "valid_ref_counts": {cls: count + 1 for cls, count in batch["valid_ref_counts"].items()}})  # fmt: skip


@defect("EVENT-FROM")
def beginning_lacks_the_oldest(s: Plain) -> None:
    """At the empty token the oldest object is left out."""
    around(s, "everything", lambda old, wanted: old(wanted)[1:])


@defect("EVENT-FROM")
def next_tells_the_first_alone(s: Plain) -> None:
    """event.next tells of no change but the first."""
    around(s, "event_next", lambda old: [each for each in old() if each["of"].number <= first(s)])


def first(s: Plain) -> int:
    """Return the number of the first change in the journal, 0 without any."""
    return next((each.number for each in s.journal if each.operation == "mod"), 0)


@defect("EVENT-FROM")
def inject_tells_nothing(s: Plain) -> None:
    """event.inject has no effect."""
    around(s, "event_inject", lambda _old, _cls, _ref: s.token())


@defect("EVENT-FROM")
def inject_takes_any_ref(s: Plain) -> None:
    """event.inject takes references of nothing."""

    def inject(old: Any, cls: str, ref: str) -> Any:
        try:
            return old(cls, ref)
        except Refusal:
            return s.token()

    around(s, "event_inject", inject)


@defect("EVENT-FROM")
def current_id_goes_back(s: Plain) -> None:
    """event.get_current_id counts down."""
    around(s, "event_get_current_id", lambda old: 1_000_000 - old())
