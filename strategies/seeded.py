"""Draws that follow from the seed alone.

Hypothesis also draws constants that it finds in the source of whatever modules are loaded and are no installed
packages. In a checkout they would be this product's own, others in each version and command: the same seed would not
draw the same again, and a run could not be judged again from its log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis.internal.conjecture import providers

NAMES = ("_get_local_constants", "CONSTANTS_CACHE")
"""Where Hypothesis has its constants, under names of its own: there is no setting for it."""
KIND = "Constants"
"""The name of what they are."""


def can_be_held() -> bool:
    """Whether this version of Hypothesis keeps its constants where they are known to be; others draw them too."""
    return all(hasattr(providers, name) for name in (*NAMES, KIND))


@contextmanager
def by_seed_alone() -> Iterator[None]:
    """Let Hypothesis draw no constants of loaded modules in the block, where its version lets that be done."""
    if not can_be_held():
        yield
        return
    kept = {name: getattr(providers, name) for name in NAMES}
    local, cache = NAMES
    none = getattr(providers, KIND)()
    setattr(providers, cache, type(kept[cache])(kept[cache].max_size))
    setattr(providers, local, lambda: none)
    try:
        yield
    finally:
        for name, each in kept.items():
            setattr(providers, name, each)
