"""Requests that Schemathesis makes of the OpenAPI description of the JSON-RPC 2.0 endpoint, judged by our clauses.

To Schemathesis the server is an application in this process, which is our client: whom to trust, how long to wait, what
is logged and how a run is stopped are the same as for all other calls, and unix sockets are as good as any other way.

Refusals travel with status 200 here, and hostile input may be refused by HTTP, so its checks of statuses say nothing of
this API; nor does the protocol name the media type of a reply. What holds of every sound server is the schema of the
reply to a valid request that is carried out.

Needs the extra `fuzz`.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final

import requests
import schemathesis
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from schemathesis.checks import CHECKS, CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi.checks import response_schema_conformance
from schemathesis.specs.openapi.formats import unregister_string_format

from xenconform.conformance.checks.bench import ENVELOPES
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.batches import as_json
from xenconform.conformance.fuzz.describing import EXISTING, Refs, description, formats_of
from xenconform.conformance.fuzz.hunt import Hunt
from xenconform.conformance.fuzz.judging import is_call
from xenconform.conformance.fuzz.sending import Tried
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange
from xenconform.models.openapi import DATETIME_FORMAT, SESSION_FORMAT
from xenconform.strategies.hostile import Owed

LAYER: Final = "openapi"
EXAMPLES: Final = 20
"""Requests that the fuzzing phase makes of an operation before it goes on to the next."""
DATETIMES: Final = ("20240101T12:00:00Z", "19700101T00:00:00Z", "2024-02-29T23:59:59Z", "20380119T03:14:08Z")
MEDIA: Final = "application/json"
A_SECOND: Final = 10
"""So many messages are fuzzed for each second that there is."""


class Described:
    """One run of Schemathesis in a hunt.

    `before` is called before each request: it keeps to the rate and tells how far it is. `sent` counts the requests,
    `operations` are the messages that they were made for, `given_up` is why there are operations that it could not
    make requests for.
    """

    def __init__(self, hunt: Hunt, seed: int, before: Callable[[], None]) -> None:
        self._hunt, self._seed, self._before = hunt, seed, before
        self._bench = hunt.stage.bench
        self._refs = Refs(self._bench)
        self._until = math.inf
        self._stream: Any = None
        self._name = self._what = ""
        self._last: tuple[Exchange, Tried] | None = None
        self._broke: BaseException | None = None
        self.sent = 0
        self.operations: set[str] = set()
        self.given_up: dict[str, str] = {}

    def run(self, until: float) -> None:
        """Let Schemathesis make and send requests until a time of `time.monotonic`, then leave nothing of ours in it.

        Raises:
            TargetGoneError: the server no longer answers.
            KeyboardInterrupt: somebody pressed ctrl-C.
        """
        document = description(self._bench, self._seed)
        with _elsewhere(), self._registered(formats_of(document)):
            self._phase("coverage", document, (time.monotonic() + until) / 2)
            # It gives each message its part of the time, and all of them no more than a request each.
            most = math.ceil(A_SECOND * max(1.0, until - time.monotonic()))
            some = dict(list(document["paths"].items())[:most])
            self._phase("fuzzing", {**document, "paths": some}, until)
        self.given_up = {name: why for name, why in self.given_up.items() if name not in self.operations}
        self._hunt.settle()

    def _phase(self, phase: str, document: dict[str, Any], until: float) -> None:
        """Run one phase of Schemathesis, and raise what broke it off."""
        self._until = until
        if self._is_over:
            return
        schema = schemathesis.openapi.from_dict(document, config=self._config(phase, until - time.monotonic()))
        schema.app = self._app
        self._stream = from_schema(schema).execute()
        try:
            interrupted = self._follow(self._stream)
        finally:
            self._stream.stop()
        if self._broke is not None:
            raise self._broke
        if interrupted:
            raise KeyboardInterrupt

    def _follow(self, stream: Iterable[events.EngineEvent]) -> bool:
        """Follow the events to the end; return whether somebody stopped it."""
        interrupted = False
        for event in stream:
            if isinstance(event, events.NonFatalError) and not self._is_over:
                self.given_up[event.label.partition("#")[2]] = f"{event.info.title}: {event.info.message}"
            interrupted |= isinstance(event, events.Interrupted) and not self._is_over
            if self._is_over:
                self._stream.stop()
        return interrupted

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._until or self._hunt.is_over or self._broke is not None

    @contextmanager
    def _registered(self, formats: Iterable[str]) -> Iterator[None]:
        """Give Schemathesis the formats, our way to the server and our check, for as long as the block lasts."""

        def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
            mode = case.meta.generation.mode.value if case.meta else "unknown"
            self._name = case.operation.path.partition("#")[2]
            self._what = f"a {mode} request of {self._name}"

        def xenconform(ctx: CheckContext, response: Response, case: Any) -> None:
            with self._kept():
                self._judge(ctx, response, case)

        strategies = {name: self._strategy(name) for name in formats}
        try:
            for name, strategy in strategies.items():
                schemathesis.openapi.format(name, strategy)
            schemathesis.hook(before_call)
            schemathesis.check(xenconform)
            yield
        finally:
            schemathesis.hooks.unregister_all()
            if "xenconform" in CHECKS.get_all_names():
                CHECKS.unregister("xenconform")
            for name in strategies:
                with suppress(ValueError, KeyError):
                    unregister_string_format(name)

    def _strategy(self, name: str) -> st.SearchStrategy[str]:
        if name == SESSION_FORMAT:
            return st.builds(lambda: self._bench.client.session)
        if name == DATETIME_FORMAT:
            return st.sampled_from(DATETIMES)
        _, use, cls = name.split("-", 2)

        def one(number: int) -> str:
            with self._kept():
                return self._refs.one("none" if use == "ref" else use, cls, number)

        return st.integers(0, 2 * EXISTING).map(one)

    def _config(self, phase: str, seconds: float) -> SchemathesisConfig:
        # Values of replies are not sent again: a ref among them may be anybody's.
        phases: dict[str, dict[str, Any]] = {
            "coverage": {"unexpected-methods": []},
            "fuzzing": {"error-feedback": {"enabled": False}, "generation": {"max-examples": EXAMPLES}},
        }
        said = {"operation-ordering": "none", "extra-data-sources": {"responses": False}}
        return SchemathesisConfig.from_dict(
            {
                "seed": self._seed,
                "max-time": max(1, math.ceil(seconds)),
                "continue-on-failure": True,
                "suppress-health-check": ["all"],
                "cache": {"enabled": False},
                "checks": {"enabled": False, "xenconform": {"enabled": True}},
                "generation": {"no-shrink": True, "database": "none"},
                "phases": {
                    "examples": {"enabled": False},
                    "stateful": {"enabled": False},
                    **{name: {"enabled": name == phase, **said, **more} for name, more in phases.items()},
                },
            }
        )

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep what is raised in the block for the end of the run: Schemathesis takes it for an error of its own."""
        try:
            yield
        except requests.RequestException:
            raise
        except BaseException as why:
            self._broke = self._broke or why
            self._stream.stop()
            raise

    def _app(self, environ: dict[str, Any], start: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
        """Answer as the server does: to Schemathesis, our client is an application of WSGI."""
        exchange = self._send(environ["wsgi.input"].read(), environ.get("CONTENT_TYPE", ""))
        # Its other headers are of no use to anybody.
        kinds = [(name, value) for name, value in exchange.headers if name.lower() == "content-type"]
        start(f"{exchange.status} -", kinds)
        return [exchange.received]

    def _send(self, body: bytes, content_type: str) -> Exchange:
        """Post a request's body through our client.

        Raises:
            requests.RequestException: the time is over, there is no answer, or no such request can be sent.
        """
        if self._is_over:
            self._stream.stop()
            raise requests.Timeout("the time is over")
        with self._kept():
            self._before()
            try:
                exchange, tried = self._hunt.sender.post(self._attempt(body, content_type))
            except ValueError as why:
                raise requests.exceptions.InvalidHeader(str(why)) from why
            self.sent += 1
            self.operations.add(self._name)
            if content_type.partition(";")[0].strip().lower() != MEDIA:
                # What is posted as another format may be answered as one.
                tried = replace(tried, wrongs=tuple(w for w in tried.wrongs if w.clause.startswith("ROBUST-")))
            if exchange.status == 0:  # No check is asked where nothing came.
                self._hunt.take([tried])
                # No ConnectionError: whether the server is gone is for the hunt to find out, not for Schemathesis.
                raise requests.Timeout("no answer")
            self._last = exchange, tried
        return exchange

    def _attempt(self, body: bytes, content_type: str) -> Attempt:
        asked = as_json(body)
        called = str(asked["method"]) if is_call(asked, Format.JSONRPC2) else ""
        return Attempt(
            "",
            LAYER,
            self._what,
            Format.JSONRPC2,
            Owed.EITHER,
            "ROBUST-ALIVE",
            "a request made of the description",
            (body,),
            content_type,
            message=called if self._bench.api.message(called) else "",
        )

    def _judge(self, ctx: CheckContext, response: Response, case: Any) -> None:
        """Hand what came of the last request to the hunt, with what Schemathesis finds in it."""
        if self._last is None:
            return
        (exchange, tried), self._last = self._last, None
        positive = case.meta is not None and case.meta.generation.mode.value == "positive"
        if positive and tried.is_read and exchange.status == 200:
            wrongs = (*tried.wrongs, *self._conforms(ctx, response, case, tried))
            tried = replace(tried, wrongs=self._hunt.sender.selected(tried.attempt, wrongs))
        self._hunt.take([tried])

    def _conforms(self, ctx: CheckContext, response: Response, case: Any, tried: Tried) -> Iterator[Wrong]:
        """Yield where a reply breaks its schema, under the clause that our own reader names where it names one."""
        try:
            response_schema_conformance(ctx, response, case)
        except (Failure, FailureGroup) as why:
            clause = tried.wrongs[0].clause if tried.wrongs else ENVELOPES[Format.JSONRPC2]
            first = why.exceptions[0] if isinstance(why, FailureGroup) else why
            said = f"{tried.attempt.message}: {getattr(first, 'title', '')}: {getattr(first, 'message', first)}"
            cause = f"schemathesis: {response_schema_conformance.__name__}"
            yield Wrong(clause, cause, "a reply as its schema says", said[:1_000])


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Let Hypothesis keep what it keeps in a folder that is gone after the block, not where somebody works."""
    with tempfile.TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)
