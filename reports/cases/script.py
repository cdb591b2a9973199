"""A case as a Python script that stands by itself: the steps on top, one a line, and below them all that they need.

The lower part is the text of the modules `runtime_...`, which no case changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import groupby

from xenconform.models.api import Api
from xenconform.models.calls import Failure, Success
from xenconform.models.cases import Case, Expect, Step, Wanted
from xenconform.models.types import Void
from xenconform.reports.cases.expressions import Expressions, codes_of, text_of
from xenconform.reports.cases.folding import fold
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
    without_refs,
)
from xenconform.reports.cases.settling import settled

FEW = 2
"""Up to so many error codes stand in a step itself."""
PARTS = ("runtime_values.py", "runtime_server.py", "runtime_main.py")
"""What every script has."""
UNTOLD = "no list of outcomes; these calls are judged by the order of their times: run xenconform replay"
"""What a script says of concurrent calls whose allowed outcomes are not listed."""
SHORT = 90
"""Characters of a reply that is told beside a step."""
_IMPORT = re.compile(r"^(import .+|from (?!xenconform|__future__).+ import) ?(.*)$", re.MULTILINE)
USE = """
Run it:    python3 THIS_FILE [URL] [--insecure]      (Python 3.8 or newer, nothing else is needed)
Log in:    as XENCONFORM_USER (default: root) with XENCONFORM_PASSWORD (asked for where it is not set)
Exit code: 1 the defect shows, 0 it does not, 2 the case cannot be run here
It makes its own objects and removes them in the end. The steps are in steps(), right below."""


def script(case: Case, api: Api, target: str | None = None) -> str:
    """Return a Python script that runs a case on a server, given on its command line, and tells whether it fails.

    Args:
        case: the case.
        api: the model: the types of arguments and results, and what destroys an object.
        target: the address that is taken where none is given.

    Raises:
        ValueError: a step uses an object that no step before it makes, or a value that a call cannot carry.
    """
    case = settled(case)
    imports, bodies = _runtime()
    writer = _Writer(api, case)
    steps = writer.steps()
    top = comment([*heading(case), *USE.splitlines()])
    constants = "".join([fold(f"{name} = {codes_of(codes)}", 0) + "\n" for codes, name in writer.constants.items()])
    ending = f'if __name__ == "__main__":\n    sys.exit(main(steps, {text_of(target or "")}, {case.repeats}))\n'
    parts = [f"#!/usr/bin/env python3\n{top}\n\n{imports}\n", f"{constants}\n" if constants else "", steps, bodies]
    return "\n".join([*[part for part in parts if part], ending])


@cache
def _runtime() -> tuple[str, str]:
    """Return the imports of the parts that every script has, and the parts."""
    modules: dict[str, set[str]] = {}
    bodies = []
    for name in PARTS:
        text = files("xenconform.reports.cases").joinpath(name).read_text("utf-8")
        head, _, body = text.partition("# =====")
        for module, names in re.findall(
            r"^(import .+|from (?!xenconform|__future__).+ import) ?(.*)$", head, re.MULTILINE
        ):
            modules.setdefault(module.strip(), set()).update(names.split(", "))
        bodies.append(re.sub(r"  #\x20noqa: .*$", "", f"\n# ====={body}", flags=re.MULTILINE))
    ordered = sorted(modules, key=lambda module: (module.startswith("from"), module))
    lines = [f"{module} {', '.join(sorted(modules[module]))}".rstrip() for module in ordered]
    return "\n".join(["from __future__ import annotations\n", *lines, ""]), "\n".join(bodies)


@dataclass(slots=True)
class _Writer:
    """Writes the steps. `constants` are lists of error codes that get a name."""

    api: Api
    case: Case
    constants: dict[tuple[str, ...], str] = field(default_factory=dict)
    values: Expressions = field(init=False)
    sessions: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.values = Expressions(self.api)

    def steps(self) -> str:
        """Return the function that runs the steps."""
        lines = ['def steps(server: Server) -> None:\n    """Run the case."""']
        numbered = list(enumerate(self.case.steps, 1))
        last = max((number for number, step in numbered if is_told(step)), default=0)
        for together, group in groupby(numbered, key=lambda each: each[1].thread > 0):
            if together:
                lines += self._threads(list(group))
                continue
            for number, step in group:
                if number == last and not self.case.joint and self.case.actual:
                    lines.append(f"    # Here the server went wrong: {_short(self.case.actual)}")
                lines.append(self._step(number, step, 4))
        if self.case.joint:
            lines += self._joint(numbered)
        elif any(step.thread for step in self.case.steps):
            lines.append(f"    raise CannotRunError({text_of(UNTOLD)})")
        return "\n".join(lines) + "\n"

    def _threads(self, group: Sequence[tuple[int, Step]]) -> Iterator[str]:
        """Yield the functions that run at the same time."""
        made = [variable(step.makes) for _, step in group if step.makes is not None]
        yield from (f'    {name} = ""' for name in made)
        for session, step in sorted({step.session: step for _, step in reversed(group)}.items()):
            if session not in self.sessions:
                self.sessions.add(session)
                yield f'    server.log_in({session}, "{step.format}")'
        before = frozenset(self.values.known)
        after = set(before)
        threads = sorted({step.thread for _, step in group})
        for thread in threads:
            self.values.known = set(before)
            yield f"\n    def thread_{thread}() -> None:"
            own = [variable(step.makes) for _, step in group if step.makes is not None and step.thread == thread]
            if own:
                yield f"        nonlocal {', '.join(own)}"
            for number, step in group:
                if step.thread == thread:
                    yield self._step(number, step, 8)
            after |= self.values.known
        self.values.known = after
        yield f"\n    server.at_once({', '.join([f'thread_{thread}' for thread in threads])})"

    def _joint(self, numbered: Sequence[tuple[int, Step]]) -> Iterator[str]:
        told = [(number, step) for number, step in numbered if step.thread or step.together]
        yield "    # The replies to these steps, as a whole, must be one of the outcomes below: one for each order."
        yield f"    server.one_of(\n        [{', '.join([str(number) for number, _ in told])}],"
        for outcomes in self.case.joint:
            if len(outcomes) != len(told):
                raise ValueError(f"{len(outcomes)} outcomes for {len(told)} steps")
            wanted = [self._outcome(step, outcome) for (_, step), outcome in zip(told, outcomes, strict=True)]
            yield fold(f"[{', '.join(wanted)}]", 8) + ","
        yield "    )"

    def _outcome(self, step: Step, outcome: Success | Failure) -> str:
        if isinstance(outcome, Failure):
            return "failure()" if outcome.code == "*" else f"failure({text_of(outcome.code)})"
        of = result_of(self.api, step)
        if step.makes is not None and outcome.value == step.makes:
            return "a_new_one()"
        if of is None or isinstance(of, Void):
            return "success()"
        return f"success({self.values.wanted(of, outcome.value)})"

    def _step(self, number: int, step: Step, indent: int) -> str:
        """Return a step as a call, on several lines where one is too long."""
        known = message_of(self.api, step)
        types = [param.type for param in known.params] if known else []
        parts = [str(number), f'"{step.format}"', text_of(step.call.message)]
        for at, arg in enumerate(step.call.args):
            parts.append(self.values.given(types[at] if at < len(types) else None, arg))
        if step.expect is not None:
            parts.append(f"expect={self._expect(step.expect)}")
        if not takes_session(self.api, step):
            parts.append("session=None")
        elif step.session:
            parts.append(f"session={step.session}")
        if step.refused:
            parts.append("refused=True")
        elif is_either(step):
            parts.append("either=True")
        target = ""
        if step.makes is not None:
            name = variable(step.makes)
            target = f"{name} = "
            parts.append(f'makes="{name}"')
            self.values.known.add(step.makes)
        undo = undone_by(self.api, step)
        parts += [f"undo={text_of(undo)}"] if undo else []
        self.sessions.add(step.session)
        return fold(f"{target}server.call({', '.join(parts)})", indent)

    def _expect(self, expect: Expect) -> str:
        codes = tuple(expect.codes)
        if expect.wanted is Wanted.NOTHING:
            return f"failure({'' if '*' in codes else ', '.join([text_of(code) for code in codes])})"
        value = ""
        if expect.wanted is Wanted.VALUE and not isinstance(expect.type, Void):
            value = self.values.wanted(expect.type, expect.value)
        refusals = ""
        if codes:
            refusals = codes_of(codes) if len(codes) <= FEW else self._constant(codes)
        name = "a_new_one" if expect.wanted is Wanted.NEW else "success"
        return f"{name}({', '.join([each for each in (value, refusals and f'or_failure={refusals}') if each])})"

    def _constant(self, codes: tuple[str, ...]) -> str:
        number = len(self.constants) + 1
        return self.constants.setdefault(codes, "REFUSALS" if number == 1 else f"REFUSALS_{number}")


def _short(text: str) -> str:
    plain = plain_text(without_refs(text))
    return plain if len(plain) <= SHORT else f"{plain[:SHORT]}..."
