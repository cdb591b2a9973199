"""A stranger's object store: what each message does, on plain dicts, driven by the product's model data alone.

Values here are Python's own: str, int, float, bool, datetime, list for sets, dict for maps and records.
Bound fields are not stored at their derived end but worked out at each read: another design than the reference has.
"""

from __future__ import annotations

import itertools
import random
import re
import threading
import uuid
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from strangers.accessors import Accessors, as_list
from strangers.events import Events
from strangers.persist import Persist
from strangers.power import Power
from strangers.roles import Roles
from strangers.tasks import Tasks
from strangers.values import HARDWARE, KEPT, NULL, Refusal
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Field, Message, Parameter, Qualifier, State

QUERY = Parameter("query", t.Str())
SEEDED = ("host", "network", "network", "SR", "VM", "VDI", "host_cpu", "PIF", "host_metrics", "VM_metrics", "role")


class Store(Accessors, Power, Persist, Tasks, Events, Roles):
    """The objects, the sessions, and one method a kind of message; `tastes` switches legal choices."""

    def __init__(self, tastes: Collection[str] = ()) -> None:
        self.api = Api.load()
        self.tastes = frozenset(tastes)
        self.random = random.Random(7)
        self.lock = threading.RLock()
        self.objects: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in self.api.classes}
        self.numbers = itertools.count(1)
        self.derived = {(r.derived_cls, r.derived_field): r for r in self.api.relations}
        self.owners = {(r.owner_cls, r.owner_field): r for r in self.api.relations}
        self.fmt = self.session = ""
        self.pending = {}
        self.start_events()
        for cls in SEEDED:
            self.objects[cls][self.new_ref(cls)] = self.blank(self.api.classes[cls])
        host, sr = next(iter(self.objects["host"])), next(iter(self.objects["SR"]))
        for record in self.objects["VDI"].values():
            record["SR"] = sr
        for record in self.objects["PIF"].values():
            record |= {"host": host, "network": next(iter(self.objects["network"]))}
        pool = self.blank(self.api.classes["pool"]) | {"master": host, "default_SR": sr}
        self.objects["pool"][self.new_ref("pool")] = pool

    # ------------------------------------------------------------------------------------------------- making objects

    def new_ref(self, cls: str) -> str:
        return f"{cls}/{next(self.numbers)}" if "bare_refs" in self.tastes else f"OpaqueRef:{uuid.uuid4()}"

    def new_uuid(self) -> str:
        text = str(uuid.uuid4())
        return text.upper() if "upper_uuids" in self.tastes else text

    def blank(self, of: ApiClass) -> dict[str, Any]:
        record = {name: self.default(field) for name, field in of.fields.items()}
        return record | ({"uuid": self.new_uuid()} if "uuid" in record else {})

    def default(self, field: Field) -> Any:
        if field.has_default and not t.refs_in(field.type):
            value = field.default
            return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, dict) else value
        return plain(field.type)

    def make(self, of: ApiClass, given: dict[str, Any]) -> str:
        ref = self.new_ref(of.name)
        record = self.blank(of)
        if given.get("uuid"):
            if any(each["uuid"] == given["uuid"] for each in self.objects[of.name].values()):
                raise Refusal("DB_UNIQUENESS_CONSTRAINT_VIOLATION", of.name, "uuid", given["uuid"])
        elif "uuid" in given:
            given = {name: value for name, value in given.items() if name != "uuid"}
        self.objects[of.name][ref] = record | given
        return ref

    # ------------------------------------------------------------------------------------------------------- messages

    def call(self, fmt: str, method: str, raw: list[Any]) -> tuple[t.Type, Any]:
        """Carry out a call; return the type and the value of its result.

        Raises:
            Refusal: it is refused.
        """
        with self.lock:
            self.finish_due()
            self.note()
            self.fmt = fmt
            message = self.find(method)
            takes = message is None or message.takes_session
            if "session_first" in self.tastes and takes:
                self.check_session(raw[0] if raw else "")
            if message is None:
                raise Refusal("MESSAGE_METHOD_UNKNOWN", method)
            if takes:
                self.check_arity(message, raw[1:] if raw else [], bool(raw))
                self.check_session(raw[0])
                self.session, raw = raw[0], raw[1:]
                if "role_last" in self.tastes:
                    self.parameters(message, raw)
                self.check_role(message)
            self.dirty |= not message.name.startswith("get")
            if method.startswith("Async."):
                return t.RefTo("task"), self.begin(message, raw)
            if message.full_name == "session.login_with_password":
                return t.RefTo("session"), self.login(raw)
            if message.full_name == "session.logout":
                raise Refusal("INTERNAL_ERROR", "unreachable")
            return message.result, self.run(
                message, [self.read(p.type, r) for p, r in zip(message.params, raw, strict=False)]
            )

    def find(self, method: str) -> Message | None:
        if method.startswith("Async."):
            plain = self.find(method.removeprefix("Async."))
            return plain if plain and self.may_wait(plain) else None
        if not method.endswith(".get_all_records_where"):
            return self.api.message(method)
        if "no_where" in self.tastes:
            return None
        like = self.api.message(method.removesuffix("_where"))
        return replace(like, name="get_all_records_where", params=(QUERY,)) if like else None

    def check_arity(self, message: Message, raw: list[Any], any_at_all: bool) -> None:
        wanted = 0 if message.full_name == "session.logout" else len(message.params)
        if not any_at_all or len(raw) != wanted:
            received = str(len(raw) if any_at_all else -1)
            raise Refusal("MESSAGE_PARAMETER_COUNT_MISMATCH", message.full_name, str(wanted), received)

    def check_session(self, session: Any) -> None:
        if not isinstance(session, str) or session not in self.objects["session"]:
            raise Refusal("SESSION_INVALID", str(session))

    def login(self, raw: list[Any]) -> str:
        if not 2 <= len(raw) <= 4:
            raise Refusal("MESSAGE_PARAMETER_COUNT_MISMATCH", "session.login_with_password", "2", str(len(raw)))
        return self.make(self.api.classes["session"], {"role of the user": self.role_for(raw)})

    def logout(self, session: str) -> None:
        self.check_session(session)
        del self.objects["session"][session]

    def run(self, message: Message, args: list[Any]) -> Any:
        of = self.api.classes[message.cls]
        if "no_more" in self.tastes and message.implicit and message.lifecycle.state is State.REMOVED:
            raise Refusal("MESSAGE_REMOVED")
        if message.cls == "event":
            return self.event(message.name, args)
        if message.verb and message.field in of.fields and (message.implicit or "bare" not in self.tastes):
            if message.verb == "get":
                return self.get(of, self.object(of, args[0]), args[0], of.fields[message.field])
            return self.write(message, of.fields[message.field], args)
        by_name: dict[str, Callable[..., Any]] = {
            "get_record": self.get_record,
            "get_all": self.get_all,
            "get_all_records": self.get_all_records,
            "get_all_records_where": self.where,
            "get_by_uuid": self.by_uuid,
            "get_by_name_label": self.by_label,
        }
        if message.name in by_name:
            return by_name[message.name](of, *args)
        if message.implicit and message.name == "create":
            return self.create(of, args[0])
        if not message.implicit and "bare" in self.tastes:
            raise Refusal("NOT_IMPLEMENTED", message.full_name)
        if self.moves_power(message):
            return self.power(message.name, args[0], args[1:])
        if message.name == of.destructor:
            return self.destroy(of, args[0])
        maker = next((c for c in of.constructors if c.message.name == message.name), None)
        if maker is None:
            raise Refusal("NOT_IMPLEMENTED", message.full_name)
        self.check_maker(of)
        return self.make(of, {name: value for name, value in zip(maker.fields, args, strict=True) if name})

    def check_maker(self, of: ApiClass) -> None:
        if "no_hardware" in self.tastes and of.name in HARDWARE:
            raise Refusal("OPERATION_NOT_ALLOWED", f"this server has no {of.name} of its own")

    # -------------------------------------------------------------------------------------------------------- reading

    def get(self, of: ApiClass, obj: dict[str, Any], ref: str, field: Field) -> Any:
        relation = self.derived.get((of.name, field.name))
        if relation is not None:
            rows = self.objects[relation.owner_cls].items()
            found = [
                a for a, row in rows if ref == row[relation.owner_field] or ref in as_list(row[relation.owner_field])
            ]
            return found if isinstance(field.type, t.SetOf) else next(iter(found), NULL)
        if "volatile" in self.tastes and self.moves(of, field):
            obj[field.name] = self.moved(field, obj[field.name])
        value = obj[field.name]
        if isinstance(value, list | dict) and "shuffled" in self.tastes:
            items = list(value.items() if isinstance(value, dict) else value)
            self.random.shuffle(items)
            return dict(items) if isinstance(value, dict) else items
        return value

    def moves(self, of: ApiClass, field: Field) -> bool:
        """Whether a field changes by itself: no client has a say in it, by constructor or setter, nor has a task."""
        given = any(field.name in maker.fields for maker in of.constructors)
        written = any(m.field == field.name and m.verb not in {"", "get"} for m in of.messages.values())
        return field.qualifier is Qualifier.RUNTIME and not given and not written and of.name != "task"

    def moved(self, field: Field, value: Any) -> Any:
        match field.type:
            case t.Int() | t.Float():
                return value + 1
            case t.DateTime():
                return datetime.fromtimestamp(value.timestamp() + 1, UTC)
            case t.MapOf(t.Str(), t.Str()):
                return {f"key {next(self.numbers)}": "moved"}
            case t.SetOf(t.Str()):
                return [f"member {next(self.numbers)}"]
            case t.Enum(_, values):
                return self.random.choice(values or (value,))
            case t.Str() if field.name not in {"uuid", "name_label"}:
                return f"moved {next(self.numbers)}"
            case _:
                return value

    def get_record(self, of: ApiClass, ref: str) -> dict[str, Any]:
        obj = self.object(of, ref)
        return {name: self.get(of, obj, ref, field) for name, field in of.fields.items()}

    def get_all(self, of: ApiClass) -> list[str]:
        refs = list(self.objects[of.name])
        if "shuffled" in self.tastes:
            self.random.shuffle(refs)
        return refs

    def get_all_records(self, of: ApiClass) -> dict[str, Any]:
        return {ref: self.get_record(of, ref) for ref in self.get_all(of)}

    def where(self, of: ApiClass, query: str) -> dict[str, Any]:
        found = self.get_all_records(of)
        if query == "true":
            return found
        asked = re.fullmatch(r'field "(\w+)" = "(.*)"', query, re.DOTALL)
        if asked is None:
            raise Refusal("INVALID_VALUE", "query", query)
        return {ref: row for ref, row in found.items() if str(row.get(asked[1])) == asked[2]}

    def by_uuid(self, of: ApiClass, text: str) -> str:
        for ref, obj in self.objects[of.name].items():
            if obj.get("uuid") == text:
                return ref
        if "other_params" in self.tastes:
            raise Refusal("UUID_INVALID", "there is no such thing here")
        raise Refusal("UUID_INVALID", of.name, text)

    def by_label(self, of: ApiClass, label: str) -> list[str]:
        return [ref for ref, obj in self.objects[of.name].items() if obj["name_label"] == label]

    # ------------------------------------------------------------------------------------------- making and removing

    def create(self, of: ApiClass, raw: dict[str, Any]) -> str:
        self.check_maker(of)
        takes = {n: f for n, f in of.fields.items() if f.qualifier is not Qualifier.RUNTIME}
        if "refuse_ro" in self.tastes and (extra := raw.keys() - takes.keys()):
            raise Refusal("INTERNAL_ERROR", f"no such members: {sorted(extra)}")
        given = {}
        for name, field in takes.items():
            if name in raw:
                given[name] = self.read(field.type, raw[name])
            elif not field.has_default and field.lifecycle.state is not State.REMOVED:
                raise Refusal("INTERNAL_ERROR", f"the record lacks {name}")
        return self.make(of, given)

    def destroy(self, of: ApiClass, ref: str) -> None:
        self.object(of, ref)
        if "kept" in self.tastes and of.name in KEPT:
            raise Refusal("OPERATION_NOT_ALLOWED", f"a {of.name} stays")
        for user in self.users_of(of, ref):
            raise Refusal("OBJECT_IN_USE", user)
        del self.objects[of.name][ref]

    def users_of(self, of: ApiClass, ref: str) -> list[str]:
        found = []
        for cls in self.api.classes.values():
            for field in cls.fields.values():
                if of.name not in t.refs_in(field.type) or (cls.name, field.name) in self.derived:
                    continue
                rows = self.objects[cls.name].items()
                found += [a for a, row in rows if a != ref and (row[field.name] == ref or holds(row[field.name], ref))]
        return found


def holds(value: Any, ref: str) -> bool:
    if isinstance(value, dict):
        return ref in value or ref in value.values()
    return isinstance(value, list) and ref in value


def plain(of: t.Type) -> Any:
    match of:
        case t.Enum(_, values):
            return values[0]
        case t.RefTo(_):
            return NULL
        case t.SetOf(_):
            return []
        case t.MapOf(_, _) | t.RecordOf(_):
            return {}
        case t.DateTime():
            return datetime(2024, 1, 1, tzinfo=UTC)
        case t.Option(_):
            return None
        case _:
            return {t.Str(): "", t.Int(): 0, t.Float(): 0.0, t.Bool(): False}.get(of)
