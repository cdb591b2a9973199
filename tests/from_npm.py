"""Scripts of node that tests run, with the packages from npm that they need installed beside them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

INSTALL_SECONDS = 240


def install(source: Path, script: str, folder: Path) -> Path:
    """Copy a script, with those beside it, to a folder of its own, install what it needs, and return its path there.

    What it needs is what its lock file says.
    """
    npm = shutil.which("npm")
    assert npm is not None
    for path in (source / "package.json", source / "package-lock.json", *source.glob("*.mjs")):
        shutil.copy(path, folder)
    run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], INSTALL_SECONDS, folder)
    return folder / script


def told_by(script: Path, *args: str, seconds: float) -> Any:
    """Run a script and return what it prints, which is JSON."""
    return json.loads(run(["node", str(script), *args], seconds))


def packages_of(source: Path) -> dict[str, dict[str, Any]]:
    """Return the packages of a lock file by their paths, the folder's own left out."""
    lock = json.loads((source / "package-lock.json").read_text("utf-8"))
    return {path: package for path, package in lock["packages"].items() if path}


def run(command: list[str], seconds: float, folder: Path | None = None) -> str:
    """Run a command, and return what it printed once it ended with status 0."""
    ran = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return ran.stdout
