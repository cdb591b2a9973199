"""The reference server without its sockets: a body in, a body out.

Checks run in the order seen on live servers: document, characters, method, parameter count, types, session, role,
then references and meaning by the World. The first branch of the World's prediction is what happens.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from xenconform.conformance.codec import (
    BadText,
    Codec,
    DecodedCall,
    Scalar,
    WrongType,
    checked_text,
    codec_for,
    read_param,
)
from xenconform.conformance.reference.handlers import HANDLERS, async_call
from xenconform.conformance.reference.plans import Plan
from xenconform.conformance.reference.scan import refuse_bad_text
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal, State, Waiting
from xenconform.models.api import Message
from xenconform.models.calls import Breach, Call, Failure, Format, Success
from xenconform.models.types import RecordOf, Type
from xenconform.models.values import Value

PATHS = frozenset({"/", "/RPC2", "/xmlrpc", "/jsonrpc"})
_MAY_BE_BAD = re.compile(rb"\\[ubf]|\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf]")
"""Bytes without which no text of a JSON document can have a character that XML cannot carry."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer: `close` tells that the connection must not be used again."""

    status: int
    content_type: str
    body: bytes
    close: bool = False


@dataclass(frozen=True, slots=True)
class Parked:
    """A call that waits for events: `resume(last)` gives its answer, or None to wait on; `last` forces one.

    `seconds` is the longest that it may wait.
    """

    seconds: float
    resume: Callable[[bool], HttpAnswer | None]


Answer: TypeAlias = HttpAnswer | Parked


