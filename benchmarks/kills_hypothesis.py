"""Plain Hypothesis: messages drawn with arguments of their types, judged by nothing but the shape of the reply.

References are those that get_all lists, read again from time to time. The reply must come, with status 200, and be read
by the strict codec of the format as a value of the message's result type or as an error. There is no state: whether a
value is the right one is not asked.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import requests
from hypothesis import HealthCheck, Phase, Verbosity, assume, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from kills_common import Run, Spent, Subject, Wire

from xenconform.conformance.codec import Uncarriable, codec_for
from xenconform.models.api import Api, Message, Qualifier, State
from xenconform.models.calls import Breach, Format
from xenconform.models.types import NULL_REF, RecordOf, RefTo, Type, refs_in
from xenconform.strategies.values import values

_LEFT_OUT = frozenset({"session.logout", "session.local_logout", "event.next", "event.from"})
"""Messages that end the tool's own session, or wait."""
_BATCH = 100
"""Messages between two looks at which objects there are."""

Refs = Mapping[str, Sequence[str]]


def hypothesis_run(subject: Subject, run: Run) -> None:
    """Send drawn messages in batches; a batch ends by the clock too, so that nothing is flaky."""
    api = Api.load()
    wire = Wire(subject, run)
    wire.login()
    picks = random.Random(run.budget.seed)  # noqa: S311 - seeds of batches
    messages = [m for m in api.classes[subject.cls].messages.values() if m.full_name not in _LEFT_OUT]
    with suppress(Spent):
        while not run.over:
            calls = partial(_calls, api, _refs(wire, api, messages))
            _batch(wire, api, st.sampled_from(messages).flatmap(calls), picks.getrandbits(32))


def _refs(wire: Wire, api: Api, messages: Sequence[Message]) -> dict[str, list[str]]:
    named = {cls for m in messages for param in m.params for cls in _named(api, param.type)}
    listed = {c: wire.refs(c) for c in sorted(named) if c in api.classes and "get_all" in api.classes[c].messages}
    return {cls: [*listed.get(cls, ())[-8:], NULL_REF] for cls in named}


def _named(api: Api, of: Type) -> frozenset[str]:
    if isinstance(of, RecordOf) and of.cls in api.classes:
        return frozenset().union(*(refs_in(field.type) for field in api.classes[of.cls].fields.values()))
    return refs_in(of)


def _calls(api: Api, refs: Refs, message: Message) -> st.SearchStrategy[tuple[Message, Format, tuple[Any, ...]]]:
    drawn = st.tuples(*(_arguments(api, param.type, refs) for param in message.params))
    return st.tuples(st.just(message), st.sampled_from(list(Format)), drawn)


def _arguments(api: Api, of: Type, refs: Refs) -> st.SearchStrategy[Any]:
    if not isinstance(of, RecordOf):
        return values(of, refs=refs)
    if of.cls not in api.classes:
        return st.just({})
    fields = api.classes[of.cls].fields.values()
    given_ = [f for f in fields if f.qualifier is not Qualifier.RUNTIME and f.lifecycle.state is not State.REMOVED]
    return st.fixed_dictionaries({f.name: values(f.type, refs=refs) for f in given_})


def _batch(wire: Wire, api: Api, calls: st.SearchStrategy[Any], number: int) -> None:
    @seeded(number)
    @settings(
        max_examples=_BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(calls)
    def judge(call: tuple[Message, Format, tuple[Any, ...]]) -> None:
        if not wire.run.over:
            _judge(wire, api, *call)

    judge()


def _judge(wire: Wire, api: Api, message: Message, fmt: Format, args: tuple[Any, ...]) -> None:
    codec, run = codec_for(fmt), wire.run
    session = [(RefTo("session"), wire.session)] if message.takes_session else []
    params = [*session, *((param.type, value) for param, value in zip(message.params, args, strict=True))]
    try:
        body = codec.encode_call(message.full_name, params, 1, api=api)
    except Uncarriable:
        assume(False)
    try:
        answer = wire.post(body, codec.path, codec.content_type)
    except requests.RequestException as why:
        run.report(f"no-answer {message.full_name} {fmt}", repr(why))
        return
    if answer.status_code != 200:
        run.report(f"http-{answer.status_code} {message.full_name} {fmt}", answer.text)
        return
    reply = codec.decode_reply(answer.content, message.result, 1, api, answer.headers.get("content-type"))
    if isinstance(reply.outcome, Breach):
        run.report(f"{reply.outcome.kind} {message.full_name} {fmt}", reply.outcome.detail)
    for flaw in reply.flaws:
        run.report(f"{flaw.kind} {message.full_name} {fmt}", f"{flaw.where}: {flaw.detail}")
