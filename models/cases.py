"""A case: the smallest sequence of calls that shows a defect, as data that anybody can run again.

Objects are Handles: a step that makes one gives it its name, later steps use it; no server's ref is ever part of a
case, so that it runs against any server. The JSON form (`to_json`, `from_json`) loses nothing.

Laws of a case:
1. A handle is used only after the step that `makes` it. Where that step's result is a set, it stands for the first
   object in it that the case has no name for yet; where it is a map, for the first such key.
2. `UuidOf(handle)` stands for the uuid that an earlier step read with get_uuid or get_record.
3. Session 0 is open from the start; each other number is logged in just before it is first used. After
   session.logout a number stays what it was: a session that has ended.
4. Steps of thread 0 run one after the other; a run of steps with other threads runs at the same time, each thread in
   its own order; the next step of thread 0 waits for all of them.
5. The case fails where a step's reply is none that its `expect` allows, or where the replies of concurrent steps,
   with those of the `together` steps after them, are none of the `joint` outcomes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xenconform.models.calls import Call, Failure, Format, Success
from xenconform.models.plain import from_plain, to_plain
from xenconform.models.refusals import STRICT_CODES, matches
from xenconform.models.types import Type, parse
from xenconform.models.values import Handle, UuidOf, Value

FORM = 1
"""The version of the JSON form."""
SHOWN = 300
"""How many characters of a value are told."""


class Wanted(StrEnum):
    """What a success may bring."""

    NOTHING = "nothing"
    """There may be no success."""
    ANY = "any"
    """Any value of the type."""
    VALUE = "value"
    """The value given: whole, but for records, which may have further members, and for sets of refs and maps by ref,
    in which objects that the case did not make count only where the value has them."""
    NEW = "new"
    """A ref, or a uuid, that no object of the case has or had."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What a reply must be: a success as `wanted` says, or a failure with one of `codes`.

    `type` is the result's; `value` is for Wanted.VALUE, with Handles for refs. A code that ends in `*` stands for
    every code that begins so. Parameters of failures are not judged here.
    """

    type: Type
    wanted: Wanted
    value: Value = None
    codes: tuple[str, ...] = ()

    def fails_with(self, code: str) -> bool:
        """Whether a failure of this code is allowed."""
        return matches(code, self.codes)

    def __str__(self) -> str:
        said = {
            Wanted.NOTHING: "",
            Wanted.ANY: "success",
            Wanted.VALUE: "success" if self.value is None else f"success {shown(self.value)}",
            Wanted.NEW: "success with a ref or uuid of no other object",
        }[self.wanted]
        if "*" in self.codes:
            return f"{said} or a failure" if said else "a failure"
        strict = [code for code in self.codes if code in STRICT_CODES]
        failing = f"failure {' or '.join(strict)}" if strict else ""
        domain = "a refusal for the server's own reasons" if len(strict) < len(self.codes) else ""
        return " or ".join(each for each in (said, failing, domain) if each)


def shown(value: Value) -> str:
    """Return a value for people: handles as `class#number`, long ones cut."""
    match value:
        case Handle() | UuidOf():
            text = str(value)
        case tuple():
            text = f"[{', '.join(shown(each) for each in value)}]"
        case dict():
            text = f"{{{', '.join(f'{shown(key)}: {shown(each)}' for key, each in value.items())}}}"
        case _:
            text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a case; see the laws on top. `expect` is None where any answer will do.

    `refused` says that the server on which the case was found refused the step, which it might: the expectations of
    the later steps rest on that, as they else rest on its success.
    """

    call: Call
    format: Format
    session: int = 0
    makes: Handle | None = None
    expect: Expect | None = None
    thread: int = 0
    together: bool = False
    refused: bool = False


