"""Which clause catches each defect: `PYTHONPATH=tests python -m strangers.matrix [NAME ...]` runs the suite on each."""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from strangers.certify import certify
from strangers.defects import DEFECTS, Defect
from strangers.plain_server import Plain
from strangers.roles import write_roles


def run(defect: Defect, *options: str, with_roles: bool = False) -> tuple[set[str], dict[str, Any]]:
    """Return the clauses that failed on a stranger with a defect, and the results."""
    server = Plain()
    defect.install(server)
    with server, tempfile.TemporaryDirectory() as folder:
        roles = ("--roles", str(write_roles(Path(folder)))) if with_roles else ()
        _, results = certify(server, "--profile", "simulator", "--class", defect.cls, *roles, *options)
    return {each["clause"] for each in results.get("findings", ())}, results


def line(defect: Defect, budget: str = "quick") -> str:
    """Return a defect's row of the table."""
    start = time.monotonic()
    failed, results = run(defect, "--budget", budget, with_roles="RBAC" in defect.clauses)
    caught = [clause for clause in defect.clauses if clause in failed]
    must = {each["id"] for each in results.get("clauses", ()) if each["severity"] != "SHOULD"}
    other = sorted((failed & must) - set(defect.clauses) - set(defect.also))
    said = f"{results.get('problem', '')} {results.get('errors', '') or ''} {results.get('said', '')[-300:]}".strip()
    verdict = "caught" if caught else "MISSED"
    return (
        f"{verdict:6} {defect.name:42} {budget:8} {time.monotonic() - start:5.1f} s  by {', '.join(caught) or '-'}"
        f"{'  besides: ' + ', '.join(other) if other else ''}{'  ' + said[:300] if said else ''}"
    )


def main(names: list[str]) -> int:
    """Run the named defects, or all; print a row each; return how many were missed."""
    chosen = [DEFECTS[name] for name in names] or list(DEFECTS.values())
    missed = 0
    with ThreadPoolExecutor(2) as pool:
        for defect, row in zip(chosen, pool.map(line, chosen), strict=True):
            again = row
            if row.startswith("MISSED"):
                again = line(defect, "standard")
                missed += again.startswith("MISSED")
            sys.stdout.write(f"{row}\n" if again is row else f"{row}\n  then {again}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} defects, {missed} missed\n")
    return missed


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
