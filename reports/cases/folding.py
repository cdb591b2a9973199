"""Long expressions of Python on several lines: as many items on each as there is room for."""

from __future__ import annotations

from collections.abc import Iterator

LINE = 118
"""Columns after which an expression goes on in the next line."""
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def fold(expression: str, indent: int) -> str:
    """Return an expression, indented, broken at the commas of its outermost brackets where it is too long.

    What follows those brackets must be nothing. A text is never broken.
    """
    start = _opening(expression)
    whole = " " * indent + expression
    if len(whole) < LINE or start < 0 or expression[-1] != _CLOSING[expression[start]]:
        return whole
    lines: list[str] = []
    for item in _items(expression[start + 1 : -1]):
        room = lines and "\n" not in lines[-1] and len(lines[-1]) + len(item) + 2 <= LINE
        if room:
            lines[-1] += f" {item},"
        else:
            lines.append(f"{fold(item, indent + 4)},")
    return "\n".join([" " * indent + expression[: start + 1], *lines, " " * indent + expression[-1]])


def _opening(expression: str) -> int:
    """Return where the first bracket is, -1 without one."""
    return next((at for at, each, _ in _scan(expression) if each in _CLOSING), -1)


def _items(inner: str) -> Iterator[str]:
    """Yield the items of a list of expressions."""
    start = 0
    for at, each, depth in _scan(inner):
        if each == "," and depth == 0:
            yield inner[start:at].strip()
            start = at + 1
    if inner[start:].strip():
        yield inner[start:].strip()


def _scan(expression: str) -> Iterator[tuple[int, str, int]]:
    """Yield the characters outside of texts, with their place and how many brackets they stand in."""
    depth, quote, at = 0, "", 0
    while at < len(expression):
        each = expression[at]
        if quote:
            at += each == "\\"
            quote = "" if each == quote else quote
        elif each in "'\"":
            quote = each
        else:
            depth -= each in ")]}"
            yield at, each, depth
            depth += each in "([{"
        at += 1
