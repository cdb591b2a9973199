"""Our own sessions while hostile input is sent: one that has ended is told apart from one that is wrongly refused.

Servers collect idle sessions, and a server that takes a hostile text for one of ours may log it out. What is refused in
a session that has ended tells nothing of the server.
"""

from __future__ import annotations

from collections.abc import Sequence

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.sessions import INVALID
from xenconform.conformance.client import Client
from xenconform.models.calls import Format


class Sessions:
    """The session of a bench, whichever it is at the time, and some more: `by_format` is one opened over each format.

    `lost` are those that have ended, in the order in which that was seen.
    """

    def __init__(self, bench: Bench, listing: str, by_format: Sequence[str]) -> None:
        self._bench, self._listing = bench, listing
        self.by_format = tuple(by_format)
        self.lost: list[str] = []
        self._opened: dict[str, Format] = dict(zip(self.by_format, bench.formats, strict=True))
        self.note()

    def note(self) -> str:
        """Take note of the session that the bench has now, and return it: it logs in again where one was refused."""
        client = self._bench.client
        over = client.credentials.format if client.credentials else self._bench.formats[0]
        self._opened.setdefault(client.session, over)
        return client.session

    def is_lost(self, request: bytes) -> bool:
        """Whether a request names a session of ours that has ended; another stands in its place then.

        Raises:
            Unavailable: no other can be opened.
            TargetGoneError: the server no longer answers.
        """
        self.note()
        named = [session for session in self._opened if session.encode() in request]
        return any(map(self.has_ended, named))

    def has_ended(self, session: str) -> bool:
        """Whether a session of ours serves no longer, not even over the format that it was opened over.

        Raises:
            Unavailable: no other can be opened.
            TargetGoneError: the server no longer answers.
        """
        if session in self.lost:
            return True
        exchange = self._bench.client.call(self._opened[session], self._listing, session=session)
        if not is_refused(exchange, INVALID):
            return False
        self.lost.append(session)
        if session in self.by_format:
            over = self._opened[session]
            again = opened(self._bench, over)
            self._opened[again] = over
            self.by_format = tuple(again if each == session else each for each in self.by_format)
        if session == self._bench.client.session:
            self._bench.client.ensure_session(exchange)
        self.note()
        return True

    def is_over(self, client: Client) -> bool:
        """Whether the session of a client is no longer one; no other is opened."""
        over = self._opened.get(client.session, self._bench.formats[0])
        return is_refused(client.call(over, self._listing), INVALID)

    def in_place(self, request: bytes) -> bytes:
        """Return a request with the session that the bench has now in place of one that has ended."""
        now = self.note().encode()
        for session in self.lost:
            request = request.replace(session.encode(), now)
        return request
