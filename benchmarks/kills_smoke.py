"""The smoke test that a sensible engineer writes in an afternoon: plain calls over JSON-RPC 2.0, obvious assertions.

Log in; list the objects of the class, read their records and every field; look one up; write every text and read it
back, and add to a set and a map; make an object, find it, destroy it, miss it; log out, and be refused. The keys of
failures are the places of the assertions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from kills_common import PASSWORD, USER, Run, Subject, Wire

from xenconform.models.api import Api, ApiClass, Qualifier, State
from xenconform.models.types import Bool, Enum, Float, Int, MapOf, RefTo, SetOf, Str, Type

_OBJECTS = 5


def smoke_run(subject: Subject, run: Run) -> None:
    """Run the script once; what raises is a failure too, and the next part goes on."""
    of = Api.load().classes[subject.cls]
    script = Script(subject, run, of)
    for part in (script.log_in, script.read, script.look_up, script.write, script.make, script.refuse, script.log_out):
        try:
            part()
        except (requests.RequestException, KeyError, TypeError, ValueError, IndexError) as why:
            run.report(f"{part.__name__} raised {type(why).__name__}", repr(why))


class Script:
    """The parts of the script, in the order in which they run."""

    def __init__(self, subject: Subject, run: Run, of: ApiClass) -> None:
        """Take what to test; nothing is sent yet."""
        self.run, self.of, self.cls = run, of, of.name
        self.wire = Wire(subject, run)
        self.refs: list[str] = []
        self.listing = f"{self.cls}.get_all" if self.has("get_all") else "pool.get_all"

    def check(self, holds: bool, where: str, seen: object) -> None:
        """Report what does not hold."""
        if not holds:
            self.run.report(where, f"{where}: {seen}")

    def call(self, name: str, *params: Any) -> Any:
        """Return the result of a message of the class; the test fails where it is an error."""
        reply = self.wire.reply(f"{self.cls}.{name}", self.wire.session, *params)
        self.check("result" in reply, f"{name} succeeds", reply)
        return reply.get("result")

    def error(self, name: str, *params: Any) -> str:
        """Return the error's code of a message of the class, "" where it succeeds."""
        reply = self.wire.reply(f"{self.cls}.{name}", self.wire.session, *params)
        return str((reply.get("error") or {}).get("message", ""))

    def has(self, *names: str) -> bool:
        """Whether the class has all these messages."""
        return all(name in self.of.messages for name in names)

    def log_in(self) -> None:
        """A wrong password is refused, the right one opens a session."""
        wrong = self.wire.reply("session.login_with_password", USER, f"not {PASSWORD}", "1.0", "smoke")
        self.check("error" in wrong, "a wrong password is refused", wrong)
        self.wire.login()
        self.check(bool(self.wire.session), "login gives a session", self.wire.session)

    def read(self) -> None:
        """Lists, records and getters agree."""
        if not self.has("get_all", "get_all_records", "get_record"):
            return
        self.refs = self.call("get_all")
        records = self.call("get_all_records")
        self.check(sorted(self.refs) == sorted(records), "get_all and get_all_records agree", len(records))
        for ref in self.refs[:_OBJECTS]:
            record = self.call("get_record", ref)
            expected = {f.name for f in self.of.fields.values() if f.lifecycle.state is not State.REMOVED}
            self.check(expected <= set(record), "a record has every field", expected - set(record))
            for name in expected:
                if self.has(f"get_{name}"):
                    value = self.call(f"get_{name}", ref)
                    self.check(_sorted(value) == _sorted(record.get(name)), f"get_{name} agrees with the record", value)
                    self.check(_fits(self.of.fields[name].type, value), f"get_{name} has its type", value)

    def look_up(self) -> None:
        """An object is found by its uuid and by its label."""
        for ref in self.refs[:_OBJECTS]:
            if self.has("get_by_uuid", "get_uuid"):
                found = self.call("get_by_uuid", self.call("get_uuid", ref))
                self.check(found == ref, "get_by_uuid finds the object", found)
            if self.has("get_by_name_label", "get_name_label"):
                same = self.call("get_by_name_label", self.call("get_name_label", ref))
                self.check(ref in same, "get_by_name_label finds the object", same)

    def write(self) -> None:
        """Each text reads as it was written; additions to sets and maps show, and go."""
        for ref in self.refs[:1]:
            for field in self.of.fields.values():
                if field.qualifier is Qualifier.RW and field.type == Str() and self.has(f"set_{field.name}"):
                    self._write_text(ref, field.name)
                elif field.type == SetOf(Str()) and self.has(f"add_{field.name}"):
                    self._write_set(ref, field.name)
                elif field.type == MapOf(Str(), Str()) and self.has(f"add_to_{field.name}"):
                    self._write_map(ref, field.name)

    def _write_text(self, ref: str, name: str) -> None:
        before = self.call(f"get_{name}", ref)
        if self.error(f"set_{name}", ref, "smoke test"):
            return  # a domain of its own
        after = self.call(f"get_{name}", ref)
        self.check(after == "smoke test", f"{name} reads as written", after)
        self.call(f"set_{name}", ref, before)

    def _write_set(self, ref: str, name: str) -> None:
        before = self.call(f"get_{name}", ref)
        self.call(f"add_{name}", ref, "smoke")
        after = self.call(f"get_{name}", ref)
        self.check(sorted(after) == sorted({*before, "smoke"}), f"{name} shows what was added", after)
        self.call(f"remove_{name}", ref, "smoke")
        self.check(sorted(self.call(f"get_{name}", ref)) == sorted(before), f"{name} lacks what was removed", after)

    def _write_map(self, ref: str, name: str) -> None:
        before = self.call(f"get_{name}", ref)
        self.call(f"add_to_{name}", ref, "smoke", "test")
        after = self.call(f"get_{name}", ref)
        self.check(after == {**before, "smoke": "test"}, f"{name} shows what was added", after)
        twice = self.error(f"add_to_{name}", ref, "smoke", "again")
        self.check(twice == "MAP_DUPLICATE_KEY", f"{name} refuses a key twice", twice)
        self.call(f"remove_from_{name}", ref, "smoke")
        self.check(self.call(f"get_{name}", ref) == before, f"{name} lacks what was removed", after)

    def make(self) -> None:
        """A new object is listed and is as it was asked for; destroyed, it is gone."""
        if not self.has("create", "get_all", "get_record") or not any(c.record for c in self.of.constructors):
            return
        record = self._record()
        made = self.wire.reply(f"{self.cls}.create", self.wire.session, record)
        self.check("result" in made, "create succeeds", made)
        if "result" not in made:
            return
        ref = made["result"]
        self.check(ref in self.call("get_all"), "a new object is listed", ref)
        shown = self.call("get_record", ref)
        for name, value in record.items():
            self.check(_sorted(shown.get(name)) == _sorted(value), f"a new object has its {name}", shown.get(name))
        if self.of.destructor == "destroy":
            self.call("destroy", ref)
            self.check(ref not in self.call("get_all"), "a destroyed object is not listed", ref)
            gone = self.error("get_record", ref)
            self.check(gone == "HANDLE_INVALID", "a destroyed object is gone", gone)

    def _record(self) -> Mapping[str, Any]:
        record: dict[str, Any] = {}
        for field in self.of.fields.values():
            if field.qualifier is not Qualifier.RUNTIME and field.lifecycle.state is not State.REMOVED:
                record[field.name] = self._value(field.name, field.type)
        return record

    def _value(self, name: str, of: Type) -> Any:
        match of:
            case RefTo(cls):
                return next(iter(self.wire.refs(cls)), "OpaqueRef:NULL")
            case Enum(_, values):
                return values[0]
            case SetOf(Str()):
                return ["smoke"]
            case SetOf():
                return []
            case MapOf(Str(), Str()):
                return {"smoke": "test"}
            case MapOf():
                return {}
            case _:
                return {Int(): 1, Float(): 1.0, Bool(): False}.get(of, f"smoke {name}")

    def refuse(self) -> None:
        """What does not exist, and what nobody asks for with a session, is refused."""
        self.check(self.error("no_such_message") != "", "an unknown message is refused", "success")
        if self.has("get_record"):
            code = self.error("get_record", "OpaqueRef:smoke")
            self.check(code == "HANDLE_INVALID", "an unknown reference is refused", code)
        reply = self.wire.reply(self.listing, "OpaqueRef:smoke")
        self.check("error" in reply, "a made-up session is refused", reply)

    def log_out(self) -> None:
        """After the logout the session is over."""
        reply = self.wire.reply("session.logout", self.wire.session)
        self.check(reply.get("result") == "", "logout succeeds", reply)
        after = self.wire.reply(self.listing, self.wire.session)
        over = (after.get("error") or {}).get("message") == "SESSION_INVALID"
        self.check(over, "a session that is over is refused", after)


def _fits(of: Type, value: object) -> bool:
    kinds: dict[Type, type | tuple[type, ...]] = {Str(): str, Int(): (int, str), Float(): (int, float), Bool(): bool}
    kind = kinds.get(of) or (list if isinstance(of, SetOf) else dict if isinstance(of, MapOf) else object)
    return isinstance(value, kind)


def _sorted(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
