"""The npm client `xen-api`, which Xen Orchestra uses, works with the reference server unchanged.

Runs in a tox environment of its own, `tox -e npm`, because it installs packages from npm.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from from_npm import install, packages_of, told_by

HERE = Path(__file__).parent
RUN_SECONDS = 90


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's script, in a folder of its own with what it needs installed beside it."""
    return install(HERE, "client.mjs", tmp_path_factory.mktemp("npm"))


@pytest.mark.skipif(not os.environ.get("XENCONFORM_NPM"), reason="installs packages from npm: run it with `tox -e npm`")
@pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None,
    reason="node or npm is not installed: the npm client xen-api was not tried",
)
@pytest.mark.parametrize("transport", ["auto", "json-rpc", "xml-rpc"])
def test_xen_api(client: Path, served_url: str, transport: str) -> None:
    """The client connects, caches every object, follows changes by events, reads errors and disconnects."""
    saw = told_by(client, served_url, "root", "password", transport, seconds=RUN_SECONDS)
    assert saw["warnings"] == []
    assert saw["status"] == "disconnected"
    assert saw["name"] == "rénamed ☃ 🦊"
    assert saw["vms"] > 0
    assert {"VM", "VIF", "VDI", "VBD", "SR", "PIF", "host", "network", "pool"} <= set(saw["types"])
    assert saw["objects"] >= len(saw["types"])
    assert saw["failure"]["code"] == "HANDLE_INVALID"


def test_lock_file_names_no_host() -> None:
    """The lock file pins every package by its hash and names no registry."""
    packages = packages_of(HERE)
    assert packages
    assert not [path for path, package in packages.items() if "resolved" in package]
    assert not [path for path, package in packages.items() if not package.get("integrity")]
