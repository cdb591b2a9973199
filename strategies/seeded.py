"""Draws that follow from the seed alone.

Hypothesis also draws constants that it finds in the source of whatever modules are loaded and are no installed
packages. In a checkout they would be this product's own, others in each version and command: the same seed would not
draw the same again, and a run could not be judged again from its log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants


@contextmanager
def by_seed_alone() -> Iterator[None]:
    """Let Hypothesis draw no constants of loaded modules in the block."""
    # There is no setting for it, so that the two names of Hypothesis' own are taken.
    constants, cache = providers._get_local_constants, providers.CONSTANTS_CACHE  # noqa: SLF001 - see above
    none, providers.CONSTANTS_CACHE = Constants(), LRUCache(cache.max_size)
    providers._get_local_constants = lambda: none  # noqa: SLF001 - see above
    try:
        yield
    finally:
        providers._get_local_constants, providers.CONSTANTS_CACHE = constants, cache  # noqa: SLF001 - see above
