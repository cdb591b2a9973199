"""A stranger's object store: what each message does, on plain dicts, driven by the product's model data alone.

Values here are Python's own: str, int, float, bool, datetime, list for sets, dict for maps and records. Bound fields are
not stored at their derived end but worked out at each read, which is another design than the reference server's.
"""

from __future__ import annotations

import itertools
import math
import random
import threading
import uuid
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Field, Message, Qualifier, State

NULL = "OpaqueRef:NULL"
USER, PASSWORD = "root", "stranger"
TASTES = {
    "bare_refs": "refs are a class and a number, not OpaqueRef:uuid",
    "int_text": "JSON ints leave as decimal strings",
    "codes": "JSON-RPC 2.0 error codes are -32000",
    "internal_errors": "wrong types fail with INTERNAL_ERROR and a text",
    "session_first": "the session is checked before the method and the parameters",
    "shuffled": "sets and maps come in another order at each read",
    "string_tags": "XML texts stand in <string> tags",
    "spaced": "white space stands between the elements of XML and JSON",
    "http400": "malformed requests get HTTP 400",
    "closing": "each reply closes the connection",
    "dashed": "datetimes are written 2024-01-01T12:00:00Z",
    "no_zone": "datetimes are written without Z",
    "upper_uuids": "uuids are in upper case",
    "refuse_ro": "RO/runtime and unknown members of a record are refused",
    "refuse_doubles": "a set with a value twice is refused",
    "chunked": "replies are chunked",
    "other_params": "errors have other parameters than the error list says",
    "no_where": "get_all_records_where does not exist",
    "volatile": "RO/runtime values change at each read",
    "kept": "the domain refuses to destroy some objects",
    "bare": "explicit messages are not implemented",
    "no_hardware": "constructors of hardware refuse",
    "churn": "other clients make and remove objects all the while",
    "polite": "malformed JSON gets a JSON-RPC error, malformed XML a Failure",
}
KEPT = frozenset({"secret", "VDI", "VMSS"})
HARDWARE = frozenset({"VIF", "VBD", "PBD", "PIF", "VUSB", "VGPU", "console", "Bond", "VLAN", "tunnel", "SR"})
SEEDED = ("host", "network", "network", "SR", "VM", "VDI", "host_cpu", "PIF", "host_metrics", "VM_metrics", "role")


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault
    """The server's refusal: an error code and its parameters."""


class Malformed(Exception):  # noqa: N818 - it is an answer, not a fault
    """The request is no document of its format."""


