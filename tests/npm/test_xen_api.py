"""The npm client `xen-api`, which Xen Orchestra uses, works with the reference server unchanged.

Runs in a tox environment of its own, `tox -e npm`, because it installs packages from npm.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALL_SECONDS = 240
RUN_SECONDS = 90


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's script, in a folder of its own with what it needs installed beside it."""
    npm = shutil.which("npm")
    assert npm is not None
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(HERE / name, folder)
    installed = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert installed.returncode == 0, installed.stderr
    return folder / "client.mjs"


@pytest.mark.skipif(not os.environ.get("XENCONFORM_NPM"), reason="installs packages from npm: run it with `tox -e npm`")
@pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None,
    reason="node or npm is not installed: the npm client xen-api was not tried",
)
@pytest.mark.parametrize("transport", ["auto", "json-rpc", "xml-rpc"])
def test_xen_api(client: Path, served_url: str, transport: str) -> None:
    """The client connects, caches every object, follows changes by events, reads errors and disconnects."""
    run = subprocess.run(
        ["node", str(client), served_url, "root", "password", transport],
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert run.returncode == 0, run.stderr + run.stdout
    saw = json.loads(run.stdout)
    assert saw["warnings"] == []
    assert saw["status"] == "disconnected"
    assert saw["name"] == "rénamed ☃ 🦊"
    assert saw["vms"] > 0
    assert {"VM", "VIF", "VDI", "VBD", "SR", "PIF", "host", "network", "pool"} <= set(saw["types"])
    assert saw["objects"] >= len(saw["types"])
    assert saw["failure"]["code"] == "HANDLE_INVALID"


def test_lock_file_names_no_host() -> None:
    """The lock file pins every package by its hash and names no registry."""
    lock = json.loads((HERE / "package-lock.json").read_text("utf-8"))
    packages = {path: package for path, package in lock["packages"].items() if path}
    assert packages
    assert not [path for path, package in packages.items() if "resolved" in package]
    assert not [path for path, package in packages.items() if not package.get("integrity")]
