"""`xenconform fuzz` over TLS and over unix sockets: sound servers are sound there, and faults are found there too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from fronts import Front, context_for, front
from sampling import LONG
from strangers.defects import DEFECTS
from strangers.plain_server import Plain
from strangers.values import PASSWORD

from xenconform.conformance.reference.embedded import Embedded, start

WAYS = ("CA file", "insecure", "unix")
"""How a server is reached; all but the check of its certificate is the same in the first two."""
SOUND = ("--layer", "json", "--layer", "call", "--layer", "session")
"""The layers that the stranger is sound in."""
FAULTS = (
    ("error_pages_show_the_stack", "ROBUST-NO-LEAK", "json"),
    ("sign_of_a_length_is_overlooked", "ROBUST-HTTP", "http"),
)
"""Faults of the reference server, one of a body that was posted, one of the bytes of HTTP: the clause and the layer."""

DEFECT = "broken_bytes_dropped"
"""A defect of the stranger."""


@dataclass(frozen=True)
class Place:
    """Where servers of a test are reached: over TLS or at a path, with a certificate that one CA file vouches for."""

    way: str
    folder: Path
    authority: trustme.CA

    @property
    def reach(self) -> tuple[str, ...]:
        """The options of a command that reaches them."""
        return {"CA file": ("--ca-file", str(self.folder / "ca.pem")), "insecure": ("--insecure",)}.get(self.way, ())

    @property
    def socket(self) -> str:
        return str(self.folder / "api.sock")

    def serve(self, *options: str) -> Embedded:
        """Run the reference server there."""
        if self.way == "unix":
            return start(["--unix", self.socket, *options])
        cert, key = self.folder / "cert.pem", self.folder / "key.pem"
        issued = self.authority.issue_cert("127.0.0.1")
        cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return start(["--tls", str(cert), str(key), *options])

    @contextmanager
    def door(self, port: int) -> Iterator[Front]:
        """Run a door there to a server's port."""
        context = None if self.way == "unix" else context_for("127.0.0.1", self.authority)
        with front(port, context, self.socket if self.way == "unix" else "") as door:
            yield door


@pytest.fixture(params=[pytest.param(way, marks=[LONG] if way == "insecure" else []) for way in WAYS])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return Place(request.param, tmp_path, authority)


def run(command: str, *said: str, password: str = "password") -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "xenconform", command, *said],
        env={**os.environ, "XENCONFORM_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def fuzz(place: Place, url: str, *options: str, password: str = "password") -> tuple[int, dict[str, Any], str]:
    """Fuzz a server; return the exit code, the results and what was said."""
    out = place.folder / "out"
    freely = ("--profile", "reference", "--scope", "all", "--seed", "4", "--out", str(out))
    done = run("fuzz", url, *place.reach, *freely, *options, password=password)
    told = out / "results.json"
    return done.returncode, json.loads(told.read_text()) if told.exists() else {}, done.stdout + done.stderr


def seen(results: dict[str, Any]) -> list[list[str]]:
    """What of the findings says what is wrong."""
    return [[each[name] for name in ("clause", "element", "expected", "actual")] for each in results["findings"]]


@pytest.mark.parametrize("layers", [("http",), ("xml", "json", "envelope", "call", "session")], ids=["http", "others"])
def test_the_reference_server_is_sound_over_any_transport(layers: tuple[str, ...], place: Place) -> None:
    """The reference server bears every layer over TLS and at a path: the same that it bears over plain TCP."""
    chosen = [option for layer in layers for option in ("--layer", layer)]
    with place.serve() as server:
        code, results, said = fuzz(place, server.url, "--time", "6s", *chosen)
        assert results["target"] == server.url
    assert seen(results) == []
    assert code in {0, 4}, said
    judged = {each["id"]: each["verdict"] for each in results["clauses"]}
    assert judged["ROBUST-ALIVE"] == "PASS"
    assert ("http" in layers) <= (judged.get("ROBUST-HTTP") == "PASS")


def test_a_stranger_is_sound_over_any_transport(place: Place) -> None:
    """Another design of server is sound behind TLS and at a path, and all that was sent came that way."""
    with Plain() as server, place.door(server.port) as door:
        code, results, said = fuzz(place, door.url, "--time", "5s", *SOUND, password=PASSWORD)
        assert results["target"] == door.url
    assert seen(results) == []
    assert code in {0, 4}, said
    assert door.seen.count(b"POST /") > 100
    assert b"Host: " + (b"localhost" if place.way == "unix" else b"127.0.0.1") in door.seen


def test_the_bytes_of_http_travel_there(place: Place) -> None:
    """The requests of the HTTP layer, each over a connection of its own, reach the server over the same transport."""
    with start() as server, place.door(int(server.url.rpartition(":")[2])) as door:
        code, results, said = fuzz(place, door.url, "--time", "6s", "--layer", "http")
    assert seen(results) == []
    assert code in {0, 4}, said
    assert door.connections > 20
    assert door.seen.count(b"HTTP/1.1\r\nHost") > 20


@pytest.mark.parametrize(("fault", "clause", "layer"), FAULTS)
def test_a_fault_is_found_and_found_again_there(fault: str, clause: str, layer: str, place: Place) -> None:
    """A fault is found over the transport; its case shows it over the same one, and nothing on a sound server there."""
    with place.serve("--fault", fault) as server:
        code, results, said = fuzz(place, server.url, "--time", "40s", "-x", "--layer", layer)
        assert code == 1, said
        case = next(each["case"] for each in results["findings"] if each["clause"] == clause)
        path = str(place.folder / "out" / "cases" / f"{case}.json")
        again = run("replay", path, server.url, *place.reach)
    assert again.returncode == 1, again.stdout + again.stderr
    with place.serve() as server:
        sound = run("replay", path, server.url, *place.reach)
    assert sound.returncode == 0, sound.stdout + sound.stderr


def test_a_strangers_defect_is_found_there(place: Place) -> None:
    """A defect of another design of server is found through the door, and its case shows it there."""
    with Plain() as server, place.door(server.port) as door:
        DEFECTS[DEFECT].install(server)
        code, results, said = fuzz(place, door.url, "--time", "40s", "-x", "--layer", "json", password=PASSWORD)
        assert code == 1, said
        path = str(place.folder / "out" / "cases" / f"{results['findings'][0]['case']}.json")
        before = door.connections
        again = run("replay", path, door.url, *place.reach, password=PASSWORD)
        assert door.connections > before
    assert again.returncode == 1, again.stdout + again.stderr