class Store:
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
        self.fmt = ""
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
                raw = raw[1:]
            if message.full_name == "session.login_with_password":
                return t.RefTo("session"), self.login(raw)
            if message.full_name == "session.logout":
                raise Refusal("INTERNAL_ERROR", "unreachable")
            return message.result, self.run(message, [self.read(p.type, r) for p, r in zip(message.params, raw)])

    def find(self, method: str) -> Message | None:
        if method.endswith("get_all_records_where") and "no_where" in self.tastes:
            return None
        return self.api.message(method)

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
        if raw[:2] != [USER, PASSWORD]:
            raise Refusal("SESSION_AUTHENTICATION_FAILED", str(raw[0]))
        return self.make(self.api.classes["session"], {})

    def logout(self, session: str) -> None:
        self.check_session(session)
        del self.objects["session"][session]

    def run(self, message: Message, args: list[Any]) -> Any:
        of = self.api.classes[message.cls]
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

    def object(self, of: ApiClass, ref: str) -> dict[str, Any]:
        if ref not in self.objects[of.name]:
            raise Refusal("HANDLE_INVALID", of.name, ref)
        return self.objects[of.name][ref]

    # -------------------------------------------------------------------------------------------------------- reading

    def get(self, of: ApiClass, obj: dict[str, Any], ref: str, field: Field) -> Any:
        relation = self.derived.get((of.name, field.name))
        if relation is not None:
            rows = self.objects[relation.owner_cls].items()
            found = [a for a, row in rows if ref == row[relation.owner_field] or ref in as_list(row[relation.owner_field])]
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
        """Whether a field changes by itself: no client has a say in it, by a constructor or a setter."""
        given = any(field.name in maker.fields for maker in of.constructors)
        written = any(m.field == field.name and m.verb not in {"", "get"} for m in of.messages.values())
        return field.qualifier is Qualifier.RUNTIME and not given and not written

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
        field, _, value = query.removeprefix('field "').partition('" = "')
        found = self.get_all_records(of)
        if query == "true":
            return found
        return {ref: row for ref, row in found.items() if str(row.get(field)) == value.removesuffix('"')}

    def by_uuid(self, of: ApiClass, text: str) -> str:
        for ref, obj in self.objects[of.name].items():
            if obj.get("uuid") == text:
                return ref
        if "other_params" in self.tastes:
            raise Refusal("UUID_INVALID", "there is no such thing here")
        raise Refusal("UUID_INVALID", of.name, text)

    def by_label(self, of: ApiClass, label: str) -> list[str]:
        return [ref for ref, obj in self.objects[of.name].items() if obj["name_label"] == label]

    # -------------------------------------------------------------------------------------------------------- writing

    def write(self, message: Message, field: Field, args: list[Any]) -> None:
        of = self.api.classes[message.cls]
        ref, rest = args[0], args[1:]
        obj = self.object(of, ref)
        relation = self.derived.get((of.name, field.name))
        if relation is not None:
            self.write_derived(relation.owner_cls, relation.owner_field, ref, message.verb, rest[0])
            return
        getattr(self, f"do_{message.verb}")(of, ref, obj, field, *rest)

    def write_derived(self, cls: str, name: str, ref: str, verb: str, value: Any) -> None:
        for owner, row in self.objects[cls].items():
            named = ref in as_list(row[name]) or ref == row[name]
            wanted = owner in as_list(value) or (verb == "add" and named)
            if verb == "remove":
                wanted = named and owner not in as_list(value)
            if named != wanted:
                many = isinstance(row[name], list)
                kept = [each for each in as_list(row[name]) if each != ref]
                row[name] = ([*kept, ref] if wanted else kept) if many else (ref if wanted else NULL)

    def do_set(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        obj[field.name] = value

    def do_add(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        if value not in obj[field.name]:
            obj[field.name] = [*obj[field.name], value]

    def do_remove(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        obj[field.name] = [each for each in obj[field.name] if each != value]

    def do_add_to(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, key: Any, value: Any) -> None:
        if key in obj[field.name]:
            if "other_params" in self.tastes:
                raise Refusal("MAP_DUPLICATE_KEY", str(key))
            raise Refusal("MAP_DUPLICATE_KEY", of.name, field.name, ref, str(key))
        obj[field.name] = {**obj[field.name], key: value}

    def do_remove_from(self, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, key: Any) -> None:
        obj[field.name] = {k: v for k, v in obj[field.name].items() if k != key}

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

    # --------------------------------------------------------------------------------------------------------- values

    def bad(self, of: t.Type, raw: Any) -> Refusal:
        if "internal_errors" in self.tastes:
            return Refusal("INTERNAL_ERROR", f"{str(raw)[:40]!a} is no {of}")
        return Refusal("FIELD_TYPE_ERROR", str(of))

    def read(self, of: t.Type, raw: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - one case a type
        """Return what a parameter means, once its document is read; `raw` is of Python's plain types."""
        match of:
            case t.Str() if isinstance(raw, str):
                return self.text(raw)
            case t.Enum(_, values) if isinstance(raw, str) and raw in values:
                return raw
            case t.Bool() if isinstance(raw, bool):
                return raw
            case t.Int() if not isinstance(raw, bool):
                return self.int(raw)
            case t.Float() if isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw):
                return float(raw)
            case t.DateTime() if isinstance(raw, str | datetime):
                return self.date(raw)
            case t.RefTo(cls) if isinstance(raw, str):
                if raw not in {"", NULL} and raw not in self.objects[cls]:
                    raise Refusal("HANDLE_INVALID", cls, raw)
                return raw or NULL
            case t.SetOf(item) if isinstance(raw, list):
                return self.set([self.read(item, each) for each in raw])
            case t.MapOf(key, value) if isinstance(raw, dict):
                return {self.read(key, k): self.read(value, v) for k, v in raw.items()}
            case t.RecordOf(_) if isinstance(raw, dict):
                return raw
            case t.Option(item):
                return self.read(item, raw)
            case _:
                raise self.bad(of, raw)

    def text(self, raw: str) -> str:
        if any(c < " " and c not in "\t\r\n" or c in "\ufffe\uffff" or "\ud800" <= c <= "\udfff" for c in raw):
            raise Refusal("INVALID_VALUE", "text", "characters that XML cannot carry")
        return raw

    def int(self, raw: Any) -> int:
        whole = isinstance(raw, int) or (isinstance(raw, str) and raw.isascii() and raw.removeprefix("-").isdigit())
        if not whole or not -(2**63) <= int(raw) < 2**63:
            raise self.bad(t.Int(), raw)
        return int(raw)

    def date(self, raw: str | datetime) -> datetime:
        try:
            seen = raw if isinstance(raw, datetime) else datetime.fromisoformat(raw)
        except ValueError:
            raise self.bad(t.DateTime(), raw) from None
        return seen.replace(tzinfo=UTC) if seen.tzinfo is None else seen.astimezone(UTC)

    def set(self, values: list[Any]) -> list[Any]:
        once = list(dict.fromkeys(values))
        if len(once) < len(values) and "refuse_doubles" in self.tastes:
            raise Refusal("INVALID_VALUE", "set", "a value twice")
        return once


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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
