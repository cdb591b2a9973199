"""Judge a log again, with all that comes of it: another log, the results then and now, and the reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from xenconform.conformance.playback.run import Playback
from xenconform.conformance.playback.tape import Tape, TapeError, open_tape
from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.api import Api
from xenconform.models.profile_check import check_profile
from xenconform.models.profiles import Profile, Scope
from xenconform.models.rejudgement import Rejudgement, as_then
from xenconform.models.results import summarise
from xenconform.reports.cases.save import clear_cases
from xenconform.reports.progress import Progress
from xenconform.reports.write import LOG, read_run, write_all


def judge_again(path: Path, profile: str, folder: Path, *, reports: bool, console: Console) -> Rejudgement:
    """Judge a log again by today's suite and write the log of it, and the reports if asked, into a folder.

    Args:
        path: a log, or the report folder that it is in.
        profile: the profile's name or file; "" for the shipped one of the name that the log tells.
        folder: is made if need be.
        reports: whether everything is written that certify writes.
        console: is shown the progress.

    Raises:
        TapeError: the log cannot be judged again.
        ConfigError: the profile or the release that it tells is not to be had, or the folder is the log's own.
        OSError: something cannot be read or written.
    """
    log = path / LOG if path.is_dir() else path
    tape = open_tape(log)
    start = tape.start
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / LOG).exists() and (folder / LOG).samefile(log):
        raise ConfigError(f"--out {folder}: there is the log that is judged again; give another folder")
    clear_cases(folder)
    using, api = _profile(tape, profile), _api(start.release)
    with (
        (folder / LOG).open("w", encoding="ascii", newline="\n") as lines,
        Progress(tape.length, console) as progress,
    ):
        playback = Playback(tape, using, api, folder, progress)
        lines.writelines(f"{line}\n" for line in playback.lines())
    now = read_run(folder / LOG, summed=reports)
    results = write_all(now, folder) if reports else summarise(now)
    return Rejudgement(str(path), as_then(summarise(read_run(log, summed=False))), results, playback.account)


def _api(release: str) -> Api:
    try:
        return Api.load().at(release)
    except ValueError as why:
        raise TapeError(f"the log is of the release {release!r}, which this version does not have: {why}") from None


def _profile(tape: Tape, said: str) -> Profile:
    """Return the profile of a run, with the scope and the waivers that the log tells.

    Raises:
        ConfigError: it is not to be had.
    """
    start = tape.start
    try:
        profile = Profile.load(said or start.profile)
        check_profile(profile, Api.load())
        scope = Scope(start.scope)
    except ValueError as why:
        fix = "" if said else f"; the log is of the profile {start.profile!r}: give its file with --profile"
        raise ConfigError(f"{why}{fix}") from None
    return replace(profile, scope=scope, waivers=start.waivers)
