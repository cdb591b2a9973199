"""Trials: `xenconform certify` in a process of its own, on a server with one fault or with none, and what it said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from xenconform.conformance.reference.faults import Fault
from xenconform.models.cases import Case, from_json, shown
from xenconform.models.kills import Catch, Fate, Row, Subject

SHOWN = 400
"""How many characters of a text are kept in a row."""
OWN_END = {0, 1, 4}
"""Exit codes of a run that came to its own end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How trials are run: see `xenconform faults matrix`.

    `whole` runs all classes; `own` runs the fault's own clause alone, and all only where that does not catch it, as
    some clauses are broken in replies to other clauses' calls; `seconds` is the longest that a trial may take.
    """

    budget: str = "standard"
    seed: int = 1
    whole: bool = False
    own: bool = False
    seconds: float = 1800.0


@cache
def suite_digest() -> str:
    """Return a digest of all code and data that decide what the suite says: everything but the faults."""
    told = sha256()
    for room in ("models", "strategies", "conformance", "reports"):
        root = Path(str(files(f"xenconform.{room}")))
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in {".py", ".toml", ".json"} and not name.startswith(
                ("reference/faults/", "cli/", "matrix/")
            ):
                told.update(f"{room}/{name}\0".encode() + path.read_bytes())
    return told.hexdigest()[:12]


def subject_of(fault: Fault) -> Subject:
    """Return what a row tells of a fault."""
    return Subject(
        fault.name, fault.area, fault.clause, fault.also, fault.cls, str(fault.difficulty), fault.symptom
    )  # fmt: skip


@dataclass(slots=True)
class Trials:
    """Runs trials, from several threads if need be; `stop` ends those that are under way."""

    plan: Plan
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)

    def run(self, subject: Subject, core: int | None = None) -> Row:
        """Run one trial and return its row; `core` is the processor to keep to, where the system can do that."""
        row = self._run(subject, self.plan, core)
        if row.alone and row.fate is not Fate.CAUGHT:
            return self._run(subject, replace(self.plan, own=False), core)
        return row

    def _run(self, subject: Subject, plan: Plan, core: int | None) -> Row:
        classes = () if plan.whole else (subject.cls,)
        with tempfile.TemporaryDirectory(prefix="xenconform-") as folder:
            out = Path(folder)
            problem = self._certify(subject, plan, (out, core))
            results = _results(out)
            catches = _catches(results, out)
        calls, seconds = results.get("calls", 0), results.get("seconds", 0.0)
        problem = problem or str(results.get("problem", ""))
        return Row(subject, plan.budget, plan.seed, classes, suite_digest(), calls, seconds, catches, problem, plan.own)

    def stop(self) -> None:
        """End what is under way."""
        for process in tuple(self._running):
            _end(process)

    def _certify(self, subject: Subject, plan: Plan, where: tuple[Path, int | None]) -> str:
        """Run certify to its end; return what was wrong with that, or ""."""
        out, core = where
        command = [sys.executable, "-m", "xenconform", "certify", "--quiet", "--workers", "1", "--budget", plan.budget]
        command += ["--seed", str(plan.seed), "--out", str(out)]
        command += [] if plan.whole else [f"--class={subject.cls}"]
        command += [f"--fault={subject.name}"] if subject.name else []
        command += [f"--clause={subject.clause}"] if plan.own else []
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own command
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
            )
            self._running.add(process)
            _keep_to(process.pid, core)
            try:
                code = process.wait(plan.seconds)
            except subprocess.TimeoutExpired:
                _end(process)
                return f"no end within {plan.seconds:g} s"
            finally:
                self._running.discard(process)
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
        return "" if code in OWN_END else f"certify ended with {code}: {text[-SHOWN:] or 'it said nothing'}"


def _keep_to(pid: int, core: int | None) -> None:
    """Keep a process, and the server that it will start, to one core: the two take turns, and need not wake another."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(pid, {core})


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a run, which then ends its server; if it does not, both, which are one process group that we made."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _results(out: Path) -> Mapping[str, Any]:
    told = out / "results.json"
    if not told.exists():
        return {}
    found: Mapping[str, Any] = json.loads(told.read_text("utf-8"))
    return found


def _catches(results: Mapping[str, Any], out: Path) -> tuple[Catch, ...]:
    """Return what each clause that failed saw first, the one that failed first before the others."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for finding in results.get("findings", ()):
        found.setdefault(finding["clause"], []).append(finding)
    catches = [_catch(clause, findings, out) for clause, findings in found.items()]
    return tuple(sorted(catches, key=lambda each: (each.calls, each.clause)))


def _catch(clause: str, findings: list[Mapping[str, Any]], out: Path) -> Catch:
    first = min(findings, key=lambda each: each["calls"])
    # A sequence that was made small tells more than the single reply that gave it away.
    told = min((each for each in findings if each["case"]), key=lambda each: each["calls"], default=first)
    element = f"{first['element']}[{first['format']}]" if first["format"] else first["element"]
    return Catch(
        clause,
        len(findings),
        first["calls"],
        first["seconds"],
        element,
        first["expected"][:SHOWN],
        first["actual"][:SHOWN],
        _smallest(told, out),
    )


def _smallest(finding: Mapping[str, Any], out: Path) -> tuple[str, ...]:
    """Return the smallest case of a finding, a line a call."""
    if finding["case"]:
        return _lines(from_json((out / "cases" / f"{finding['case']}.json").read_text("utf-8")))
    exchange = finding["exchange"]
    return (f"{exchange['format']} {exchange['request'][:SHOWN]}",) if exchange else ()


def _lines(case: Case) -> tuple[str, ...]:
    def line(step: Any) -> str:
        made = f"{step.makes} = " if step.makes is not None else ""
        among = f"thread {step.thread}: " if step.thread else ""
        return f"{among}{made}{step.call.message}({', '.join(map(shown, step.call.args))})  {step.format}"[:SHOWN]

    return tuple(line(step) for step in case.steps)
