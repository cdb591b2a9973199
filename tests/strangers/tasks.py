"""A stranger's tasks: what is called by Async.c.m is done at once, or, to the taste, when its time has come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from strangers.values import NULL, Refusal, Values
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Message

SLOW = 0.05
"""Seconds that a task of a slow server takes; its work is done by the first call after them."""


@dataclass(frozen=True, slots=True)
class Job:
    """The work of a task that is not done yet."""

    due: float
    fmt: str
    message: Message
    raw: list[Any]


class Tasks(Values):
    """Begins and ends tasks; the store does what they are about."""

    api: Api
    fmt: str
    pending: dict[str, Job]

    def run(self, message: Message, args: list[Any]) -> Any:
        raise NotImplementedError

    def make(self, of: ApiClass, given: dict[str, Any]) -> str:
        raise NotImplementedError

    def xml(self, of: t.Type, value: Any) -> str:
        raise NotImplementedError

    def may_wait(self, message: Message) -> bool:
        """Whether a message has an asynchronous form: explicit ones, and the making and ending of objects."""
        if message.cls in {"session", "event"}:
            return False
        return not message.implicit or message.name in {"create", "destroy"}

    def parameters(self, message: Message, raw: list[Any]) -> list[Any]:
        return [self.read(p.type, r) for p, r in zip(message.params, raw, strict=True)]

    def begin(self, message: Message, raw: list[Any]) -> str:
        if "early_errors" in self.tastes:
            self.parameters(message, raw)
        now = datetime.now(UTC)
        label = f"Async.{message.full_name}"
        host = next(iter(self.objects["host"]), NULL)
        values = {"name_label": label, "status": "pending", "progress": 0.0, "created": now, "resident_on": host}
        ref = self.make(self.api.classes["task"], values)
        self.pending[ref] = Job(self.due(), self.fmt, message, raw)
        self.finish_due()
        return ref

    def due(self) -> float:
        return time.monotonic() + (SLOW if "slow_tasks" in self.tastes else 0.0)

    def finish_due(self) -> None:
        for ref, job in list(self.pending.items()):
            if time.monotonic() >= job.due:
                del self.pending[ref]
                fmt, self.fmt = self.fmt, job.fmt
                ended = self.work(job)
                self.fmt = fmt
                if ref in self.objects["task"]:
                    self.objects["task"][ref] |= {"finished": datetime.now(UTC), **ended}

    def work(self, job: Job) -> dict[str, Any]:
        """Do the work of a task; return what it ends with."""
        try:
            value = self.carry_out(job)
        except Refusal as no:
            return {"status": "failure", "error_info": self.error_info(no)}
        return {"status": "success", "progress": 1.0, "result": self.result_text(job.message.result, value)}

    def carry_out(self, job: Job) -> Any:
        return self.run(job.message, self.parameters(job.message, job.raw))

    def error_info(self, no: Refusal) -> list[str]:
        return list(dict.fromkeys(str(each) for each in no.args))

    def result_text(self, of: t.Type, value: Any) -> str:
        if of == t.Void() and "string_tags" not in self.tastes:
            return ""
        return self.xml(of, value)
