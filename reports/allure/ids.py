"""The ids of what Allure is told: made of what they stand for, so that the same log gives the same ones."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

OURS = uuid5(NAMESPACE_URL, "tag:xenconform,2026:allure")
"""What the ids of tests are made of, so that they are the same in each run."""


def id_of(space: UUID, *named: object) -> UUID:
    """Return the id of what has these names, whatever characters a server put into them."""
    return uuid5(space, "\0".join(ascii(str(each)) for each in named))
