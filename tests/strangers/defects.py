"""Every switchable defect of the strangers, by name: of each module here whose name begins with that of a set."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import strangers
from strangers.base import TABLE, Defect

__all__ = ["DEFECTS", "MODULES", "Defect"]
SETS = ("audit", "blind", "defects", "heldout", "unseen")
MODULES = tuple(
    import_module(f"strangers.{each.name}")
    for each in pkgutil.iter_modules(strangers.__path__)
    if each.name.partition("_")[0] in SETS and "_" in each.name and each.name != "heldout_base"
)
DEFECTS: dict[str, Defect] = TABLE
