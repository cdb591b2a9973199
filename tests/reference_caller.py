"""A client of the reference server without sockets, for its tests."""

from __future__ import annotations

from typing import Any

from xenconform.conformance.codec import codec_for
from xenconform.conformance.reference.service import Service
from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.calls import Format, Outcome, Success

API = Api.load()
FORMATS = list(Format)


class Caller:
    """A client of a Service, over one format, with one session."""

    def __init__(self, service: Service, over: Format, user: str = "root") -> None:
        self.service = service
        self.codec = codec_for(over)
        self.session = self.value("session.login_with_password", user, "password", bare=True)

    def body(self, method: str, *args: Any, bare: bool = False) -> bytes:
        message = API.message(method.removeprefix("Async."))
        types: list[t.Type] = [p.type for p in message.params] if message else [t.Str()] * len(args)
        session = [] if bare else [(t.Str(), self.session)]
        return self.codec.encode_call(method, [*session, *zip(types, args, strict=False)], 7, api=API)

    def ask(self, method: str, *args: Any, bare: bool = False, result: t.Type | None = None) -> Outcome:
        answer = self.service.handle(self.codec.path, "", self.body(method, *args, bare=bare))
        assert (answer.status, answer.content_type) == (200, self.codec.content_type)
        message = API.message(method)
        of = result or (message.result if message else None)
        reply = self.codec.decode_reply(answer.body, of, 7, API, answer.content_type)
        assert reply.flaws == ()
        return reply.outcome

    def value(self, method: str, *args: Any, bare: bool = False, result: t.Type | None = None) -> Any:
        outcome = self.ask(method, *args, bare=bare, result=result)
        assert isinstance(outcome, Success), outcome
        return outcome.value
