"""When concurrent calls were on their way: a picture with a row a thread and a bar from each call to its reply."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from xenconform.models.calls import Failure, Success
from xenconform.models.cases import Case, Step, shown
from xenconform.reports.cases.naming import plain_text, without_refs

WIDTH, LEFT, RIGHT, TOP, BAR, GAP, LABEL = 900, 90, 30, 70, 16, 8, 34
"""Pixels: the bars' room begins at LEFT; each call has a row of BAR + LABEL, for its label stands below its bar."""
CHARACTERS = 110
_STYLE = """
text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1d2733 }
.title { font: 600 16px system-ui, 'DejaVu Sans', sans-serif } .row { font-weight: 700 } .axis { fill: #51606e }
.ground { fill: #fbfcfd } .lane { fill: #eef2f6 } .bar { fill: #1f6fb2 }
.failed { fill: #b3541e } .later { fill: #2b7a4b } .tick { stroke: #c5ced8 }
@media (prefers-color-scheme: dark) {
text { fill: #e3e9f0 } .axis { fill: #9fb0c0 } .ground { fill: #141a21 } .lane { fill: #1d2630 }
.bar { fill: #5aa9e6 } .failed { fill: #e6915a } .later { fill: #6cc28f } .tick { stroke: #3a4856 }
}
"""


def timeline(case: Case) -> str:
    """Return the text of an SVG document of the concurrent and `together` steps of a case, as its `spans` have them.

    The same case gives the same text.

    Raises:
        ValueError: the case has not a span for each of those steps.
    """
    steps = [step for step in case.steps if step.thread or step.together]
    if len(steps) != len(case.spans) or not steps:
        raise ValueError(f"{len(case.spans)} spans for {len(steps)} concurrent steps")
    longest = max(1, *(end for _, end in case.spans))
    title = plain_text(f"{case.clause}: {case.element}")
    rows, y = [], float(TOP)
    for thread in sorted({step.thread for step in steps}, key=lambda each: (each == 0, each)):
        own = [at for at, step in enumerate(steps) if step.thread == thread]
        height = len(own) * (BAR + LABEL) + GAP
        name = f"thread {thread}" if thread else "after"
        rows.append(f'<rect class="lane" x="0" y="{y:.0f}" width="{WIDTH}" height="{height}"/>')
        rows.append(f'<text class="row" x="12" y="{y + 20:.0f}">{name}</text>')
        for number, at in enumerate(own):
            rows += _bar(case, steps[at], at, y + GAP + number * (BAR + LABEL), longest)
        y += height + GAP
    size, title = f"{WIDTH} {y + 30:.0f}", escape(title)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{WIDTH}" role="img">',
        f"<title>{title}</title><style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{y + 30:.0f}"/>',
        f'<text class="title" x="12" y="26">{title}</text>',
        f'<text class="axis" x="12" y="48">{escape(_caption(case))}</text>',
    ]
    return "\n".join([*head, *rows, *_axis(longest, y), "</svg>", ""])


def _caption(case: Case) -> str:
    count = len(case.joint)
    outcomes = f"; {count} outcome{'s are' if count > 1 else ' is'} allowed" if count else ""
    return f"no order of these calls gives these replies{outcomes}"


def _bar(case: Case, step: Step, at: int, y: float, longest: int) -> Sequence[str]:
    sent, received = case.spans[at]
    left, right = _x(sent, longest), _x(received, longest)
    came = case.came[at] if at < len(case.came) else None
    kind = "failed" if isinstance(came, Failure) else "bar" if step.thread else "later"
    args = ", ".join(shown(each) for each in step.call.args)
    call, reply = f"{step.call.message}({args})", _cut(_said(came), CHARACTERS // 2)
    label = escape(f"{_cut(call, CHARACTERS - len(reply) - 4)} -> {reply}")
    when = f"{step.format}, {sent} to {received} microseconds"
    whole = escape(plain_text(without_refs(f"{call} -> {_said(came)}, {when}")))
    place = f'x="{left:.1f}" y="{y:.0f}" width="{max(2.0, right - left):.1f}" height="{BAR}" rx="3"'
    return (
        f'<rect class="{kind}" {place}><title>{whole}</title></rect>',
        f'<text x="{LEFT}" y="{y + BAR + 15:.0f}">{label}</text>',
    )


def _said(came: Success | Failure | None) -> str:
    if came is None:
        return "?"
    if isinstance(came, Failure):
        return came.code
    return "done" if came.value is None else shown(came.value)


def _axis(longest: int, y: float) -> Sequence[str]:
    lines = []
    for part in range(5):
        at = longest * part / 4
        x = _x(at, longest)
        lines.append(f'<path class="tick" d="M{x:.1f} {TOP}V{y:.0f}"/>')
        lines.append(f'<text class="axis" x="{x:.1f}" y="{y + 18:.0f}" text-anchor="middle">{at / 1000:.2f} ms</text>')
    return lines


def _x(at: float, longest: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / longest


def _cut(text: str, most: int) -> str:
    plain = plain_text(without_refs(text))
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."
