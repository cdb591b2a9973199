"""Every switchable defect of the strangers, by name."""

from __future__ import annotations

from tests.strangers import defects_fields, defects_objects, defects_wire
from tests.strangers.base import TABLE, Defect

MODULES = (defects_wire, defects_fields, defects_objects)
DEFECTS: dict[str, Defect] = TABLE
