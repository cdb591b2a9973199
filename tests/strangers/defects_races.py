"""Defects of what happens at the same time: the lock is let go between reading and writing."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Plain
from strangers.values import Refusal
from xenconform.models import types as t
from xenconform.models.api import ApiClass, Field

PAUSE = 0.005
"""Seconds for which the lock is let go."""


@contextmanager
def unlocked(server: Plain, seconds: float = PAUSE) -> Iterator[None]:
    """Let other calls in."""
    server.lock.release()
    try:
        time.sleep(seconds)
        yield
    finally:
        server.lock.acquire()


def pause(server: Plain, seconds: float = PAUSE) -> None:
    """Let other calls in, and go on."""
    with unlocked(server, seconds):
        pass


@defect("CONC-LINEARIZABLE")
def lost_set_addition(server: Plain) -> None:
    """An addition to a set writes back the set as it was when the call began."""

    def add(_old: Any, _of: ApiClass, _ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        before = obj[field.name]
        if value not in before:
            pause(server)
            obj[field.name] = [*before, value]

    around(server, "do_add", add)


@defect("CONC-LINEARIZABLE")
def lost_map_addition(server: Plain) -> None:
    """An addition to a map writes back the map as it was when the call began; a key twice is still refused."""

    def add_to(old: Any, *args: Any) -> None:
        _, _, obj, field, key, value = args
        before = obj[field.name]
        pause(server)
        old(*args)
        obj[field.name] = {**before, key: value}

    around(server, "do_add_to", add_to)


@defect("CONC-LINEARIZABLE")
def one_key_added_twice(server: Plain) -> None:
    """Whether a key is there is looked up before the lock is taken; nothing else is lost."""

    def add_to(_old: Any, *args: Any) -> None:
        of, ref, obj, field, key, value = args
        if key in obj[field.name]:
            raise Refusal("MAP_DUPLICATE_KEY", of.name, field.name, ref, str(key))
        pause(server)
        obj[field.name] = {**obj[field.name], key: value}

    around(server, "do_add_to", add_to)


@defect("CONC-LINEARIZABLE")
def stale_record_saved(server: Plain) -> None:
    """A setter saves the whole record as it was read when the call began."""

    def set_(_old: Any, _of: ApiClass, _ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        before = dict(obj)
        pause(server)
        obj.update(before | {field.name: value})

    around(server, "do_set", set_)


@defect("CONC-LINEARIZABLE")
def uuids_from_a_racing_counter(server: Plain) -> None:
    """Uuids come from a counter that two creations may read before either writes it."""
    last = 0

    def new_uuid(_old: Any) -> str:
        nonlocal last
        mine = last + 1
        pause(server)
        last = mine
        return str(uuid.uuid5(uuid.NAMESPACE_OID, str(mine)))

    around(server, "new_uuid", new_uuid)


@defect("CONC-LINEARIZABLE", also="SESSION-LOGOUT SESSION-LOGIN")
def refs_from_a_racing_counter(server: Plain) -> None:
    """Refs come from a counter that two creations may read before either writes it: the second takes the first's."""
    last = 0

    def new_ref(_old: Any, cls: str) -> str:
        nonlocal last
        mine = last + 1
        if cls != "session":
            pause(server)
        last = max(last, mine) if cls == "session" else mine
        return f"OpaqueRef:{uuid.uuid5(uuid.NAMESPACE_OID, f'{cls}/{mine}')}"

    around(server, "new_ref", new_ref)


@defect("CONC-LINEARIZABLE", cls="VIF")
def far_end_lost(server: Plain) -> None:
    """network.VIFs is a list of its own, to which two creations may add at once."""
    kept: dict[str, list[str]] = {}

    def make(old: Callable[..., str], of: ApiClass, given: dict[str, Any]) -> str:
        ref = old(of, given)
        if of.name == "VIF":
            before = kept.get(given["network"], [])
            pause(server)
            kept[given["network"]] = [*before, ref]
        return ref

    def get(old: Any, of: ApiClass, obj: dict[str, Any], ref: str, field: Field) -> Any:
        found = old(of, obj, ref, field)
        if (of.name, field.name) == ("network", "VIFs"):
            return [each for each in found if each in kept.get(ref, [])]
        return found

    around(server, "make", make)
    around(server, "get", get)


