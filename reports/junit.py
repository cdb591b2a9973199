"""junit.xml: a suite a level, a case a clause × element × format, as continuous integration servers read it.

A part that failed is a failure where the clause decides the certificate; a failed SHOULD is skipped with its text,
so that a build is red exactly when the server is not conformant. Our own errors are errors, all else is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from xml.etree import ElementTree as ET

from xenconform.models.clauses import LEVELS
from xenconform.models.results import NOT_RUN, ClauseResult, Part, Results
from xenconform.models.verdicts import Verdict

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(results: Results) -> str:
    """Return junit.xml as text: the same for the same run."""
    root = ET.Element("testsuites", name="xenconform")
    for at, (level, group) in enumerate(groupby(results.clauses, key=lambda each: each.clause.level)):
        suite = ET.SubElement(root, "testsuite", _suite_head(results, at, level))
        for each in group:
            suite.extend(_cases(each))
        _count(suite, suite)
    _count(root, root)
    root.set("time", f"{results.seconds:.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite_head(results: Results, at: int, level: int) -> dict[str, str]:
    head = {"id": str(at), "name": f"level {level}: {LEVELS.get(level, 'unknown clauses')}", "package": "xenconform"}
    if results.start.started:
        head["timestamp"] = _carried(results.start.started)
    return head | {"hostname": _carried(results.start.target), "time": "0"}


def _count(scope: ET.Element, into: ET.Element) -> None:
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        if name != "skipped" or into.tag == "testsuite":
            into.set(name, str(sum(1 for _ in scope.iter(tag))))


def _cases(result: ClauseResult) -> Iterator[ET.Element]:
    if not result.parts:
        case = _case(result.clause.id, "server")
        ET.SubElement(case, "skipped", message=NOT_RUN)
        yield case
    for part in result.parts:
        case = _case(part.clause.id, part.label)
        if part.verdict is not Verdict.PASS:
            _outcome(case, part)
        yield case


def _case(clause: str, name: str) -> ET.Element:
    return ET.Element("testcase", {"classname": _carried(clause), "name": _carried(name), "time": "0"})


def _outcome(case: ET.Element, part: Part) -> None:
    first = part.because[0]
    says = first.reason or f"expected {first.expected}, got {first.actual}"
    if part.verdict is Verdict.FAIL and not part.clause.required:
        ET.SubElement(case, "skipped", message=_carried(f"SHOULD not met: {says}"))
    elif part.verdict in {Verdict.FAIL, Verdict.ERROR}:
        kind = "failure" if part.verdict is Verdict.FAIL else "error"
        told = ET.SubElement(case, kind, message=_carried(says), type=part.clause.severity.value)
        told.text = _carried(
            f"{part.clause.rule}\n"
            + "".join(f"expected: {each.expected}\nactual: {each.actual}\n" for each in part.because if each.expected)
            + (f"exchange {first.exchanges[-1]} in run.jsonl\n" if first.exchanges else "")
            + (f"case cases/{first.case}\n" if first.case else "")
        )
    else:
        ET.SubElement(
            case, "skipped", message=_carried(f"{part.verdict}: {says if first.reason else 'no reason given'}")
        )


def _carried(text: str) -> str:
    """Return the text with what XML 1.0 cannot carry as an escape."""
    return _NOT_XML.sub(lambda found: ascii(found[0])[1:-1], text)
