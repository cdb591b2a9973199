"""`xenconform replay`: run a case again, and tell whether it still fails."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.cli.reaching import reaching
from xenconform.conformance.cli.tables import show
from xenconform.conformance.fuzz.replaying import again as send_again
from xenconform.conformance.machine.player import play
from xenconform.conformance.suite.run import CannotStartError, Run
from xenconform.conformance.suite.settings import DEADLINE, ConfigError, Options, Settings
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Outcome, Success
from xenconform.models.cases import Case, Step, Wanted, from_json, shown
from xenconform.models.exchange import Exchange
from xenconform.models.matching import inward
from xenconform.models.rawcases import RawCase, is_raw
from xenconform.models.rawcases import from_json as raw_from_json
from xenconform.models.values import Handle, Ref

STILL_FAILS, FAILS_NO_MORE, USAGE, COULD_NOT_RUN = 1, 0, 2, 3
CALL, REPLY = 200, 160
"""How many characters of a call and of a reply are shown."""


@dataclass(frozen=True, slots=True)
class Again:
    """What came of a case: each step with what came back, in words; the code to exit with, and why."""

    rows: Sequence[tuple[Step, str]]
    code: int
    said: str


@click.command()
@click.argument("case_file", metavar="CASE.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("url", required=False, default="")
@reaching
@click.option("--release", default="", help="Release of the API [default: the case's].")
@click.option("--proxy", default="", metavar="URL", help="Go through this HTTP proxy.")
@click.option("--deadline", default=DEADLINE, show_default=True, help="Seconds that the server has for one call.")
def replay(case_file: Path, **said: Any) -> None:
    """Run a case of a report again on the server at URL, or, with no URL, on the embedded reference server.

    What it makes is removed again. Exit codes: 1 it still fails, 0 it does not fail any more, 2 wrong usage,
    3 could not be run.
    """
    try:
        case = read_case(case_file)
        options = Options(**{**said, "release": said["release"] or case.release}, budget="quick")
        settings = replace(Settings.of(options, os.environ), clauses=())
    except ConfigError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    about = f"{case.layer}: {case.cause}" if isinstance(case, RawCase) else case.element
    click.echo(f"{case.clause}, {about}, on {settings.target or 'the embedded reference server'}")
    try:
        again = run_again(case, settings)
    except Exception:  # noqa: BLE001 - Python's own exit code for it would say that the case still fails
        again = Again((), COULD_NOT_RUN, f"our own error\n{traceback.format_exc()}")
    if isinstance(case, Case):
        _print_steps(case, again)
    _print_end(again)
    sys.exit(again.code)


def read_case(path: Path) -> Case | RawCase:
    """Return the case of a file.

    Raises:
        ConfigError: the file cannot be read, or holds no case.
    """
    try:
        text = path.read_text("utf-8")
        return raw_from_json(text) if is_raw(text) else from_json(text)
    except (OSError, ValueError) as why:
        raise ConfigError(f"{path}: {why}; give a .json file of a report's folder cases") from why


def run_again(case: Case | RawCase, settings: Settings) -> Again:
    """Log in, play or send a case, remove what it made and log out; always all of it."""
    run = Run(settings, None)
    error, again = "", None
    try:
        run.open()
        if isinstance(case, RawCase):
            again = _sent(run, case)
        else:
            again = _raced(run, case) if any(step.thread for step in case.steps) else _played(run, case)
    except (CannotStartError, TargetGoneError, Unavailable) as why:
        error = str(why)
    finally:
        run.close(error)
    for left in run.left_behind:
        click.echo(left[:1].upper() + left[1:], err=True)
    return again or Again((), COULD_NOT_RUN, error)


def _sent(run: Run, case: RawCase) -> Again:
    """Send a raw case."""
    for piece in case.pieces:
        click.echo(f"\n{_cut(ascii(piece), CALL)}")
    shows, outcomes = send_again(run.bench, case)
    for outcome in outcomes:
        click.echo(f"  came back: {_said(outcome)}")
    told = f"\n  expected: {case.expected}\n  actual:   {shows}" if shows else ""
    return Again((), STILL_FAILS if shows else FAILS_NO_MORE, told)


def _played(run: Run, case: Case) -> Again:
    """Play the steps one after the other."""
    played = play(run.bench, case)
    rows = list(zip(played.steps, _worded(run.bench.api, played.steps, played.exchanges), strict=False))
    if played.failed and played.mismatch is not None:
        wrong = played.mismatch
        where = f"step {played.at + 1}, {wrong.step.call.message}"
        told = f"{where}\n  expected: {wrong.expected}\n  actual:   {wrong.actual}"
        return Again(rows, STILL_FAILS, told)
    stopped = _turned_off(case.steps, played.exchanges) or played.stopped
    return Again(rows, COULD_NOT_RUN if stopped else FAILS_NO_MORE, stopped)


def _turned_off(steps: Sequence[Step], exchanges: Sequence[Exchange]) -> str:
    """Return which step before the last was refused for the server's own reasons, so that the rest tells nothing."""
    for number, (step, exchange) in enumerate(zip(steps[:-1], exchanges, strict=False), 1):
        expect, outcome = step.expect, exchange.reply.outcome
        needed = expect is not None and expect.wanted is not Wanted.NOTHING and "*" not in expect.codes
        if needed and isinstance(outcome, Failure) and not step.refused:
            return (
                f"step {number}, {step.call.message}, was refused here: {outcome.code}; the steps after it rest on it"
            )
    return ""


