"""The names and the comments that the files of a case share."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace

from xenconform.models.api import Api, Message
from xenconform.models.cases import Case, Step, Wanted, to_json
from xenconform.models.clauses import catalogue
from xenconform.models.query import where_message
from xenconform.models.types import RefTo, Type
from xenconform.models.values import Handle

WIDTH = 110
"""Columns of a comment's text."""
REF = re.compile(r"OpaqueRef:(?!NULL\b)[^\s'\",;)\]}<>]+")
"""A server's reference as most of them look, in text for people."""
COPIES = frozenset({"clone", "copy", "snapshot", "checkpoint", "snapshot_with_quiesce"})
"""Messages, besides the constructors, whose result is a new object."""


def case_name(case: Case) -> str:
    """Return the name of a case's files: its clause, its element and a few digits that tell it from others.

    A case with the same calls and the same expectations has the same name, whatever came of it.
    """
    same = replace(case, expected="", actual="", note="", came=(), spans=())
    digest = hashlib.sha256(to_json(same).encode()).hexdigest()[:8]
    element = re.sub(r"[^A-Za-z0-9]+", "_", case.element).strip("_")[:60] or "server"
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', case.clause)}-{element}-{digest}"


def variable(handle: Handle) -> str:
    """Return the name of an object in a script, Python's or a shell's.

    Raises:
        ValueError: the class's name is none that a variable can have.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", handle.cls) or handle.n < 0:
        raise ValueError(f"no name for an object: {handle.cls!r} {handle.n}")
    return f"{handle.cls}_{handle.n}"


def message_of(api: Api, step: Step) -> Message | None:
    """Return the message of a step, None where the model has it not."""
    name = step.call.message.removeprefix("Async.")
    return api.message(name) or where_message(api, name)


def result_of(api: Api, step: Step) -> Type | None:
    """Return the type of a step's result, None where the model does not know it."""
    if step.call.message.startswith("Async."):
        return RefTo("task")
    known = message_of(api, step)
    return known.result if known else step.expect.type if step.expect else None


def takes_session(api: Api, step: Step) -> bool:
    """Whether a step's first parameter is a session, as the client sees it."""
    known = message_of(api, step)
    return bool(step.session) or (known.takes_session if known else not step.call.message.startswith("system."))


def undone_by(api: Api, step: Step) -> str:
    """Return the message that destroys what a step makes if it succeeds, nothing where it finds or makes nothing."""
    of, name = result_of(api, step), step.call.message.rpartition(".")[2]
    if not isinstance(of, RefTo) or of.cls not in api.classes:
        return ""
    known = api.classes[of.cls]
    makers = {each.message.name for each in known.constructors} | COPIES
    makes = name in makers or of.cls == "task"
    return f"{of.cls}.{known.destructor}" if makes and known.destructor and of.cls != "session" else ""


def is_either(step: Step) -> bool:
    """Whether nothing that comes later rests on a step's success: any reply does, or success and every failure."""
    expect = step.expect
    return expect is None or bool(step.thread or step.together) or "*" in expect.codes


def is_told(step: Step) -> bool:
    """Whether a step has something to judge."""
    return step.expect is not None and (step.expect.wanted is not Wanted.ANY or "*" not in step.expect.codes)


def without_refs(text: str) -> str:
    """Return text for people without the references of one server."""
    return REF.sub("(a ref)", text)


def heading(case: Case) -> list[str]:
    """Return what is broken, in lines for people: the rule, what was expected of the server, what it did."""
    rule = catalogue().get(case.clause)
    lines = [f"{case.clause}: {case.element}"]
    if rule is not None:
        lines += ["", *_wrapped("Rule: ", f"{rule.rule} ({rule.severity}; {rule.source})")]
    lines += ["", *_wrapped("Expected: ", case.expected), *_wrapped("Actual:   ", case.actual)]
    if case.release:
        lines += _wrapped("Release of the API: ", case.release)
    if case.note:
        lines += _wrapped("Note: ", case.note)
    return lines


def _wrapped(label: str, text: str) -> Iterator[str]:
    if text:
        plain = plain_text(without_refs(text))
        yield from textwrap.wrap(label + plain, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def plain_text(text: str) -> str:
    """Return text in printable ASCII, on one line, so that it can stand in any comment."""
    return "".join([each if " " <= each <= "~" else ascii(each)[1:-1] for each in text])


def comment(lines: list[str]) -> str:
    """Return lines as a comment of Python or of a shell."""
    return "\n".join(f"# {plain_text(line)}".rstrip() for line in lines)
