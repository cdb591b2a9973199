"""The suite: every check as pytest items, one a clause × class, for `xenconform certify` and for plain pytest alike."""

from pathlib import Path

MARKER = Path(__file__).with_name("every_clause.py")
"""The file that stands for the suite when pytest collects this package: the plugin makes the items of it."""
