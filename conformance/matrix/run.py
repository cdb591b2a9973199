"""Many trials, several at a time, each kept as soon as it is done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from xenconform.conformance.matrix.shelf import Shelf
from xenconform.conformance.matrix.trial import Plan, Trials
from xenconform.models.kills import Row, Subject


def controls(subjects: Iterable[Subject], plan: Plan) -> tuple[Subject, ...]:
    """Return the sound servers that belong beside faults: one a class that any of them is shown in.

    None where only the faults' own clauses are run.
    """
    if plan.own:
        return ()
    classes = [""] if plan.whole else sorted({each.cls for each in subjects})
    return tuple(Subject("", cls=cls) for cls in classes)


def sample(subjects: Sequence[Subject], count: int) -> tuple[Subject, ...]:
    """Return so many of the subjects, spread evenly over their order, and so over the areas."""
    if count >= len(subjects):
        return tuple(subjects)
    return tuple(subjects[at * len(subjects) // count] for at in range(count))


def run_all(subjects: Sequence[Subject], trials: Trials, shelf: Shelf, workers: int) -> Iterator[tuple[Row, bool]]:
    """Yield the row of each subject, as it comes, and whether it was made now; those on the shelf come first.

    Closing the iterator, or an exception in it, ends the trials that are under way.
    """
    left = []
    for subject in subjects:
        row = shelf.find(subject, trials.plan)
        if row is None:
            left.append(subject)
        else:
            yield row, False
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    free = [cores[at % len(cores)] if cores else None for at in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        try:
            for row in _spread(iter(left), trials, pool, free):
                shelf.keep(row)
                yield row, True
        finally:
            trials.stop()


def _spread(
    waiting: Iterator[Subject], trials: Trials, pool: ThreadPoolExecutor, free: list[int | None]
) -> Iterator[Row]:
    running: dict[Future[Row], int | None] = {}
    while True:
        for subject in islice(waiting, len(free)):
            core = free.pop()
            running[pool.submit(trials.run, subject, core)] = core
        if not running:
            return
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            free.append(running.pop(done))
            yield done.result()
