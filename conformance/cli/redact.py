"""`xenconform redact`: a run's log and reports once more, with the names and addresses of hosts replaced."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.calls import Success
from xenconform.models.events import RunStart, SavedCase, decode_event, encode_event
from xenconform.models.exchange import Exchange
from xenconform.models.pseudonyms import HOSTS, Pseudonyms, names_in
from xenconform.models.rewriting import rewritten
from xenconform.models.target import parse_target
from xenconform.reports.cases.save import clear_cases, write_files
from xenconform.reports.write import LOG, read_run, write_all

USAGE = 2
_FIX = "give a report folder of xenconform certify or fuzz, or its run.jsonl"


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Where to.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A further name to replace; may be repeated.")
def redact(log: Path, out: Path, hosts: tuple[str, ...]) -> None:
    """Write the LOG of a run, and all reports of it, with the names and addresses of hosts replaced.

    LOG is a report folder or its run.jsonl, which stays as it is. Exit codes: 0 written, 2 wrong usage.
    """
    log = log / LOG if log.is_dir() else log
    try:
        _check(log, out)
        hidden = Pseudonyms()
        hidden.learn((*hosts, *_names(log)))
        out.mkdir(parents=True, exist_ok=True)
        clear_cases(out)
        with (out / LOG).open("w", encoding="ascii", newline="\n") as lines:
            lines.writelines(f"{line}\n" for line in _hidden(log, out, hidden))
        write_all(read_run(out / LOG), out)
    except (ConfigError, OSError, ValueError) as why:
        said = f"{why.filename}: {why.strerror}; {_FIX}" if isinstance(why, OSError) else str(why)
        click.echo(f"xenconform: {said}", err=True)
        sys.exit(USAGE)
    told = (len(hidden.names), len(hidden.addresses))
    click.echo(f"{told[0]:,} names and {told[1]:,} addresses were replaced; the log and the reports are in {out}/")


def _check(log: Path, out: Path) -> None:
    if (out / LOG).exists() and (out / LOG).samefile(log):
        raise ConfigError(f"--out {out}: there is the log itself; give another folder")


def _names(log: Path) -> Iterator[str]:
    """Yield the names of hosts that a log tells: the target's, and those in records and readings of hosts."""
    written: set[object] = set()
    for at, line in enumerate(_lines(log)):
        if at and not line.startswith('{"event":"exchange"'):
            continue
        event = decode_event(line)
        if not at:
            if not isinstance(event, RunStart):
                raise ConfigError(f"{log}: no log of a run, for it has no start; {_FIX}")
            yield from () if event.target.startswith("embedded ") else (parse_target(event.target).host,)
        elif isinstance(event, Exchange) and event.message.startswith("host.set_"):
            written.update(arg for arg in event.args if isinstance(arg, str))
        elif isinstance(event, Exchange) and event.message.startswith("host.get_"):
            # What the run wrote there itself is no host's name.
            yield from (name for name in _told(event) if name not in written)


def _told(reading: Exchange) -> Iterator[str]:
    """Yield the names of hosts that a reading tells."""
    outcome = reading.reply.outcome
    value = outcome.value if isinstance(outcome, Success) else None
    match reading.message.removeprefix("host.get_"):
        case "hostname" | "name_label":
            yield str(value or "")
        case "record":
            yield from names_in(value)
        case "all_records" | "all_records_where" if isinstance(value, dict):
            for record in value.values():
                yield from names_in(record)


def _hidden(log: Path, out: Path, hidden: Pseudonyms) -> Iterator[str]:
    for number, line in enumerate(_lines(log), 1):
        try:
            event = decode_event(line)
        except ValueError as why:
            raise ConfigError(f"{log}: line {number} is no event of a run: {why}; {_FIX}") from why
        if isinstance(event, RunStart):
            event = replace(event, redacted=(HOSTS,))
            line = encode_event(event)  # noqa: PLW2901 - the start tells what was done
        told = rewritten(line, event, hidden.line)
        if isinstance(event, SavedCase):
            write_files(out, event.name, _files(told))
        yield told


def _files(line: str) -> dict[str, str]:
    event = decode_event(line)
    return dict(event.files) if isinstance(event, SavedCase) else {}


def _lines(log: Path) -> Iterator[str]:
    with log.open(encoding="ascii") as lines:
        for line in lines:
            yield line.rstrip("\n")
