"""A run's log, as commands are given it: by its folder or by its name."""

from __future__ import annotations

from pathlib import Path

from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.events import RunStart
from xenconform.models.run import Run
from xenconform.reports.write import LOG, read_run


def read_log(path: Path, *, summed: bool = False) -> Run:
    """Return the run of a report folder or of a log, with the exchanges that its judgements cite.

    `summed` is as in `read_run`.

    Raises:
        ConfigError: there is nothing, or no log of a run; the text names the path and the fix.
    """
    log = path / LOG if path.is_dir() else path
    fix = f"give a report folder of xenconform certify or fuzz, or its {LOG}"
    try:
        run = read_run(log, summed=summed)
    except OSError as why:
        raise ConfigError(f"{log}: {why.strerror}; {fix}") from why
    except ValueError as why:
        raise ConfigError(f"{log}: {why}; {fix}") from why
    if run.start == RunStart():
        raise ConfigError(f"{log}: no log of a run, for it has no start; {fix}")
    return run
