"""Makes a finding small: what can be left out of its bytes is left out, as long as the same is wrong.

Delta debugging, first of the tokens of the language, then of bytes. Every candidate is sent and judged anew, so that
what is left is a witness that was seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.sending import Sender
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.calls import Format
from xenconform.strategies.hostile import Owed
from xenconform.strategies.hostile.mutating import HTTP, JSON, XML, Language, is_surely_malformed

MOST_SENDS: Final = 400
"""So many candidates of one finding are sent."""
MOST_SECONDS: Final = 10.0
"""The longest that one finding is worked on."""
PART: Final = 4
"""One in so many seconds that are left for all findings is for the next one."""
LONG: Final = 2_000_000
"""Requests over so many bytes are left as they are: their length may be what matters."""


@dataclass(slots=True)
class Shrinker:
    """Makes the findings of one run small, for so many seconds in all: a server may be slow to show each of them.

    Each gets a part of what is left, so that the first do not take all of it.
    """

    seconds: float

    def __call__(self, wrong: Wrong, attempt: Attempt, sender: Sender) -> Attempt:
        """Return the smallest attempt that was found to show the same; the same one where none was."""
        began = time.monotonic()
        found = smaller(wrong, attempt, sender, min(MOST_SECONDS, self.seconds / PART))
        self.seconds -= time.monotonic() - began
        return found


def smaller(wrong: Wrong, attempt: Attempt, sender: Sender, seconds: float = MOST_SECONDS) -> Attempt:
    """Return the smallest attempt that was found to show the same in so many seconds; the same one where none was."""
    if attempt.wrote is not None or len(attempt.data) > LONG or len(attempt.pieces) != 1:
        return attempt
    language = _language(attempt)
    bound = wrong.clause == attempt.clause and attempt.owed is not Owed.EITHER
    if bound and not is_surely_malformed(attempt.data, language):
        return attempt  # What is owed is known of the whole alone.
    until, left = time.monotonic() + seconds, [MOST_SENDS]

    def is_over() -> bool:
        return left[0] <= 0 or time.monotonic() > until

    def shows(data: bytes) -> bool:
        if is_over():
            return False
        if bound and not is_surely_malformed(data, language):
            return False
        left[0] -= 1
        return is_shown(wrong, replace(attempt, pieces=(data,)), sender)

    best = attempt.data
    if not shows(best):
        return attempt
    best = _minimized([*language.token.findall(best)], shows, is_over) or best
    best = _minimized([best[at : at + 1] for at in range(len(best))], shows, is_over) or best
    return replace(attempt, pieces=(best,))


def is_shown(wrong: Wrong, attempt: Attempt, sender: Sender) -> bool:
    """Whether an attempt shows what is wrong: the same clause, for the same cause."""
    try:
        found = sender.send(attempt).wrongs
    except Unavailable:  # a server that is gone shows nothing any more
        return False
    return any((each.clause, each.cause) == (wrong.clause, wrong.cause) for each in found)


def _language(attempt: Attempt) -> Language:
    if attempt.end:
        return HTTP
    return XML if attempt.format is Format.XMLRPC else JSON


def _minimized(parts: Sequence[bytes], shows: Callable[[bytes], bool], is_over: Callable[[], bool]) -> bytes:
    """Leave out runs of parts, shorter and shorter ones, until it is over; return what is left.

    That is nothing where the whole shows nothing.
    """
    if not shows(b"".join(parts)):
        return b""
    size = max(1, len(parts) // 2)
    while size and not is_over():
        at = 0
        while at < len(parts) and not is_over():
            fewer = (*parts[:at], *parts[at + size :])
            if fewer and shows(b"".join(fewer)):
                parts = fewer
            else:
                at += size
        size //= 2
    return b"".join(parts)
