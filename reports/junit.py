"""junit.xml: a suite a level, a case a clause × element × format, as continuous integration servers read it.

A part that failed is a failure where the clause decides the certificate; a failed SHOULD is skipped with its text,
so that a build is red exactly when the server is not conformant. Our own errors are errors, all else is skipped.

There is no standard. What is written is valid against both schemas in use, that of Apache Ant's reports and that of
Jenkins' xUnit plugin: so the root has no attributes, a suite has its properties first and its outputs last, a time has
no zone, and a case holds one element at most. How Jenkins and GitLab read it is said where it matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from xml.etree import ElementTree as ET

from xenconform.models.clauses import LEVELS, Clause
from xenconform.models.results import NOT_RUN, ClauseResult, Part, Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.words import headline, settings

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NO_TIME = "1970-01-01T00:00:00"
"""The time of a run whose log does not say when it began: every suite must have one."""


def render_junit(results: Results) -> str:
    """Return junit.xml as text: the same for the same run."""
    root = ET.Element("testsuites")
    for at, (level, group) in enumerate(groupby(results.clauses, key=lambda each: each.clause.level)):
        suite = ET.SubElement(root, "testsuite")
        suite.append(_properties(results))
        seconds = 0.0
        for each in group:
            suite.extend(_cases(each))
            seconds += sum(part.seconds for part in each.parts)
        # Jenkins shows this beside each case of the suite that failed.
        ET.SubElement(suite, "system-out").text = _carried(f"{results.verdict}: {headline(results)}")
        ET.SubElement(suite, "system-err")
        suite.attrib.update(_suite_head(results, at, level) | _counts(suite) | {"time": f"{seconds:.3f}"})
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite_head(results: Results, at: int, level: int) -> dict[str, str]:
    return {
        "id": str(at),
        "name": f"level {level}: {LEVELS.get(level, 'unknown clauses')}",
        "package": "xenconform",
        "timestamp": _began(results.start.started),
        "hostname": _carried(results.start.target) or "unknown",
    }


def _began(started: str) -> str:
    """Return an instant in UTC, without its zone, which the schemas forbid."""
    try:
        began = datetime.fromisoformat(started)
    except ValueError:
        return NO_TIME
    return (began.astimezone(UTC) if began.tzinfo else began).strftime("%Y-%m-%dT%H:%M:%S")


def _properties(results: Results) -> ET.Element:
    start = results.start
    named = [("verdict", results.verdict.value), ("exit code", str(results.verdict.exit_code)), *settings(results)]
    holder = ET.Element("properties")
    for name, text in [*named, ("started", start.started or "the log does not say")]:
        ET.SubElement(holder, "property", name=name, value=_carried(text))
    return holder


def _counts(suite: ET.Element) -> dict[str, str]:
    tags = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    return {name: str(sum(1 for _ in suite.iter(tag))) for name, tag in tags.items()}


def _cases(result: ClauseResult) -> Iterator[ET.Element]:
    if not result.parts:
        case = _case(result.clause, "server", 0.0)
        _skipped(case, NOT_RUN)
        yield case
    for part in result.parts:
        case = _case(part.clause, part.label, part.seconds)
        if part.verdict is not Verdict.PASS:
            _outcome(case, part)
        yield case


def _case(clause: Clause, name: str, seconds: float) -> ET.Element:
    # Jenkins takes what is before the last dot for a package, and files what has none under "(root)". GitLab shows the
    # class's name as the suite, and takes two cases of one name for one.
    classname = _carried(f"level{clause.level}.{clause.id}")
    return ET.Element("testcase", {"classname": classname, "name": _carried(name), "time": f"{seconds:.3f}"})


def _outcome(case: ET.Element, part: Part) -> None:
    first = part.because[0]
    says = first.reason or f"expected {first.expected}, got {first.actual}"
    if part.verdict is Verdict.FAIL and not part.clause.required:
        _skipped(case, f"SHOULD not met: {says}")
    elif part.verdict in {Verdict.FAIL, Verdict.ERROR}:
        kind = "failure" if part.verdict is Verdict.FAIL else "error"
        told = ET.SubElement(case, kind, message=_carried(says), type=part.clause.severity.value)
        told.text = _carried(_told(part, says))
    else:
        _skipped(case, f"{part.verdict}: {says if first.reason else 'no reason given'}")


def _told(part: Part, says: str) -> str:
    """Return what shows a failure: all that GitLab shows of it, for it passes over the message."""
    first = part.because[0]
    pairs = dict.fromkeys((each.expected, each.actual) for each in part.because if each.expected)
    lines = [f"expected: {expected}\nactual: {actual}" for expected, actual in pairs] or [says]
    lines.append(f"{part.clause.id}, a {part.clause.severity}: {part.clause.rule}")
    if first.exchanges:
        lines.append(f"exchange {first.exchanges[-1]} in run.jsonl")
    if first.case:
        lines.append(f"case cases/{first.case}")
    return "\n".join(lines) + "\n"


def _skipped(case: ET.Element, why: str) -> None:
    # Jenkins reads the message and GitLab the text.
    ET.SubElement(case, "skipped", message=_carried(why)).text = _carried(why)


def _carried(text: str) -> str:
    """Return the text with what XML 1.0 cannot carry as an escape."""
    return _NOT_XML.sub(lambda found: ascii(found[0])[1:-1], text)
