"""What the tools of the kill benchmark share: the budget, the server, the count of calls, and what a tool reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import requests

USER, PASSWORD = "root", "password"
"""Whom the reference server lets in."""
PATIENCE = 5.0
"""Seconds for one call."""


class Spent(Exception):  # noqa: N818 - no error: the budget is used up, or the tool has what it came for
    """The run is over."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run of a tool may use: calls, which are HTTP requests, and seconds from its first one on."""

    calls: int
    seconds: float
    seed: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A server to run a tool on: its URL, the fault in it, "" where it is sound, and the class that is looked at."""

    url: str
    fault: str
    cls: str


@dataclass(frozen=True, slots=True)
class Found:
    """A failure that a tool reported: what identifies it, when it first came, and the tool's words."""

    key: str
    calls: int
    seconds: float
    text: str


@dataclass(slots=True)
class Run:
    """A run of a tool under way: counts calls, keeps each failure once, and ends when the budget is used up.

    `known` holds the keys of failures that the tool also reports of a sound server. One that is not among them ends the
    run, unless `whole` is set, as it is for the sound server itself.
    """

    budget: Budget
    known: Collection[str] = ()
    whole: bool = False
    calls: int = 0
    found: dict[str, Found] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._started

    @property
    def kill(self) -> Found | None:
        """The first failure that the sound server does not have."""
        return next((each for each in self.found.values() if each.key not in self.known), None)

    @property
    def over(self) -> bool:
        """Whether nothing more may be, or need be, sent."""
        spent = self.calls >= self.budget.calls or self.seconds >= self.budget.seconds
        return spent or (not self.whole and self.kill is not None)

    def restart(self) -> None:
        """Let the clock begin now."""
        self._started = time.monotonic()

    def count(self) -> None:
        """Count a call that is about to be sent.

        Raises:
            Spent: it must not be.
        """
        if self.over:
            raise Spent
        self.calls += 1

    def report(self, key: str, text: str, calls: int = 0) -> None:
        """Keep a failure, the first of its key; `calls` tells by which call it came, the last one if left out."""
        self.found.setdefault(
            key, Found(key, calls or self.calls, round(self.seconds, 2), " ".join(text.split())[:300])
        )


Tool: TypeAlias = Callable[[Subject, Run], None]
"""Tries a server until it has nothing more to try; may raise Spent."""


@dataclass(slots=True)
class Wire:
    """A plain JSON-RPC 2.0 client that counts its calls."""

    subject: Subject
    run: Run
    session: str = ""
    _http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._http.trust_env = False

    def post(self, body: bytes, path: str = "/jsonrpc", content_type: str = "application/json") -> requests.Response:
        """Send a body and return the HTTP response."""
        self.run.count()
        url = self.subject.url.rstrip("/") + path
        return self._http.post(url, data=body, headers={"content-type": content_type}, timeout=PATIENCE)

    def reply(self, method: str, *params: Any) -> dict[str, Any]:
        """Send a call, the session not added, and return the reply's object.

        Raises:
            requests.RequestException: there was no answer, or one that is no JSON.
        """
        self.run.count()
        url = self.subject.url.rstrip("/") + "/jsonrpc"
        call = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": self.run.calls}
        reply = self._http.post(url, json=call, timeout=PATIENCE).json()
        return reply if isinstance(reply, dict) else {}

    def login(self) -> None:
        """Open a session; `session` is "" afterwards where that failed."""
        self.session = str(self.reply("session.login_with_password", USER, PASSWORD, "1.0", "kills").get("result", ""))

    def refs(self, cls: str) -> list[str]:
        """Return the references of the objects of a class, as far as they can be listed."""
        listed = self.reply(f"{cls}.get_all", self.session).get("result")
        return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