Outcomes = tuple[Success | Failure, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A witness: the steps, and what went wrong in the server that it was found on.

    `clause` and `element` as in a judgement. `expected` and `actual` are for people. `joint` are the outcomes that
    the concurrent and `together` steps, in the order of the case, may have as a whole (empty without such steps);
    `repeats` is how many times they are tried from the start before the case is said not to fail.

    In `joint` a failure of code `*` stands for any failure, a success of a step that makes an object is its handle,
    which is an object of its own, and a record or a set is read as for Wanted.VALUE. Reasons of a server's own domain
    are left out of it: where one of these steps fails with a code that `joint` has nowhere for it, nothing is told.
    `came` and `spans` tell what came of the same steps where the case was found, and when: microseconds from the first
    of them to the sending and to the answer of each.
    """

    clause: str
    element: str
    steps: tuple[Step, ...]
    expected: str = ""
    actual: str = ""
    release: str = ""
    joint: tuple[Outcomes, ...] = ()
    repeats: int = 1
    note: str = ""
    came: Outcomes = ()
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def calls(self) -> int:
        """How many calls it takes, logins left out."""
        return len(self.steps)


def to_json(case: Case) -> str:
    """Return a case as JSON text, a member a line at the top, for people to read and `from_json` to take."""
    data = {
        "form": FORM,
        "clause": case.clause,
        "element": case.element,
        "expected": to_plain(case.expected),
        "actual": to_plain(case.actual),
        "release": case.release,
        "repeats": case.repeats,
        "note": case.note,
        "steps": [_step_out(each) for each in case.steps],
        "joint": [[_outcome_out(each) for each in outcomes] for outcomes in case.joint],
        "came": [_outcome_out(each) for each in case.came],
        "spans": [list(each) for each in case.spans],
    }
    return json.dumps(data, indent=1, ensure_ascii=True) + "\n"


def from_json(text: str) -> Case:
    """Return the case that `to_json` wrote.

    Raises:
        ValueError: the text is no case of this form; the message says where.
    """
    try:
        data = json.loads(text)
    except ValueError as why:
        raise ValueError(f"no case: {why}") from None
    if not isinstance(data, dict) or data.get("form") != FORM:
        form = data.get("form") if isinstance(data, dict) else None
        raise ValueError(f"no case of form {FORM}: it says form {form!r}; write it again with this version")
    try:
        return Case(
            clause=data["clause"],
            element=data["element"],
            steps=tuple(_step_in(each) for each in data["steps"]),
            expected=from_plain(data["expected"]),
            actual=from_plain(data["actual"]),
            release=data["release"],
            joint=tuple(tuple(_outcome_in(each) for each in outcomes) for outcomes in data["joint"]),
            repeats=data["repeats"],
            note=data["note"],
            came=tuple(_outcome_in(each) for each in data.get("came", ())),
            spans=tuple((begun, ended) for begun, ended in data.get("spans", ())),
        )
    except (KeyError, TypeError, AttributeError) as why:
        raise ValueError(f"no case: {why!r} is missing or of a wrong kind") from why


def _step_out(step: Step) -> dict[str, Any]:
    out: dict[str, Any] = {
        "call": step.call.message,
        "args": to_plain(step.call.args),
        "format": str(step.format),
    }
    if step.session:
        out["session"] = step.session
    if step.makes is not None:
        out["makes"] = to_plain(step.makes)
    if step.expect is not None:
        out["expect"] = _expect_out(step.expect)
    if step.thread:
        out["thread"] = step.thread
    if step.together:
        out["together"] = True
    if step.refused:
        out["refused"] = True
    return out


def _step_in(data: Mapping[str, Any]) -> Step:
    return Step(
        Call(data["call"], from_plain(data["args"])),
        Format(data["format"]),
        session=data.get("session", 0),
        makes=from_plain(data["makes"]) if "makes" in data else None,
        expect=_expect_in(data["expect"]) if "expect" in data else None,
        thread=data.get("thread", 0),
        together=data.get("together", False),
        refused=data.get("refused", False),
    )


def _expect_out(expect: Expect) -> dict[str, Any]:
    out: dict[str, Any] = {"type": str(expect.type), "wanted": str(expect.wanted), "codes": list(expect.codes)}
    if expect.wanted is Wanted.VALUE:
        out["value"] = to_plain(expect.value)
    return out


def _expect_in(data: Mapping[str, Any]) -> Expect:
    return Expect(parse(data["type"]), Wanted(data["wanted"]), from_plain(data.get("value")), tuple(data["codes"]))


def _outcome_out(outcome: Success | Failure) -> dict[str, Any]:
    if isinstance(outcome, Success):
        return {"value": to_plain(outcome.value)}
    return {"code": outcome.code}


def _outcome_in(data: Mapping[str, Any]) -> Success | Failure:
    return Success(from_plain(data["value"])) if "value" in data else Failure(data["code"])
