"""A stranger's events: a journal that is kept by comparing the objects with what they were, from the first watch on.

Another design than the reference has, which is told of each change as it is made.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Any

from strangers.values import Refusal, Values
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass

NEXT_SECONDS = 30.0
PAUSE = 0.005
WAITING = frozenset({"event.from", "event.next"})
"""The messages that may be answered later."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change: its number, the object, what became of it, and its record then."""

    number: int
    cls: str
    operation: str
    ref: str
    snapshot: dict[str, Any] | None


class Events(Values):
    """The journal and the messages that read it."""

    api: Api
    done: Event
    session: str

    def start_events(self) -> None:
        self.watched = self.dirty = False
        self.journal: list[Entry] = []
        self.shadow: dict[str, dict[str, dict[str, Any]]] = {}
        self.registered: dict[str, tuple[frozenset[str], int]] = {}

    def get_record(self, of: ApiClass, ref: str) -> dict[str, Any]:
        raise NotImplementedError

    def call(self, fmt: str, method: str, raw: list[Any]) -> tuple[t.Type, Any]:
        raise NotImplementedError

    # ----------------------------------------------------------------------------------------------------- the journal

    def note(self) -> None:
        """Enter what has changed since it was looked at last."""
        if not self.watched or not self.dirty:
            return
        self.dirty = False
        for cls, rows in self.objects.items():
            if cls == "session":
                continue
            seen = self.shadow.setdefault(cls, {})
            for ref in [ref for ref in seen if ref not in rows]:
                del seen[ref]
                self.jot(cls, "del", ref)
            for ref, row in list(rows.items()):
                if ref not in seen:
                    self.jot(cls, "add", ref)
                elif seen[ref] != row:
                    self.jot(cls, "mod", ref)
                else:
                    continue
                seen[ref] = dict(row)

    def jot(self, cls: str, operation: str, ref: str) -> None:
        snapshot = None if operation == "del" else self.get_record(self.api.classes[cls], ref)
        self.journal.append(Entry(len(self.journal) + 1, cls, operation, ref, snapshot))

    def watch(self) -> None:
        """Begin the journal, or bring it up to date."""
        if not self.watched:
            self.watched = True
            self.shadow = {cls: {ref: dict(row) for ref, row in rows.items()} for cls, rows in self.objects.items()}
        self.note()

    def since(self, number: int, wanted: Collection[str]) -> list[Entry]:
        found = [each for each in self.journal[number:] if self.is_wanted(each.cls, each.ref, wanted)]
        return self.merged(found) if "merged_events" in self.tastes else found

    def merged(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the latest of each object, a new one as made; of one made and ended meanwhile nothing."""
        latest: dict[str, Entry] = {}
        made = set()
        for each in entries:
            made |= {each.ref} if each.operation == "add" else set()
            latest.pop(each.ref, None)
            if each.operation == "del" and each.ref in made:
                continue
            new = each.operation == "mod" and each.ref in made
            latest[each.ref] = Entry(each.number, each.cls, "add", each.ref, each.snapshot) if new else each
        return list(latest.values())

    def is_wanted(self, cls: str, ref: str, wanted: Collection[str]) -> bool:
        asked = {each if "/" in each else each.lower() for each in wanted}
        return bool({"*", cls.lower(), f"{cls}/{ref}"} & asked)

    # ------------------------------------------------------------------------------------------------------- messages

    def event(self, name: str, args: list[Any]) -> Any:
        if "new_events_only" in self.tastes and name != "from":
            raise Refusal("MESSAGE_METHOD_UNKNOWN", f"event.{name}")
        self.watch()
        return getattr(self, f"event_{name}")(*args)

    def event_from(self, wanted: list[str], token: str, _timeout: float) -> dict[str, Any]:
        entries = self.since(self.number_of(token), wanted) if token else self.everything(wanted)
        counts = {cls.lower(): len(rows) for cls, rows in self.objects.items()}
        return {"events": [self.told(each) for each in entries], "token": self.token(), "valid_ref_counts": counts}

    def everything(self, wanted: list[str]) -> list[Entry]:
        here = len(self.journal)
        return [
            Entry(here, cls, "add", ref, self.get_record(self.api.classes[cls], ref))
            for cls, rows in self.objects.items()
            for ref in list(rows)
            if cls != "session" and self.is_wanted(cls, ref, wanted)
        ]

    def told(self, entry: Entry) -> dict[str, Any]:
        cls = entry.cls.lower() if "lower_events" in self.tastes else entry.cls
        return {"id": entry.number, "class": cls, "operation": entry.operation, "ref": entry.ref, "of": entry}

    def token(self) -> str:
        return f"after {len(self.journal)}"

    def number_of(self, token: str) -> int:
        text = token.removeprefix("after ")
        if not text.isdigit() or text == token:
            raise Refusal("EVENT_FROM_TOKEN_PARSE_FAILURE", token)
        if int(text) > len(self.journal):
            raise Refusal("EVENTS_LOST")
        return int(text)

    def event_register(self, wanted: list[str]) -> None:
        before, at = self.registered.get(self.session, (frozenset[str](), len(self.journal)))
        self.registered[self.session] = before | set(wanted), at

    def event_unregister(self, wanted: list[str]) -> None:
        before, at = self.registered.get(self.session, (frozenset[str](), len(self.journal)))
        self.registered[self.session] = before - set(wanted), at

    def event_next(self) -> list[dict[str, Any]]:
        wanted, at = self.registered.get(self.session, (frozenset[str](), 0))
        if not wanted:
            raise Refusal("SESSION_NOT_REGISTERED", self.session)
        self.registered[self.session] = wanted, len(self.journal)
        return [self.told(each) for each in self.since(at, wanted)]

    def event_inject(self, cls: str, ref: str) -> str:
        known = next((name for name in self.objects if name.lower() == cls.lower()), "")
        if ref not in self.objects.get(known, {}):
            raise Refusal("HANDLE_INVALID", cls, ref)
        self.jot(known, "mod", ref)
        return self.token()

    def event_get_current_id(self) -> int:
        return len(self.journal)

    def wait(self, fmt: str, method: str, params: list[Any]) -> tuple[t.Type, Any]:
        """Answer a message that may wait: when there is something to tell, or its time is over."""
        end = time.monotonic() + self.seconds(method, params)
        while True:
            of, value = self.call(fmt, method, params)
            if self.has_news(value) or time.monotonic() >= end or self.done.is_set():
                return of, value
            self.done.wait(PAUSE)

    def seconds(self, method: str, params: list[Any]) -> float:
        if method == "event.next":
            return NEXT_SECONDS
        asked = params[3] if len(params) == 4 else 0.0
        return float(asked) if isinstance(asked, int | float) else 0.0

    def has_news(self, value: Any) -> bool:
        return bool(value["events"] if isinstance(value, dict) else value)

    # ------------------------------------------------------------------------------------------------------- the wire

    def shape(self, of: t.Type, value: Any) -> dict[str, tuple[t.Type, Any]]:
        """Return the members of a batch, or of an event, with their types."""
        if isinstance(of, t.EventBatch):
            return {
                "events": (t.SetOf(t.RecordOf("")), value["events"]),
                "valid_ref_counts": (t.MapOf(t.Str(), t.Int()), value["valid_ref_counts"]),
                "token": (t.Str(), value["token"]),
            }
        entry: Entry = value["of"]
        members: dict[str, tuple[t.Type, Any]] = {n: (t.Str(), value[n]) for n in ("class", "operation", "ref")}
        members["id"] = (t.Int(), value["id"])
        if of == t.RecordOf("event"):
            members |= {"timestamp": (t.DateTime(), datetime(2024, 1, 1, tzinfo=UTC)), "obj_uuid": (t.Str(), "")}
        else:
            members["timestamp"] = (t.Str(), "0.0")
        if entry.snapshot is not None or of == t.RecordOf("event"):
            members["snapshot"] = (t.RecordOf(entry.cls), entry.snapshot or {})
        return members
