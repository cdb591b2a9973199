"""A stage of the fuzzer on a server of another design."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from strangers.plain_server import Plain
from strangers.values import PASSWORD, USER

from xenconform.conformance.fuzz.stage import Stage, staged
from xenconform.conformance.suite.run import Run
from xenconform.conformance.suite.settings import Options, Settings


@contextmanager
def plain_stage() -> Iterator[Stage]:
    """Set a stage on the plain stranger, until the block ends."""
    with Plain() as server:
        options = Options(url=server.url, user=USER, profile="reference", scope="all")
        run = Run(Settings.of(options, {"XENCONFORM_PASSWORD": PASSWORD}), None)
        run.open()
        try:
            with staged(run.bench) as stage:
                yield stage
        finally:
            run.close()