@defect("CONC-LINEARIZABLE")
def removal_undone(server: Plain) -> None:
    """A removal from a set or map writes back what the others had not yet removed."""

    def remove(_old: Any, _of: ApiClass, _ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        kept = [each for each in obj[field.name] if each != value]
        pause(server)
        obj[field.name] = kept

    def remove_from(_old: Any, _of: ApiClass, _ref: str, obj: dict[str, Any], field: Field, key: Any) -> None:
        kept = {k: v for k, v in obj[field.name].items() if k != key}
        pause(server)
        obj[field.name] = kept

    around(server, "do_remove", remove)
    around(server, "do_remove_from", remove_from)


@defect("CONC-LINEARIZABLE")
def lost_over_one_format(server: Plain) -> None:
    """Additions over JSON-RPC 2.0 lose what was added meanwhile."""

    def add(old: Any, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        if server.fmt != "json2":
            old(of, ref, obj, field, value)
            return
        before = obj[field.name]
        pause(server)
        obj[field.name] = [*(each for each in before if each != value), value]

    around(server, "do_add", add)


@defect("CONC-LINEARIZABLE", cls="VM")
def lost_in_one_field(server: Plain) -> None:
    """One map of many, xenstore_data, is read and written without the lock."""

    def add_to(old: Any, *args: Any) -> None:
        _, _, obj, field, key, value = args
        before = obj[field.name]
        if field.name == "xenstore_data":
            pause(server)
        old(*args)
        if field.name == "xenstore_data":
            obj[field.name] = {**before, key: value}

    around(server, "do_add_to", add_to)


@defect("CONC-LINEARIZABLE")
def lost_between_sessions(server: Plain) -> None:
    """What another session added meanwhile is lost; what the same session added is not."""
    now: list[str] = [""]
    writers: dict[str, str] = {}

    def add(old: Any, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        mine, before = now[0], obj[field.name]
        pause(server)
        if writers.get(ref, mine) != mine and obj[field.name] != before:
            obj[field.name] = before
        old(of, ref, obj, field, value)
        writers[ref] = mine

    def check_session(old: Any, session: Any) -> None:
        old(session)
        now[0] = session

    around(server, "do_add", add)
    around(server, "check_session", check_session)


@defect("CONC-LINEARIZABLE")
def torn_record(server: Plain) -> None:
    """get_record reads sets and maps from a table of their own, a little later than the rest."""

    def get_record(_old: Any, of: ApiClass, ref: str) -> dict[str, Any]:
        obj = server.object(of, ref)
        later = {n for n, f in of.fields.items() if isinstance(f.type, t.SetOf | t.MapOf)}
        first = {n: server.get(of, obj, ref, f) for n, f in of.fields.items() if n not in later}
        pause(server, 4 * PAUSE)  # both of another client's writes are to fall into it
        rest = {n: server.get(of, obj, ref, of.fields[n]) for n in later}
        return {n: (first | rest)[n] for n in of.fields}

    around(server, "get_record", get_record)


@defect("CONC-LINEARIZABLE")
def labels_looked_up_in_a_stale_index(server: Plain) -> None:
    """The index of names is written after the record, and two renames may come in another order there."""
    index: dict[str, str] = {}

    def set_(old: Any, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        old(of, ref, obj, field, value)
        if field.name == "name_label":
            mine = next(turns)
            with unlocked(server):
                time.sleep(PAUSE if mine % 2 else 0)
            index[ref] = value

    def by_label(_old: Any, of: ApiClass, label: str) -> list[str]:
        rows = server.objects[of.name].items()
        return [ref for ref, row in rows if index.get(ref, row["name_label"]) == label]

    turns = itertools.count(1)
    around(server, "do_set", set_)
    around(server, "by_label", by_label)


@defect("CONC-LINEARIZABLE")
def ended_object_comes_back(server: Plain) -> None:
    """A setter puts the record back that it began with, though the object was destroyed meanwhile."""

    def set_(old: Any, of: ApiClass, ref: str, obj: dict[str, Any], field: Field, value: Any) -> None:
        pause(server)
        old(of, ref, obj, field, value)
        server.objects[of.name][ref] = obj

    around(server, "do_set", set_)


@defect("CONC-LINEARIZABLE", cls="VIF")
def ended_while_it_is_referred_to(server: Plain) -> None:
    """Whether anything refers to an object is looked up a little before it ends."""

    def users_of(old: Any, of: ApiClass, ref: str) -> list[str]:
        found: list[str] = old(of, ref)
        pause(server, 12 * PAUSE)  # another client's creation is to begin after the look and end before the end
        server.object(of, ref)
        return found

    around(server, "users_of", users_of)
