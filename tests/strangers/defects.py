"""Every switchable defect of the strangers, by name: of each module here whose name begins with that of a set."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import strangers
from strangers.base import TABLE, Defect

__all__ = ["DEFECTS", "Defect"]
SETS = (
    "audit3_",
    "audit2_",
    "audit_",
    "blind_",
    "defects_",
    "eighth_",
    "eleventh_",
    "fifth_",
    "foreign_",
    "heldout_",
    "ninth_",
    "seventh_",
    "sixth_",
    "tenth_",
    "unseen_",
)

for each in pkgutil.iter_modules(strangers.__path__):
    if each.name.startswith(SETS):
        import_module(f"strangers.{each.name}")

DEFECTS: dict[str, Defect] = TABLE
