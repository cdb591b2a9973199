"""Our own sessions may end while hostile input is sent: that is told for what it is, and not as another defect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import pytest
from stages import plain_stage

from xenconform.conformance.codec import codec_for
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.hunt import Hunt
from xenconform.conformance.fuzz.onlooker import Onlooker
from xenconform.conformance.fuzz.stage import Stage
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange
from xenconform.models.types import RefTo
from xenconform.models.verdicts import Judgement
from xenconform.strategies.hostile import Owed

FMT = Format.JSONRPC2


@contextmanager
def hunting() -> Iterator[tuple[Stage, Hunt, list[Judgement]]]:
    """A hunt on a server of another design, and what it records."""
    with ExitStack() as after:
        stage = after.enter_context(plain_stage())
        onlooker = after.enter_context(Onlooker(stage.bench.client, FMT, stage.listing))
        hunt = Hunt(stage, onlooker)
        after.callback(hunt.close)
        recorded: list[Judgement] = []
        after.enter_context(patch.object(stage.bench, "record", recorded.append))
        yield stage, hunt, recorded


def listing(stage: Stage, *, what: str = "a listing", session: str = "") -> Attempt:
    """A good call in a session that is ours now, whichever it will be when it is sent."""
    named = session or stage.bench.client.session
    body = codec_for(FMT).encode_call(stage.listing, [(RefTo("session"), named)])
    return Attempt("", "call", what, FMT, Owed.ANSWERED, "WIRE-JSON2-ENVELOPE", what, (body,), message=stage.listing)


def end(stage: Stage, *sessions: str) -> None:
    """Log sessions out behind the fuzzer's back, as a server does that collects them."""
    client = stage.bench.client.sibling()
    for session in sessions:
        client.call(FMT, "session.logout", session=session)
    client.close()


def test_a_session_that_was_collected_is_no_finding() -> None:
    """Calls in a session that has ended are refused by right; the rest go on in another, over every format."""
    with hunting() as (stage, hunt, recorded):
        calls = [listing(stage)] * 60 + [listing(stage, session=each) for each in stage.sessions.by_format] * 20
        ended = (stage.bench.client.session, *stage.sessions.by_format)
        end(stage, *ended)
        hunt.run(calls)
        hunt.run([listing(stage)] * 60)
        assert hunt.found == {}
        assert set(stage.sessions.lost) == set(ended)
        assert not {stage.bench.client.session, *stage.sessions.by_format} & set(ended)
        said = {(each.clause, each.reason) for each in recorded}
        assert said == {
            ("ROBUST-NO-EFFECT", "a session of ours ended, and no request before it, sent again, ended another")
        }


def test_a_live_session_that_is_refused_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that turns down one call in a good session has not ended it."""
    with hunting() as (stage, hunt, _recorded):
        client = type(stage.bench.client)
        plainly = client.raw

        def turned_down(self: object, fmt: Format, body: bytes, *said: object, **more: object) -> Exchange:
            session = stage.bench.client.session.encode()
            return plainly(self, fmt, body.replace(session, b"OpaqueRef:no"), *said, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(client, "raw", turned_down)
        hunt.run([listing(stage)] * 3)
        assert stage.sessions.lost == []
        assert ("WIRE-SESSION-SHARED", "a live session is refused") in hunt.found


def test_who_ends_a_session_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call after which the session serves no longer is found among those before, and told once."""
    with hunting() as (stage, hunt, recorded):
        client = type(stage.bench.client)
        plainly = client.raw

        def logs_out(self: object, fmt: Format, body: bytes, *said: object, **more: object) -> Exchange:
            got = plainly(self, fmt, body, *said, **more)  # type: ignore[arg-type]
            if b'"poison"' in body:
                end(stage, *(each for each in (stage.bench.client.session,) if each.encode() in body))
            return got

        monkeypatch.setattr(client, "raw", logs_out)
        session = stage.bench.client.session
        body = codec_for(FMT).encode_call("poison", [(RefTo("session"), session)])
        owed = (Owed.REFUSED, "WIRE-METHOD-UNKNOWN")
        poison = Attempt("", "call", "a poisoned call", FMT, *owed, "poison", (body,))
        hunt.run([*[listing(stage)] * 10, poison, *[listing(stage)] * 30])
        told = [(each.wrong.clause, each.wrong.cause, each.attempt.what) for each in hunt.found.values()]
        assert told == [("ROBUST-NO-EFFECT", "a session ended, call", "a poisoned call")]
        assert [each.reason for each in recorded if each.reason] == []


def test_a_session_that_a_hostile_text_logs_out_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes a text for our session, and logs it out, lets in who has none: that is all that is wrong."""
    with hunting() as (stage, hunt, recorded):
        client = type(stage.bench.client)
        plainly, taken_for = client.raw, stage.bench.client.session.encode()

        def lets_in(self: object, fmt: Format, body: bytes, *said: object, **more: object) -> Exchange:
            return plainly(self, fmt, body.replace(b"no session", taken_for), *said, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(client, "raw", lets_in)
        body = codec_for(FMT).encode_call("session.logout", [(RefTo("session"), "no session")])
        what = "session.logout with no session"
        out = Attempt("", "session", what, FMT, Owed.REFUSED, "ROBUST-AUTH", "no session", (body,))
        hunt.run([*[listing(stage)] * 10, out, *[listing(stage)] * 30])
        assert [(each.wrong.clause, each.times) for each in hunt.found.values()] == [("ROBUST-AUTH", 1)]
        assert [each.reason for each in recorded if each.reason] == []
