"""Where a machine's failing examples are kept between runs: tried first the next night, shared by whoever shares it."""

from __future__ import annotations

from pathlib import Path

from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

DEFAULT = Path(".xenconform", "examples")
"""The folder, below the one where the command is run, where nothing else was said."""
NONE = "none"
"""Said for no database at all."""


def open_database(where: str, *, repeats: bool) -> ExampleDatabase | None:
    """Return the database that a user named, None for none.

    Args:
        where: a folder, `redis://HOST[:PORT][/NUMBER]`, `none`, or "" for the default folder.
        repeats: whether the run repeats another by its seed: then what others found is not tried unless asked for.

    Raises:
        ValueError: the database cannot be used; the text says what to do.
    """
    if where == NONE or (not where and repeats):
        return None
    if where.startswith(("redis://", "rediss://", "unix://")):
        return _redis(where)
    folder = Path(where) if where else DEFAULT
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        if where:
            raise ValueError(f"--database {where}: {why.strerror}; give a folder that can be written") from why
        return None
    return DirectoryBasedExampleDatabase(folder)


def _redis(url: str) -> ExampleDatabase:
    try:
        from hypothesis.extra.redis import RedisExampleDatabase  # noqa: PLC0415 - an extra that few need
        from redis import Redis  # noqa: PLC0415 - the same
    except ImportError:
        raise ValueError(f"--database {url}: needs the extra: pip install 'xenconform[redis]'") from None
    try:
        return RedisExampleDatabase(Redis.from_url(url))
    except ValueError as why:
        raise ValueError(f"--database {url}: {why}") from why
