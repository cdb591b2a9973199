"""How much of what a whole run judges a run was for.

The law: a run is whole where nothing is in `limits_of`. It is then one of certify, on a server as it is, over every
wire format, of every class, of all clauses that have a check in its release. PERSIST needs a restart that not everybody
can give, and certify leaves it out where nobody said how: a run without it is whole, and says nothing of restarts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from xenconform.models.calls import Format
from xenconform.models.events import RunStart
from xenconform.models.levels import RESTARTED


class Extent(StrEnum):
    """In what a run may be less than whole."""

    KIND = "kind"
    """Another command than certify made it: `names` is that one."""
    FAULT = "fault"
    """The embedded server had a fault switched on: `names` is that one."""
    CLAUSES = "clauses"
    """`names` were not selected."""
    FORMATS = "formats"
    """`names` were not selected."""
    CLASSES = "classes"
    """`names` alone were selected."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One way in which a run is less than whole."""

    extent: Extent
    names: tuple[str, ...]


def limits_of(start: RunStart, whole: Collection[str]) -> tuple[Limit, ...]:
    """Return the ways in which a run is less than whole, none where it is whole.

    Args:
        start: what the run was asked for.
        whole: the ids of all clauses that have a check in its release.
    """
    found = (
        Limit(Extent.KIND, (start.kind,) if start.kind != "certify" else ()),
        Limit(Extent.FAULT, (start.fault,) if start.fault else ()),
        Limit(Extent.CLAUSES, tuple(sorted(set(whole) - set(start.clauses) - RESTARTED))),
        Limit(Extent.FORMATS, tuple(fmt.value for fmt in Format if fmt not in start.formats)),
        Limit(Extent.CLASSES, start.classes),
    )
    return tuple(each for each in found if each.names)
