"""A case as files: a Python script and a shell file that stand by themselves, and a picture of concurrent calls."""

from xenconform.reports.cases.curl import curl
from xenconform.reports.cases.naming import case_name
from xenconform.reports.cases.raw import Scenery, save_raw_case
from xenconform.reports.cases.save import clear_cases, read_case, save_case
from xenconform.reports.cases.script import script
from xenconform.reports.cases.timeline import timeline

__all__ = [
    "Scenery",
    "case_name",
    "clear_cases",
    "curl",
    "read_case",
    "save_case",
    "save_raw_case",
    "script",
    "timeline",
]