def _raced(run: Run, case: Case) -> Again:
    """Play the concurrent steps as often as the case says, until they fail."""
    from xenconform.conformance.machine.races.crew import Crew  # noqa: PLC0415 - few cases are concurrent
    from xenconform.conformance.machine.races.trial import Race, attempt  # noqa: PLC0415 - as above

    at = next(at for at, step in enumerate(case.steps) if step.thread)
    racing = [step for step in case.steps[at:] if step.thread]
    branches = tuple(
        tuple(step for step in racing if step.thread == thread) for thread in sorted({step.thread for step in racing})
    )
    race = Race(case.steps[:at], branches, tuple(step for step in case.steps[at:] if not step.thread))
    with Crew(run.bench) as crew:
        for number in range(1, case.repeats + 1):
            trial = attempt(run.bench, crew, race)
            rows = [(each.step, _said(each.outcome)) for each in trial.told]
            rows += [(each.step, _said(each.outcome)) for each in trial.history]
            if trial.failed:
                told = f"try {number} of {case.repeats}: no order of the calls gives these replies"
                return Again(rows, STILL_FAILS, told)
            if trial.stopped:
                return Again(rows, COULD_NOT_RUN, trial.stopped)
    return Again(rows, FAILS_NO_MORE, f"{case.repeats} tries")


def _worded(api: Api, steps: Sequence[Step], exchanges: Sequence[Exchange]) -> list[str]:
    """Return the replies in words, with the names of objects for their references."""
    handles: dict[Ref, Handle] = {}
    found = []
    for step, exchange in zip(steps, exchanges, strict=False):
        outcome = exchange.reply.outcome
        if isinstance(outcome, Success):
            if step.makes is not None:
                listed = [outcome.value] if isinstance(outcome.value, str) else outcome.value
                handles.update(dict.fromkeys([ref for ref in listed if ref not in handles][:1], step.makes))
            known = api.message(step.call.message)
            if known is not None:
                outcome = Success(inward(api, known.result, outcome.value, handles))
        found.append(_said(outcome))
    return found


def _said(outcome: Outcome) -> str:
    match outcome:
        case Success(None):
            return "success"
        case Success(value):
            return _cut(shown(value), REPLY)
        case Failure(code, _):
            return code
        case Breach(kind, detail, _):
            return _cut(f"no readable answer: {kind}: {detail}", REPLY)


def _print_steps(case: Case, again: Again) -> None:
    with_sessions = any(step.session for step, _ in again.rows)
    with_threads = any(step.thread for step, _ in again.rows)
    rows = []
    for number, (step, reply) in enumerate(again.rows, 1):
        call = f"{step.call.message}({', '.join(shown(each) for each in step.call.args)})"
        extra = [str(step.thread or "")] if with_threads else []
        extra += [str(step.session)] if with_sessions else []
        rows.append((str(number), *extra, _cut(call, CALL), str(step.format), reply))
    titles = [*(["thread"] if with_threads else []), *(["session"] if with_sessions else [])]
    show("The steps", ("", *titles, "call", "over", "came back"), rows)
    if case.note:
        click.echo(f"\nNote: {case.note}")


def _print_end(again: Again) -> None:
    words = {
        STILL_FAILS: ("STILL FAILS", "red"),
        FAILS_NO_MORE: ("does not fail any more", "green"),
        COULD_NOT_RUN: ("could not be run", "yellow"),
    }
    word, colour = words[again.code]
    click.secho(f"\n{word}{': ' if again.said else ''}", fg=colour, bold=True, nl=False)
    click.echo(again.said)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
