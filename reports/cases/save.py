"""The files of a case in a report folder: for xenconform, for Python, for a shell, and a picture of its threads."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from xenconform.models.api import Api
from xenconform.models.cases import Case, to_json
from xenconform.reports.cases.curl import curl
from xenconform.reports.cases.naming import case_name, without_refs
from xenconform.reports.cases.script import script
from xenconform.reports.cases.settling import settled
from xenconform.reports.cases.timeline import timeline

FOLDER = "cases"
"""The folder's name in a report folder."""
SUFFIXES = (".json", ".py", ".sh", ".svg")
QUOTED = 100_000
"""Bytes of a file of a case that a log quotes at most."""
_RUN = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def save_case(case: Case, folder: Path, api: Api, target: str | None = None, hide: Callable[[str], str] = str) -> str:
    """Write a case's files into the folder `cases` of a report folder, made if need be, and return their name.

    NAME.json is for `xenconform replay`, NAME.py and NAME.sh stand by themselves, NAME.svg shows concurrent calls.
    References in the words for people are left out, and uuids that a server chose are named by their objects.
    `target` is the address that the scripts take where none is given; `hide` returns a text with what nobody is to see
    replaced.

    Raises:
        OSError: a file cannot be written.
        ValueError: a step uses an object that no step before it makes.
    """
    case = settled(case)
    case = replace(
        case,
        expected=without_refs(case.expected),
        actual=without_refs(case.actual),
        note=without_refs(case.note),
    )
    name = case_name(case)
    texts = {".json": to_json(case), ".py": script(case, api, target), ".sh": curl(case, api, target)}
    if case.spans:
        texts[".svg"] = timeline(case)
    write_files(folder, name, {suffix: hide(text) for suffix, text in texts.items()})
    return name


def write_files(folder: Path, name: str, texts: Mapping[str, str]) -> None:
    """Write the files of a case, by their suffixes, into a report folder's `cases`; scripts may be run.

    Raises:
        OSError: a file cannot be written.
    """
    room = folder / FOLDER
    room.mkdir(parents=True, exist_ok=True)
    for suffix, text in texts.items():
        path = room / f"{name}{suffix}"
        path.write_text(text, encoding="utf-8", newline="\n")
        if suffix in {".py", ".sh"}:
            path.chmod(path.stat().st_mode | _RUN)


def read_case(folder: Path, name: str) -> dict[str, str]:
    """Return the texts of a case's files in a report folder, by suffix; those that are missing or too long left out."""
    texts: dict[str, str] = {}
    for suffix in SUFFIXES:
        path = folder / FOLDER / f"{name}{suffix}"
        if path.is_file() and path.stat().st_size <= QUOTED:
            texts[suffix] = path.read_text("utf-8")
    return texts


def clear_cases(folder: Path) -> None:
    """Remove the files of cases that an earlier run left in a report folder.

    Raises:
        OSError: one cannot be removed.
    """
    room = folder / FOLDER
    for path in room.iterdir() if room.is_dir() else ():
        if path.suffix in SUFFIXES and path.is_file():
            path.unlink()
    if room.is_dir() and not any(room.iterdir()):
        room.rmdir()
