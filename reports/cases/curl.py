"""A case as a POSIX shell file with one curl call a step, for those who want to see the bytes.

A shell cannot read values: it tells the step that fails by pieces of the reply, and says so where it cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.cases import Case, Expect, Step, Wanted, to_json
from xenconform.models.matching import handles_in
from xenconform.models.types import Float, MapOf, RecordOf, RefTo, SetOf, Type, Void
from xenconform.models.values import Handle, UuidOf, Value
from xenconform.reports.cases.fragments import Speller
from xenconform.reports.cases.naming import (
    comment,
    heading,
    is_either,
    is_told,
    message_of,
    plain_text,
    result_of,
    takes_session,
    undone_by,
    variable,
)
from xenconform.reports.cases.runtime_values import request
from xenconform.reports.cases.settling import settled
from xenconform.reports.cases.shell import HEAD

USE = """
Run it:    sh THIS_FILE [--insecure] URL             (POSIX sh, curl, sed)
Log in:    as XENCONFORM_USER (default: root) with XENCONFORM_PASSWORD (asked for where it is not set)
Exit code: 1 the defect shows, 0 it does not, 2 cannot be run here, or a person must compare
It makes its own objects and removes them in the end. The steps are at the bottom.
The Python script beside it judges more exactly."""
BEYOND = "it takes what a shell cannot read; run the Python script beside this file"


def curl(case: Case, api: Api, target: str | None = None) -> str:
    """Return a shell file that runs a case on a server, one curl call a step; arguments as for `script`.

    Raises:
        ValueError: a step uses an object that no step before it makes.
    """
    case = settled(case)
    first = next((str(step.format) for step in case.steps), str(Format.XMLRPC))
    sessions = sorted({0, *(step.session for step in case.steps)})
    head = HEAD.replace("@URL@", re.sub(r"[^!-~]|[\"$`\\}]", "", target or "")).replace("@WIRE@", first)
    head = head.replace("@SESSIONS@", " ".join([f'"$session_{each}"' for each in sessions]))
    hide = " \\\n".join([f'        -e "s|$session_{each}|(session {each})|g"' for each in sessions])
    parts = [
        "#!/bin/sh",
        comment([*heading(case), *USE.splitlines()]),
        head,
        *[f"session_{each}=none" for each in sessions],
        f"hide() {{\n    sed \\\n{hide}\n}}\n",
        "# " + "-" * 50 + " the steps",
    ]
    return "\n".join([*parts, *_Writer(api, case).lines(), ""])


@dataclass(slots=True)
class _Writer:
    """Writes the steps. `salt` makes marks that stand for a shell's variables and occur in no value."""

    api: Api
    case: Case
    salt: str = "ref"
    known: list[Handle] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    uuids: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        text = to_json(self.case)
        while f"@{self.salt}:" in text:
            self.salt += "x"

    def lines(self) -> Iterator[str]:
        numbered = list(enumerate(self.case.steps, 1))
        if not self._is_for_shells():
            yield f"stop '{BEYOND}'"
            return
        racing = any(step.thread for step in self.case.steps)
        last = max((number for number, step in numbered if is_told(step)), default=len(numbered))
        for together, group in groupby(numbered, key=lambda each: each[1].thread > 0):
            steps = list(group)
            if together:
                yield from self._threads(steps)
            else:
                for number, step in steps:
                    yield from self._step(number, step, is_last=number == last and not racing)
        if racing:
            yield "\nunsure 'one of the outcomes that the Python script lists'"
        else:
            yield "\nfine"

    def _is_for_shells(self) -> bool:
        """Whether nothing is taken out of a map, nor out of what runs in the background."""
        hidden: set[Handle] = set()
        for step in self.case.steps:
            if step.makes is not None and isinstance(result_of(self.api, step), MapOf):
                return False
            if hidden & set(handles_in(step.call.args)):
                return False
            hidden |= {step.makes} if step.thread and step.makes is not None else set()
        return True

    def _threads(self, group: Sequence[tuple[int, Step]]) -> Iterator[str]:
        for session, step in sorted({step.session: step for _, step in reversed(group)}.items()):
            yield from self._log_in(session, step.format)
        yield "\n# At the same time:"
        for thread in sorted({step.thread for _, step in group}):
            yield "("
            for number, step in group:
                if step.thread == thread:
                    yield from self._step(number, replace(step, makes=None), is_last=False)
            yield ") &"
        yield "wait"

    def _log_in(self, session: int, wire: str) -> Iterator[str]:
        if session not in self.sessions:
            self.sessions.add(session)
            yield f"\nlog_in {wire}\nsession_{session}=$value"

    def _step(self, number: int, step: Step, *, is_last: bool) -> Iterator[str]:
        with_session = takes_session(self.api, step)
        if with_session:
            yield from self._log_in(step.session, step.format)
        wanted = f": {plain_text(str(step.expect))}" if step.expect is not None else ""
        yield f"\n# {number}. {plain_text(step.call.message)}{wanted}"
        first = [f"@{self.salt}:session_{step.session}@"] if with_session else []
        known = message_of(self.api, step)
        types = [param.type for param in known.params] if known else []
        args = [self._plain(types[at] if at < len(types) else None, arg) for at, arg in enumerate(step.call.args)]
        body = request(str(step.format), number, step.call.message, [*first, *args]).replace("'1.0'", '"1.0"', 1)
        yield f"send {number} {self._sh(step.call.message)} {step.format} {self._sh(body)}"
        undo = undone_by(self.api, step)
        if undo:
            yield f'[ "$status" = failure ] || {{ take {step.format}; made="{undo}=$value $made"; }}'
        expect = step.expect
        if is_last and expect is not None:
            yield from self._judge(number, step, expect)
        elif expect is not None and not is_either(step):
            yield f"must {'failure' if step.refused or expect.wanted is Wanted.NOTHING else 'success'} {number}"
        if number < self.case.calls:
            yield from self._take(step)

    def _take(self, step: Step) -> Iterator[str]:
        """Yield what keeps an object's ref or uuid in a variable of the shell."""
        method = step.call.message
        if step.makes is not None:
            if isinstance(result_of(self.api, step), SetOf):
                yield f'take_first {step.format} "{" ".join([f"${variable(each)}" for each in self.known])}"'
            else:
                yield f"take {step.format}"
            yield f"{variable(step.makes)}=$value"
            self.known.append(step.makes)
        elif method.endswith((".get_uuid", ".get_record")) and step.call.args and isinstance(step.call.args[0], Handle):
            uuid = f"uuid_of_{variable(step.call.args[0])}"
            self.uuids[uuid] = None
            yield f'{uuid}=none\n[ "$status" = failure ] || {{ take_uuid {step.format}; {uuid}=$value; }}'

    # -------------------------------------------------------------------------------------------------------- judging

    def _judge(self, number: int, step: Step, expect: Expect) -> Iterator[str]:
        """Yield what compares the reply to the step that fails with what it must be."""
        shows = f"shows {number} {self._sh(plain_text(str(expect)))}"
        fragments = [self._sh(self._code(step.format, each)) for each in expect.codes]
        codes = "" if "*" in expect.codes else " ".join(fragments)
        yield 'if [ "$status" = failure ]; then'
        yield f"    has {codes} || {shows}" if codes else "    :" if expect.codes else f"    {shows}"
        yield "else"
        yield from (f"    {line}" for line in self._judge_value(step, expect, shows))
        yield "fi"

    def _judge_value(self, step: Step, expect: Expect, shows: str) -> Iterator[str]:
        unsure = f"unsure {self._sh(plain_text(str(expect)))}"
        if expect.wanted is Wanted.NOTHING:
            yield shows
        elif expect.wanted is Wanted.NEW:
            yield f"take {step.format}"
            taken = [*(variable(each) for each in self.known), *self.uuids]
            known = " ".join(["OpaqueRef:NULL", *[f"${each}" for each in taken]])
            yield f'case " {known} " in *" $value "*) {shows} ;; esac'
        elif expect.wanted is Wanted.VALUE and not isinstance(expect.type, Void):
            objects = [each for each in self.known if RefTo(each.cls) == getattr(expect.type, "item", None)]
            speller = Speller(step.format, self.api, self._mark)
            told = speller.tell(expect.type, expect.value, self._texts(), objects)
            yield from (f"if has {self._sh(each)}; then {shows}; fi" for each in told.must_not)
            for spelled, sure in told.must:
                yield f"has {' '.join([self._sh(each) for each in spelled])} || {shows if sure else unsure}"
            if not told.whole:
                yield unsure
        else:
            yield ":"

    def _code(self, wire: Format, code: str) -> str:
        """Return an error code as a reply has it; one that ends in * stands for a beginning."""
        before, after = ("<value>", "</value>") if wire is Format.XMLRPC else ('"', '"')
        return before + code[:-1] if code.endswith("*") else before + code + after

    def _texts(self) -> list[str]:
        """Return the texts of the case's arguments, records left out."""
        found: dict[str, None] = {}

        def note(value: Value) -> None:
            match value:
                case str():
                    found[value] = None
                case tuple():
                    for each in value:
                        note(each)
                case dict():
                    note((*value, *value.values()))

        for step in self.case.steps:
            for arg in step.call.args:
                note(arg)
        return [each for each in found if each.strip()]

    # --------------------------------------------------------------------------------------------------------- values

    def _plain(self, of: Type | None, value: Value) -> Value:
        """Return a value as `request` takes it, with marks for what a shell's variables hold."""
        match of, value:
            case _, Handle():
                return "OpaqueRef:NULL" if value.is_null else self._mark(value)
            case _, UuidOf():
                return self._mark(value)
            case _, tuple():
                return [self._plain(of.item if isinstance(of, SetOf) else None, each) for each in value]
            case RecordOf(cls), dict():
                fields = self.api.classes[cls].fields
                return {n: self._plain(fields[n].type if n in fields else None, v) for n, v in value.items()}
            case _, dict():
                item = of.value if isinstance(of, MapOf) else None
                return {self._plain(None, name): self._plain(item, each) for name, each in value.items()}
            case Float(), int():
                return float(value)
            case _:
                return value

    def _mark(self, value: Handle | UuidOf) -> str:
        handle = value.handle if isinstance(value, UuidOf) else value
        if handle not in self.known:
            raise ValueError(f"{handle} is used before a step makes it")
        return f"@{self.salt}:{'uuid_of_' if isinstance(value, UuidOf) else ''}{variable(handle)}@"

    def _sh(self, text: str) -> str:
        """Return text as a word of a shell, with variables where marks stand."""
        word = "'" + text.replace("'", "'\\''") + "'"
        return re.sub(f"@{self.salt}:([A-Za-z0-9_]+)@", "'\"$\\1\"'", word)
