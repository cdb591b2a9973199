"""What failed is kept: by machine, in any database that Hypothesis has, and tried before anything else next time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis
from hypothesis.database import ExampleDatabase, InMemoryExampleDatabase
from strangers.defects import DEFECTS
from strangers.sequences import How, hunt_for

from xenconform.conformance.machine.memory import Part
from xenconform.conformance.suite.examples import open_database


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a redis in this process in the place of one that is reached by URL; return the URLs that were asked for."""
    server = fakeredis.FakeServer()
    asked: list[str] = []

    def from_url(url: str, **_: Any) -> fakeredis.FakeRedis:
        asked.append(url)
        return fakeredis.FakeRedis(server=server)

    monkeypatch.setattr(redis.Redis, "from_url", from_url)
    return asked


def databases(fake: list[str], folder: Path) -> dict[str, ExampleDatabase]:
    shared = open_database("redis://nowhere", repeats=True)
    kept = open_database(str(folder), repeats=True)
    assert shared is not None
    assert kept is not None
    assert fake == ["redis://nowhere"]
    return {"memory": InMemoryExampleDatabase(), "redis": shared, "folder": kept}


@pytest.mark.parametrize("kind", ["memory", "redis", "folder"])
def test_a_part_is_its_machines_own(kind: str, fake: list[str], tmp_path: Path) -> None:
    """What is saved under a machine's name is fetched and forgotten under it, and no other machine sees it."""
    whole = databases(fake, tmp_path)[kind]
    network, vm = Part(whole, "network"), Part(whole, "VM")
    network.save(b"key", b"one")
    network.save(b"key", b"two")
    vm.save(b"key", b"three")
    assert set(network.fetch(b"key")) == {b"one", b"two"}
    assert set(vm.fetch(b"key")) == {b"three"}
    assert set(whole.fetch(b"key")) == set()
    network.delete(b"key", b"one")
    assert set(Part(whole, "network").fetch(b"key")) == {b"two"}


def test_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is opened where none is wanted: said so, or a run repeats another by its seed and names none."""
    monkeypatch.chdir(tmp_path)
    assert open_database("none", repeats=False) is None
    assert open_database("", repeats=True) is None
    assert open_database("", repeats=False) is not None
    assert (tmp_path / ".xenconform" / "examples").is_dir()


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_what_failed_is_tried_first(kind: str, fake: list[str], tmp_path: Path) -> None:
    """What took a run many calls to find, the next run with another seed finds with its first sequence."""
    whole = databases(fake, tmp_path)[kind]
    defect = DEFECTS["record_kept_from_a_listing"]
    first = hunt_for(defect, How(2, database=whole))
    again = hunt_for(defect, How(5, database=whole))
    alone = hunt_for(defect, How(5))
    assert first.cases
    assert again.cases
    assert again.found < min(first.found, alone.found or alone.calls)
    assert again.found < 250