class Service:
    """One reference server: its state, and how each call changes it."""

    def __init__(self, state: State) -> None:
        self.state = state
        state.handlers = dict(HANDLERS)

    def handle(self, path: str, content_type: str, body: bytes, http_method: str = "POST") -> HttpAnswer:
        """Answer a request at once: a call that would wait for events gets what there is."""
        answer = self.begin(path, content_type, body, http_method)
        if isinstance(answer, HttpAnswer):
            return answer
        return answer.resume(True) or page(500, "no answer")

    def begin(self, path: str, _content_type: str, body: bytes, http_method: str = "POST") -> Answer:
        """Answer a request, or tell how it is to be waited for. Any content type is taken, as clients send many."""
        if path not in PATHS:
            return page(404, "not an API path")
        if http_method != "POST":
            return page(405, "calls are posted")
        json = body.lstrip()[:1] in (b"{", b"[")
        codec = codec_for(Format.JSONRPC2 if json else Format.XMLRPC)
        call = codec.decode_call(body)
        if isinstance(call, Breach):
            return page(500, call.detail)
        if call.version is not codec.format:
            codec = codec_for(call.version)
        try:
            if json and _MAY_BE_BAD.search(body):
                refuse_bad_text(call)
            return self._answer(codec, call)
        except Refusal as refused:
            return self._encode(codec, call, refused.failure, None)
        except Exception:  # noqa: BLE001 - whatever goes wrong here is our own fault, and the server stays up
            traceback.print_exc(file=sys.stderr)
            return self._encode(codec, call, Failure("INTERNAL_ERROR", ("a defect of the reference server",)), None)

    def _answer(self, codec: Codec, call: DecodedCall) -> Answer:
        state = self.state
        plan = state.plans.get(call.method)
        if plan is None:
            raise Refusal("MESSAGE_METHOD_UNKNOWN", call.method)
        message = plan.message
        received = len(call.params) - (1 if message.takes_session else 0)
        if received < plan.least or (plan.most is not None and received > plan.most):
            raise Refusal("MESSAGE_PARAMETER_COUNT_MISMATCH", call.method, str(len(message.params)), str(received))
        nodes = call.params[1:] if message.takes_session else call.params
        args = tuple(
            [self._read(param.name, param.type, node) for param, node in zip(message.params, nodes, strict=False)]
        )
        session = self._session(plan, call) if message.takes_session else None
        return self._run(codec, call, plan, session, args)

    def _run(
        self, codec: Codec, call: DecodedCall, plan: Plan, session: Session | None, args: tuple[Value, ...]
    ) -> Answer:
        state, message = self.state, plan.message
        if plan.is_async:
            assert session is not None
            return self._encode(codec, call, Success(self._task(session, message, args)), None)
        handler = state.handlers.get(message.full_name)
        if handler is None:
            branch = state.predict(Call(message.full_name, args))
            state.adopt(branch.world, branch.touched)
            return self._encode(codec, call, branch.outcome, message.result)
        result = handler(state, session, args)
        if not isinstance(result, Waiting):
            bare = message.full_name == "system.listMethods" and codec.format is Format.XMLRPC
            return self._encode(codec, call, Success(result), message.result, bare=bare)
        return self._park(codec, call, plan, result)

    def _task(self, session: Session, message: Message, args: tuple[Value, ...]) -> str:
        return async_call(self.state, session, message, args)

    def _park(self, codec: Codec, call: DecodedCall, plan: Plan, waiting: Waiting) -> Answer:
        def resume(last: bool) -> HttpAnswer | None:
            try:
                if plan.message.takes_session:
                    self._session(plan, call)
                value = waiting.poll(last)
            except Refusal as refused:
                return self._encode(codec, call, refused.failure, None)
            return None if value is None else self._encode(codec, call, Success(value), plan.message.result)

        return resume(waiting.seconds <= 0) or Parked(waiting.seconds, resume)

    def _session(self, plan: Plan, call: DecodedCall) -> Session:
        node = call.params[0]
        if not isinstance(node, Scalar) or node.tag not in {"", "string"}:
            raise Refusal("FIELD_TYPE_ERROR", "session_id")
        found = self.state.sessions.get(self.state.refs.handle(node.text))
        if found is None:
            raise Refusal("SESSION_INVALID", node.text)
        if not self._may(found, plan):
            raise Refusal("RBAC_PERMISSION_DENIED", plan.full_name, f"no role of {found.name} may run this")
        return found

    def _may(self, session: Session, plan: Plan) -> bool:
        return session.user.may(plan.message.roles)

    def _read(self, name: str, of: Type, node: object) -> Value:
        state = self.state
        try:
            return state.refs.inward(of, read_param(of, node, state.world.api))  # type: ignore[arg-type]
        except BadText:
            raise Refusal("INVALID_VALUE", name, "text that not every format can carry") from None
        except WrongType as wrong:
            raise Refusal("FIELD_TYPE_ERROR", _field_of(state, of, str(wrong)) or name) from None

    def _encode(
        self, codec: Codec, call: DecodedCall, outcome: Success | Failure, of: Type | None, *, bare: bool = False
    ) -> HttpAnswer:
        state = self.state
        shown = self._shown(outcome, of)
        try:
            body = codec.encode_reply(shown, of, call.ident, state.world.api)
        except ValueError as cannot:
            body = codec.encode_reply(Failure("INTERNAL_ERROR", (checked(str(cannot)),)), None, call.ident)
        if bare and isinstance(shown, Success):
            body = bare_array(shown.value)
        return HttpAnswer(200, codec.content_type, body)

    def _shown(self, outcome: Success | Failure, of: Type | None) -> Success | Failure:
        return self.state.refs.outcome(outcome, of)


def _field_of(state: State, of: Type, text: str) -> str:
    """Return the field that a bad record's error names, or nothing."""
    name = text.partition(":")[0]
    return name if isinstance(of, RecordOf) and name in state.world.api.classes[of.cls].fields else ""


def checked(text: str) -> str:
    """Return the text if every format carries it, else what it looks like in ASCII."""
    try:
        return checked_text(text)
    except BadText:
        return ascii(text)


def bare_array(names: tuple[str, ...]) -> bytes:
    """Return an XML-RPC reply of an array of names without the Status struct."""
    items = "".join(f"<value>{name}</value>" for name in names)
    return (
        "<?xml version='1.0'?><methodResponse><params><param><value><array><data>"
        f"{items}</data></array></value></param></params></methodResponse>"
    ).encode()


def page(status: int, text: str) -> HttpAnswer:
    """Return a short page that says why a request is no call; the connection closes after it."""
    shown = escape(checked(text)).encode("ascii", "xmlcharrefreplace")
    return HttpAnswer(status, "text/html", b"<html><body><h1>%d</h1><p>%s</p></body></html>" % (status, shown), True)
