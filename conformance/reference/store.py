"""The state file: a World in SQLite.

Laws: what `keep` returned from is on the disk, whatever happens to the process; a world that is read back equals the
one that was kept, value for value, floats to the bit. Sessions are not kept.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from xenconform.conformance.reference.changes import SILENT
from xenconform.models.api import Api
from xenconform.models.plain import from_plain, to_plain
from xenconform.models.values import Handle, default_of
from xenconform.models.world import World

FORM = "1"
"""The form of the file; another one is refused."""

_SCHEMA = """
create table if not exists meta (name text primary key, value text not null) without rowid;
create table if not exists object (n integer primary key, class text not null, record text not null);
"""


class Store:
    """A state file that is open. One process at a time may have it."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            ValueError: it cannot be opened, is in use, or is no state file; the message says which.
        """
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self._db.execute("pragma locking_mode = exclusive")
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.executescript(_SCHEMA)
            self._db.execute("begin exclusive")
            self._db.execute("commit")
            form = self._meta("form")
        except sqlite3.Error as why:
            raise ValueError(f"{path}: {why}; give a state file that no other server has open") from why
        if form not in (None, FORM):
            raise ValueError(f"{path}: a state file of form {form}, this version reads {FORM}")

    def load(self, api: Api) -> World | None:
        """Return the world that was kept last, None where the file is new."""
        salt, last = self._meta("salt"), self._meta("last")
        if salt is None or last is None:
            return None
        objects: dict[str, dict[int, dict[str, object]]] = {}
        for n, cls, text in self._db.execute("select n, class, record from object order by n"):
            if cls in api.classes:
                stored = from_plain(json.loads(text))
                objects.setdefault(cls, {})[n] = {
                    f.name: stored[f.name] if f.name in stored else f.default if f.has_default else default_of(f.type)
                    for f in api.classes[cls].fields.values()
                }
        return World(api, objects, int(last), salt)

    def keep(self, world: World, touched: Iterable[Handle]) -> None:
        """Write what became of these objects, in one transaction, to the disk."""
        db = self._db
        db.execute("begin immediate")
        try:
            for handle in touched:
                self._write(world, handle)
            rows = {"form": FORM, "salt": world.salt, "last": str(world.last)}
            db.executemany("insert or replace into meta values (?, ?)", rows.items())
            db.execute("commit")
        except BaseException:
            db.execute("rollback")
            raise

    def keep_all(self, world: World) -> None:
        """Write a whole world: a new file's first."""
        self.keep(world, [h for cls in world.objects if cls not in SILENT for h in world.handles(cls)])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _write(self, world: World, handle: Handle) -> None:
        record = world.record(handle)
        if record is None:
            self._db.execute("delete from object where n = ?", (handle.n,))
            return
        text = json.dumps(to_plain(dict(record)), separators=(",", ":"))
        self._db.execute("insert or replace into object values (?, ?, ?)", (handle.n, handle.cls, text))

    def _meta(self, name: str) -> str | None:
        row = self._db.execute("select value from meta where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])
