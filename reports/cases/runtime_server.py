"""Part of every script of a case: it logs in, sends the calls, judges the replies and cleans up. See `script.py`.

Standard library alone, for Python 3.8 and newer. What is above the line of equal signs goes to the head of a script,
what is below it to its end.
"""

from __future__ import annotations

import http.client
import itertools
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from xenconform.reports.cases.runtime_values import NULL, Reply, Wanted, allowed, read_reply, request, shown

# ======================================================================================================================
# Part 2 of what every such script has: it logs in, sends the calls, judges the replies and cleans up.

SECONDS = 60


class DefectError(Exception):
    """A reply is none of those that the rule allows."""


class CannotRunError(Exception):
    """The case cannot be run to its end on this server."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    file = ""

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self.file)


class Server:
    """The server under test. One connection a thread."""

    def __init__(self, url: str, user: str, password: str, insecure: bool) -> None:
        if "://" not in url and not url.startswith("unix:"):
            local = re.match(r"localhost\b|127\.|\[?::1\b", url)
            url = ("http://" if local else "https://") + url
        self.url, self.user, self.password = urlsplit(url), user, password
        self.tls = ssl.create_default_context()
        if insecure:
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE
        self.own = threading.local()
        self.lock = threading.Lock()
        self.idents = itertools.count(1)
        self.told: list[str] = []
        self.streams = True
        self.forget()

    def forget(self) -> None:
        """Begin anew: no session, no object."""
        self.sessions: dict[int, str] = {}
        self.names: dict[str, str] = {str(NULL): "NULL"}
        self.makers: dict[str, int] = {}
        self.uuids: dict[str, str] = {}
        self.made: list[tuple[str, str]] = []
        self.ours: list[str] = []
        self.replies: dict[int, Reply] = {}
        self.wire = ""
        self.otherwise = ""

    def connection(self) -> http.client.HTTPConnection:
        """Return the connection of this thread."""
        if getattr(self.own, "connection", None) is None:
            if self.url.scheme == "unix":
                self.own.connection = UnixConnection("localhost", timeout=SECONDS)
                self.own.connection.file = unquote(self.url.path)
            elif self.url.scheme == "https":
                self.own.connection = http.client.HTTPSConnection(self.url.netloc, timeout=SECONDS, context=self.tls)
            elif self.url.scheme == "http":
                self.own.connection = http.client.HTTPConnection(self.url.netloc, timeout=SECONDS)
            else:
                raise CannotRunError("give a URL like https://HOST[:PORT] or unix:///PATH/TO/SOCKET")
        found: http.client.HTTPConnection = self.own.connection
        return found

    def send(self, wire: str, method: str, *params: Any) -> Reply:
        """Send one call and return the reply."""
        own_path = "" if self.url.scheme == "unix" else self.url.path.rstrip("/")
        path = own_path or ("/" if wire == "xmlrpc" else "/jsonrpc")
        headers = {"Content-Type": "text/xml" if wire == "xmlrpc" else "application/json"}
        body = request(wire, next(self.idents), method, params).encode()
        connection = None
        try:
            connection = self.connection()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as why:
            if connection is not None:
                connection.close()
            raise CannotRunError(f"no answer to {method}: {type(why).__name__}: {why}") from why
        try:
            return read_reply(wire, said)
        except (ValueError, IndexError, TypeError, ET.ParseError) as why:
            raise CannotRunError(f"no readable answer to {method}: HTTP {answer.status}, {why}") from why

    def log_in(self, number: int, wire: str) -> str:
        """Return the session of a number, logged in if it never was."""
        if number not in self.sessions:
            login = "session.login_with_password"
            reply = self.send(wire, login, self.user, self.password, "1.0", "xenconform")
            if reply.code == "MESSAGE_PARAMETER_COUNT_MISMATCH":
                reply = self.send(wire, login, self.user, self.password)
            if reply.code:
                raise CannotRunError(f"cannot log in as {self.user}: {reply.code}")
            self.sessions[number] = str(reply.value)
            self.wire = self.wire or wire
        return self.sessions[number]

    def call(  # noqa: PLR0913 - what may be said of a step, each by its name
        self,
        number: int,
        wire: str,
        method: str,
        *args: Any,
        expect: Wanted | None = None,
        session: int | None = 0,
        makes: str = "",
        undo: str = "",
        refused: bool = False,
        either: bool = False,
    ) -> Any:
        """Send step `number` and judge its reply.

        `makes` names the object that it gives, which `undo` destroys in the end. `refused`: the case was seen on a
        server that refused this step; the later steps rest on that, as else on its success, unless `either`.
        """
        if self.otherwise:
            raise CannotRunError(self.otherwise)
        params = list(args) if session is None else [self.log_in(session, wire), *args]
        reply = self.send(wire, method, *params)
        self.replies[number] = reply
        taken = [*self.names, *[uuid for ref, uuid in self.uuids.items() if ref != (args or [""])[0]]]
        is_allowed = expect is None or allowed(expect, reply, self.ours, taken)
        value = reply.value
        if (makes or undo) and not reply.code:
            value = self.keep(number, value, makes, undo, found=".get_" in method)
        self.say(f"{number}. {method}({', '.join([shown(each) for each in args])}) over {wire}\n   -> {reply}")
        if not is_allowed:
            raise DefectError(self.named(f"step {number}, {method}\n  expected: {expect}\n  actual:   {reply}"))
        if bool(reply.code) != refused and not either and (expect is None or expect.succeeds):
            took = f"was refused here ({reply.code})" if reply.code else "was refused where this was seen, but not here"
            self.otherwise = f"step {number}, {method}, {took}; the steps after it rest on it"
        if not reply.code and args and isinstance(args[0], str):
            uuid = reply.value if method.endswith(".get_uuid") else ""
            if method.endswith(".get_record") and isinstance(reply.value, dict):
                uuid = reply.value.get("uuid", "")
            self.uuids.update({args[0]: str(uuid)} if uuid else {})
        return value

    def keep(self, number: int, value: Any, name: str, undo: str, *, found: bool) -> str:
        """Give an object its name: of several, the first that has none."""
        listed = [value] if isinstance(value, str) else value if isinstance(value, (list, dict)) else []
        refs = [each for each in listed if each not in self.names or each == value]
        if not refs:
            raise CannotRunError(f"the server lists no object that {name} could be")
        with self.lock:
            self.names.setdefault(refs[0], name or "an object")
            self.makers.setdefault(refs[0], number)
            self.ours += [] if found else [refs[0]]
            if undo:
                self.made.append((undo, refs[0]))
        return str(refs[0])

    def uuid_of(self, ref: str) -> str:
        """Return the uuid of an object, as an earlier step read it."""
        if ref not in self.uuids:
            raise CannotRunError(f"no step has read the uuid of {self.named(ref)}")
        return self.uuids[ref]

    def at_once(self, *threads: Callable[[], None]) -> None:
        """Run each function in a thread of its own, all from the same moment on."""
        barrier, ends = threading.Barrier(len(threads)), []

        def run(body: Callable[[], None]) -> None:
            try:
                self.connection().connect()
                barrier.wait(SECONDS)
                body()
            except Exception as why:  # noqa: BLE001 - raised again where the threads are joined
                barrier.abort()
                ends.append(why)
            finally:
                self.connection().close()

        running = [threading.Thread(target=run, args=(body,)) for body in threads]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        for why in sorted(
            ends, key=lambda each: (not isinstance(each, DefectError), not isinstance(each, CannotRunError))
        ):
            raise why

    def one_of(self, steps: Sequence[int], *outcomes: Sequence[Wanted]) -> None:
        """Demand that the replies to some steps are, as a whole, one of the outcomes."""
        told = "\n".join([f"    {number}. {self.replies[number]}" for number in steps])
        for at, number in enumerate(steps):
            code = self.replies[number].code
            if code and not any(allowed(outcome[at], Reply(code, [])) for outcome in outcomes):
                raise CannotRunError(f"step {number} was refused for a reason of the server's own: {code}")
        for outcome in outcomes:
            if all(self.came(number, want) for number, want in zip(steps, outcome)):  # noqa: B905 - Python 3.8 has none
                return
        orders = "\n".join([f"    {'; '.join([str(each) for each in outcome])}" for outcome in outcomes[:20]])
        raise DefectError(self.named(f"what came is no outcome of any order\n{told}\n  expected one of\n{orders}"))

    def came(self, number: int, want: Wanted) -> bool:
        """Whether a step's reply, by now named, is as wanted; a new reference is one that no other step gave."""
        taken = [ref for ref in self.names if self.makers.get(ref) != number]
        return allowed(want, self.replies[number], self.ours, taken)

    def named(self, text: str) -> str:
        """Return text with the names of objects for their references, and no session."""
        for number, session in list(self.sessions.items()):
            text = text.replace(session, f"session {number}")
        for ref, name in list(self.names.items()):
            text = text.replace(repr(ref), name)
        return text

    def say(self, text: str) -> None:
        """Print a line."""
        with self.lock:
            if self.streams:
                sys.stdout.write(self.named(text) + "\n")
                sys.stdout.flush()
            else:
                self.told.append(self.named(text) + "\n")

    def clean_up(self) -> None:
        """Remove what was made, the newest first, and log out: as far as the server lets us."""
        left = [*reversed(self.made)]
        try:
            for _ in range(2):
                left = [(undo, ref) for undo, ref in left if self.stays(undo, ref)]
            for session in self.sessions.values():
                self.send(self.wire, "session.logout", session)
        except CannotRunError as why:
            self.say(f"While cleaning up: {why}")
        for _, ref in left:
            self.say(f"Left on the server: {self.names[ref]}")
        self.forget()

    def stays(self, undo: str, ref: str) -> bool:
        """Destroy an object; return whether it is still there."""
        reply = self.send(self.wire, undo, self.log_in(0, self.wire), ref)
        if reply.code == "SESSION_INVALID":  # the case itself may have ended it
            del self.sessions[0]
            reply = self.send(self.wire, undo, self.log_in(0, self.wire), ref)
        return reply.code not in {"", "HANDLE_INVALID"}
