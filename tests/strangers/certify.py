"""Run `xenconform certify` on a stranger, as a user does, and read what it said."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from strangers.plain_server import Plain
from strangers.values import PASSWORD


def certify(server: Plain, *options: str, seconds: float = 900) -> tuple[int, dict[str, Any]]:
    """Return the exit code and what results.json holds, {} where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        secret, out = Path(folder, "password"), Path(folder, "out")
        secret.write_text(PASSWORD)
        command = [sys.executable, "-m", "xenconform", "certify", server.url, "--password-file", str(secret)]
        command += ["--restart-command", server.restart_command]
        run = subprocess.run(
            [*command, "--out", str(out), "--seed", "7", *options],
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        told = out / "results.json"
        if not told.exists():
            return run.returncode, {"said": run.stdout + run.stderr}
        return run.returncode, json.loads(told.read_text())


def failures(results: dict[str, Any]) -> Counter[tuple[str, str]]:
    """Return how often each clause failed, with its level."""
    return Counter((each["clause"], each.get("level", "")) for each in results.get("findings", ()))
