"""The low level client: one call in, one Exchange out, whatever the server does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial

from xenconform.conformance.client.reading import Carried, Expected, Sending, read_result
from xenconform.conformance.client.redaction import Secrets
from xenconform.conformance.client.typed import typed
from xenconform.conformance.codec import Ints, Param, codec_for, plain
from xenconform.conformance.transport import HttpReply, Result, SocketTransport, Transport
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Format, Reply, Success
from xenconform.models.exchange import Exchange
from xenconform.models.target import Target
from xenconform.models.types import RefTo, Type
from xenconform.models.values import is_null_text

DEADLINE = 30.0
"""Seconds for one call, where nothing else is said."""

ORIGINATOR = "xenconform"
"""The originator that logins give; servers show it, and bound the sessions of each."""

_SESSION = RefTo("session")
_TASK = RefTo("task")
_BARE = "system.listMethods"


class Unset(Enum):
    """The type of UNSET, which tells a session left to the client from no session at all."""

    UNSET = "unset"


UNSET = Unset.UNSET


@dataclass(frozen=True, slots=True)
class Login:
    """What the client last logged in with, to do it again."""

    format: Format
    user: str
    password: str = field(repr=False)
    version: str
    originator: str


@dataclass(slots=True)
class Client:
    """Sends calls to one server and tells what came of each. Serves one thread; `sibling` gives one for another.

    Attributes:
        target: the server.
        api: the model that names messages, their parameters and results.
        make_transport: makes the way to the target.
        formats: the formats that the target offers; the first carries logouts where `login` was never used.
        deadline: seconds for each call.
        on_exchange: is given every exchange, its secrets hidden, as it happens.
        on_veiled: is given its number and what makes it, for who asks for few of them: to hide secrets takes long.
        session: the ref of the current session, which calls carry; "" before the first login.
        secrets: what `redact` hides.
        numbers: gives each exchange its `seq`, which is also the id of JSON calls; increasing.
        credentials: what the last successful login was given.
        opened: the sessions that this client opened and that it has not seen end.
    """

    target: Target
    api: Api
    make_transport: Callable[[Target], Transport] = SocketTransport
    formats: Sequence[Format] = tuple(Format)
    deadline: float = DEADLINE
    on_exchange: Callable[[Exchange], None] | None = None
    on_veiled: Callable[[int, Callable[[], Exchange]], None] | None = None
    session: str = field(default="", repr=False)
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    credentials: Login | None = field(default=None, repr=False)
    opened: list[str] = field(default_factory=list, init=False, repr=False)
    _transport: Transport = field(init=False)

    def __post_init__(self) -> None:
        self._transport = self.make_transport(self.target)

    def call(  # noqa: PLR0913 - what may be said of a call, each by its name
        self,
        format: Format,  # noqa: A002 - the project's word for the three wire formats
        message: str,
        args: Sequence[object] = (),
        *,
        session: str | Unset | None = UNSET,
        ints: Ints = "text",
        params: Sequence[Param] | None = None,
        result: Type | None = None,
        deadline: float | None = None,
        api: Api | None = None,
    ) -> Exchange:
        """Send one message and return what came. Nothing that a server does raises.

        Args:
            format: the wire format.
            message: the full name, `VM.start` or `Async.VM.start`; one that the model has not is sent all the same.
            args: the typed values of the message's parameters, refs as text, the session left out. Values beyond the
                message's parameters are written by their Python type.
            session: the session ref to put first; None for none; left out, the client's own where the message takes
                one (a message that the model has not, and not `system.…`, does).
            ints: how ints are written: as decimal text, or as the format's own integer.
            params: types and values to send in place of `args`; a type of None takes a codec's node as it stands.
            result: the result's type in place of the model's; for a message that the model has not, None reads the
                value by its tags.
            deadline: seconds, in place of the client's.
            api: types the members of records, in place of the client's model; for records that are bad on purpose.

        Raises:
            Uncarriable: the format cannot carry a value (a ValueError).
        """
        known = self.api.message(message.removeprefix("Async."))
        params = typed(known, args) if params is None else params
        if session is UNSET:
            takes = known.takes_session if known else not message.startswith("system.")
            session = self.session if takes else None
        if result is None and known:
            result = _TASK if message.startswith("Async.") else known.result
        codec, seq = codec_for(format), next(self.numbers)
        whole = params if session is None else [(_SESSION, session), *params]
        sent = codec.encode_call(message, whole, seq, api=api or self.api, ints=ints)
        values = tuple([plain(value) if of is None else value for of, value in params])
        to = (self.target.path_for(format), codec.content_type)
        came = self._carry(Sending(seq, message, values, format, sent, *to), deadline or self.deadline)
        reply = read_result(came.got, Expected(codec, result, came.ident, bare_ok=message == _BARE), self.api)
        if message == "session.change_password" and isinstance(reply.outcome, Success):
            # What is refused changes no password: to hide a plain word of ours would hide it wherever it is a value.
            for word in values:
                self.secrets.add_password(str(word))
        exchange = _exchange(came.seq, message, values, format, sent, reply, came.got)
        self._keep_book(exchange, session)
        return self._tell(exchange)

    def raw(
        self,
        format: Format,  # noqa: A002 - the project's word for the three wire formats
        body: bytes,
        content_type: str | None = None,
        path: str | None = None,
        *,
        deadline: float | None = None,
        result: Type | None = None,
    ) -> Exchange:
        """Post a body made by hand and return what came, read as a result of a type, or by its tags alone.

        The exchange has no message and no args. A session that a login in the body opened is logged out at the end.

        Raises:
            ValueError: `content_type` or `path` has characters that HTTP cannot carry.
        """
        codec, seq = codec_for(format), next(self.numbers)
        path = self.target.path_for(format) if path is None else path
        content_type = codec.content_type if content_type is None else content_type
        came = self._carry(Sending(seq, "", (), format, body, path, content_type), deadline or self.deadline)
        reply = read_result(came.got, Expected(codec, result, None, bare_ok=True), self.api)
        if b"login" in body and isinstance(reply.outcome, Success) and isinstance(reply.outcome.value, str):
            self._opened(reply.outcome.value)
        return self._tell(_exchange(came.seq, "", (), format, body, reply, came.got))

    def note(self, format: Format, sent: bytes, received: bytes, elapsed: float) -> Exchange:  # noqa: A002 - as above
        """Tell of bytes that went over a connection of somebody else's making, HTTP and all, and return the exchange.

        The status is that of the first reply among them; 0 where there is none.
        """
        status = received[9:12] if received.startswith(b"HTTP/1.") and received[9:12].isdigit() else b"0"
        what = Breach("http-status", f"{received[:80]!r}") if received else Breach("http-no-answer", "nothing came")
        told = Exchange(next(self.numbers), "", (), format, sent, received, int(status), (), Reply(what), elapsed)
        return self._tell(told)

    def login(
        self,
        format: Format,  # noqa: A002 - the project's word for the three wire formats
        user: str,
        password: str,
        *,
        version: str = "1.0",
        originator: str = ORIGINATOR,
    ) -> Exchange:
        """Log in; where that succeeds the new session is the client's current one."""
        self.secrets.add_password(password)
        login = "session.login_with_password"
        exchange = self.call(format, login, (user, password, version, originator), session=None)
        match exchange.reply.outcome:
            case Failure("MESSAGE_PARAMETER_COUNT_MISMATCH"):
                # Servers of the first releases take two, and clients have always tried them next.
                exchange = self.call(format, login, (user, password), session=None)
        match exchange.reply.outcome:
            case Success(str(session)) if not is_null_text(session):
                self.session = session
                self.credentials = Login(format, user, password, version, originator)
        return exchange

    def ensure_session(self, exchange: Exchange) -> bool:
        """Log in again where an exchange tells that the current session is gone; return whether there is a new one.

        Servers collect idle sessions, so that a SESSION_INVALID nobody expected need be no defect. The caller sends
        its call again.
        """
        gone = isinstance(exchange.reply.outcome, Failure) and exchange.reply.outcome.code == "SESSION_INVALID"
        if not gone or self.credentials is None:
            return False
        with_ = self.credentials
        if self.session in self.opened:
            self.opened.remove(self.session)
        again = self.login(with_.format, with_.user, with_.password, version=with_.version, originator=with_.originator)
        return isinstance(again.reply.outcome, Success)

    def logout(self, session: str | None = None) -> Exchange:
        """Log a session out, the current one where none is named, over the format of the last login."""
        over = self.credentials.format if self.credentials else self.formats[0]
        return self.call(over, "session.logout", session=self.session if session is None else session)

    def logout_all(self) -> tuple[Exchange, ...]:
        """Log out every session that this client opened; return what failed for another reason than being gone."""
        failed = []
        for session in tuple(self.opened):
            exchange = self.logout(session)
            if session in self.opened:
                failed.append(exchange)
        return tuple(failed)

    def sibling(self) -> Client:
        """Return a client for another thread: a connection of its own, the same session, numbers and secrets.

        `on_exchange` is then called from several threads.
        """
        return replace(self)

    def redact(self, said: str | bytes) -> str | bytes:
        """Return text or bytes with passwords and session refs hidden."""
        return self.secrets.redact(said) if isinstance(said, str) else self.secrets.redact_bytes(said)

    def close(self) -> None:
        """Close the connection; sessions stay open."""
        self._transport.close()

    def _carry(self, sending: Sending, deadline: float) -> Carried:
        """Bring a request to the server and return what came of it."""
        got = self._transport.post(sending.path, sending.body, sending.content_type, deadline)
        return Carried(got, sending.seq, sending.seq)

    def _keep_book(self, exchange: Exchange, session: str | None) -> None:
        """Note sessions that began and ended."""
        cls, _, name = exchange.message.partition(".")
        if cls != "session":
            return
        outcome = exchange.reply.outcome
        if "login" in name and isinstance(outcome, Success) and isinstance(outcome.value, str):
            self._opened(outcome.value)
        ended = isinstance(outcome, Success) or (isinstance(outcome, Failure) and outcome.code == "SESSION_INVALID")
        if name == "logout" and ended and session in self.opened:
            self.opened.remove(session)
            self.secrets.end_session(session)
            self.session = "" if session == self.session else self.session

    def _opened(self, session: str) -> None:
        self.secrets.add_session(session)
        if not is_null_text(session) and session not in self.opened:
            self.opened.append(session)

    def _tell(self, exchange: Exchange) -> Exchange:
        if self.on_exchange is not None:
            self.on_exchange(self.secrets.redact_exchange(exchange))
        if self.on_veiled is not None:
            self.on_veiled(exchange.seq, partial(self.secrets.as_now().redact_exchange, exchange))
        return exchange


def _exchange(  # noqa: PLR0913, PLR0917 - what was asked, and what came
    seq: int, message: str, args: tuple[object, ...], fmt: Format, sent: bytes, reply: Reply, got: Result
) -> Exchange:
    """Return the exchange with what the transport brought; of trouble the bytes that did come, and status 0."""
    if isinstance(got, HttpReply):
        return Exchange(seq, message, args, fmt, sent, got.body, got.status, got.headers, reply, got.elapsed)
    return Exchange(seq, message, args, fmt, sent, got.partial, 0, (), reply, got.elapsed)
