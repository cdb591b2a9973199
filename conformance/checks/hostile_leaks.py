"""Level 5, what no reply shows: stack traces, places in a source, paths of the server."""

from __future__ import annotations

import re

from xenconform.conformance.checks.judging import Judge
from xenconform.models.exchange import Exchange

NOWHERE = "/no/such/path"
"""A path at which no server has anything."""
SOURCES = (
    rb"py|ml|mli|go|rs|c|cc|cpp|h|hpp|rb|php|cs|vb|fs|lua|pm|erl|exs?|[cm]?[jt]s|java|kt|scala"
    rb"|[cm]?[jt]sx|hs|swift|dart|clj|groovy|jl|nim|zig"
)
"""The endings of files of source."""
TRACES = re.compile(
    rb"Traceback \(most recent call last\)|\bat [\w.$]+\([\w]+\.(?:java|kt|scala):\d+\)|goroutine \d+ \["
    rb"|Raised (?:at|by)|Called from [\w.]+ in file|\bFile \"[^\"]+\", line \d+|\.(?:" + SOURCES + rb"):(?:line )?\d+"
    rb"|\.p[lm] line \d+|\.php(?:\(\d+\)| on line \d+)|\bCaused by: \w+\.[\w.]+"
    rb"|\(Unknown Source\)|\(Native Method\)|\{line,\d+\}|(?:\n|\\n|&#10;|&#xA;)(?:\\t|\s)*at [\w.$<>`]+\("
    rb"|thread '[^']*' panicked|Stack trace:|stack traceback:|stack backtrace:"
)
PATHS = re.compile(
    rb"(?:/usr/(?:lib|local|share)|/home|/opt|/root|/var/lib|/site-packages)/[\w.-]+|\b[A-Z]:\\\\?[A-Za-z]"
    rb"|(?<![\w.-])/(?:srv|tmp|nix/store|usr/(?:lib64|libexec|src)|var/(?:www|opt|tmp))/[\w.-]+"
    rb"|(?<![\w.:/-])(?:/[\w.@+-]+){2,}" + re.escape(NOWHERE.encode())
)
"""Folders in which servers live, and whatever a server puts before the path that leads nowhere."""


def judge_silent(judge: Judge, what: str, exchange: Exchange) -> None:
    """Assert that a reply shows nothing of the kind that its request did not hold."""
    asked = exchange.sent
    told = b"\n".join([exchange.received, *(value.encode() for _, value in exchange.headers)])
    for kind, pattern in (("a stack trace or a place in a source", TRACES), ("a path of the server", PATHS)):
        found = pattern.search(told)
        shown = found is not None and found[0] not in asked
        said = found[0].decode("utf-8", "replace") if found else ""
        judge.true(not shown, f"the reply to {what} shows no trace, path or source", f"{kind}: {said}", exchange)
