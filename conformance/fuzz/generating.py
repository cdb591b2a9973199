"""Attempts without end: broken documents and requests made of good ones, and hostile calls of every message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from random import Random
from typing import Final

from xenconform.conformance.checks.aimed import aim
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.codec import Param, codec_for
from xenconform.conformance.fuzz.attempts import Attempt, End, Wrote
from xenconform.conformance.fuzz.harmless import callable_messages, is_free, is_safe, waits
from xenconform.conformance.fuzz.stage import Stage
from xenconform.models.api import Message
from xenconform.models.calls import Format
from xenconform.models.types import RefTo, refs_in
from xenconform.models.values import Value
from xenconform.strategies.hostile.calling import IDENTS, KINDS, HostileCall, hostile_call, odd_session
from xenconform.strategies.hostile.cases import Owed
from xenconform.strategies.hostile.dice import Thrown, pick
from xenconform.strategies.hostile.mutating import HTTP, JSON, XML, Language, is_surely_malformed, mutate

TURNS: Final = ("xml", "json", "call", "xml", "json", "call", "call", "session", "call")
"""The layers that take turns, but for http, which comes in rounds of many connections at a time."""
ENDS: Final[tuple[End, ...]] = ("half", "half", "close", "reset")
HTTP_EVERY: Final = 400
"""After so many others, a round of broken requests."""
HTTP_ROUND: Final = 12
AT_ONCE: Final = ("plain", "number", "refs")
"""The kinds of calls that tell no message to wait."""


class Source:
    """Makes attempts of some layers on a stage, from a seed.

    `pool` are good documents, of which the others are made, now and then of one of those that were `found` to get new
    kinds of replies, which grow meanwhile.
    """

    def __init__(self, stage: Stage, layers: Sequence[str], seed: int, found: Mapping[Format, list[bytes]]) -> None:
        self._stage = stage
        self._random = Random(seed)  # noqa: S311 - a run is to be repeated by its seed
        self._dice = Thrown(self._random)
        self._layers = layers
        self._found = found
        self.pool: dict[Format, list[bytes]] = {fmt: self._good(fmt) for fmt in stage.bench.formats}
        self._aims: dict[str, tuple[Value, ...] | None] = {}
        self._every = callable_messages(stage.bench)
        self._safe = [m for m in self._every if is_safe(stage.bench, m)]
        self._sweep = self._swept()
        # A document that is made of another may tell them to wait, and be answered late by right.
        self._slow = [message.full_name.encode() for message in self._every if waits(message)]

    def attempts(self) -> Iterator[Attempt]:
        """Yield attempts without end.

        Raises:
            ValueError: no layer makes any.
        """
        makers: dict[str, Callable[[], Attempt | None]] = {
            "xml": self._xml,
            "json": self._json,
            "call": self._call,
            "session": self._session,
        }
        turns = [makers[name] for name in TURNS if name in self._layers]
        if not turns and "http" not in self._layers:
            raise ValueError(
                f"nothing is made for the layers {', '.join(self._layers)}; name xml, json, call, session or http"
            )
        while True:
            for _ in range(HTTP_EVERY // max(1, len(turns))):
                yield from (each for each in (turn() for turn in turns) if each is not None)
            if "http" in self._layers:
                yield from (self._http() for _ in range(HTTP_ROUND))

    def _good(self, fmt: Format) -> list[bytes]:
        names = self._stage.names(fmt)
        codec = codec_for(fmt)
        session, ref = self._stage.bench.client.session, self._stage.obj.ref
        own = (RefTo(self._stage.obj.cls), ref)
        record = codec.encode_call(f"{self._stage.obj.cls}.get_record", [(RefTo("session"), session), own])
        return [names["write"], names["ask"], record.rstrip()]

    # ---------------------------------------------------------------------------------------------------- documents

    def _xml(self) -> Attempt | None:
        return self._document("xml", XML, [Format.XMLRPC])

    def _json(self) -> Attempt | None:
        return self._document("json", JSON, [Format.JSONRPC1, Format.JSONRPC2])

    def _document(self, layer: str, language: Language, formats: Sequence[Format]) -> Attempt | None:
        there = [fmt for fmt in formats if fmt in self.pool]
        if not there:
            return None
        fmt = pick(self._dice, there)
        found = self._found.get(fmt)
        from_ = found if found and self._dice.below(3) == 2 else self.pool[fmt]
        body = mutate(self._dice, pick(self._dice, from_), language, self.pool[fmt])
        if any(name in body for name in self._slow):
            return None
        sure = is_surely_malformed(body, language)
        if sure and self._dice.below(3):
            return None  # Most changes break a document, and what is surely broken tells less each time.
        what = "a document that is not well-formed" if sure else "a document with changes"
        owed = Owed.REFUSED if sure else Owed.EITHER
        return Attempt("", layer, what, fmt, owed, "WIRE-MALFORMED", what, (body,))

    def _http(self) -> Attempt:
        fmt = pick(self._dice, self._stage.bench.formats)
        names = self._stage.names(fmt)
        head, empty, body = pick(self._dice, (names["ask_request"], names["write_request"])).partition(b"\r\n\r\n")
        request = mutate(self._dice, head + empty, HTTP) + body
        what = "a request with changes in its head"
        end = pick(self._dice, ENDS)
        return Attempt("", "http", what, fmt, Owed.EITHER, "ROBUST-HTTP", what, (request,), end=end, most=9)

    # -------------------------------------------------------------------------------------------------------- calls

    def _swept(self) -> Iterator[tuple[Message, str, Format]]:
        """Yield every harmless message with every kind of call, over one format after the other, without end."""
        formats = self._stage.bench.formats
        every = [(message, kind) for message in self._safe for kind in (AT_ONCE if waits(message) else KINDS)]
        self._random.shuffle(every)
        for turn in count():
            for at, (message, kind) in enumerate(every):
                yield message, kind, formats[(at + turn) % len(formats)]

    def _call(self) -> Attempt | None:
        message, kind, fmt = next(self._sweep)
        args = self._aim(message)
        if args is None:
            return None
        call = hostile_call(self._dice, message, args, kind, free=is_free(self._stage.bench, message))
        session: Param = (RefTo("session"), self._stage.bench.client.session)
        made = self._encoded("call", call.what, call.method, [session, *call.params], (call.owed, call.clause), fmt)
        if made is None:
            return None
        wrote, free = self._wrote(message, call), is_free(self._stage.bench, message)
        return replace(made, message=message.full_name, code=call.code, wrote=wrote, may_be_changed=free)

    def _wrote(self, message: Message, call: HostileCall) -> Wrote | None:
        """Return what a setter's call writes, where there is a getter to read it back by."""
        getter = f"{message.cls}.get_{message.field}"
        sound = message.implicit and message.verb == "set" and call.owed is Owed.EITHER
        types = [of for of, _ in call.params] == [param.type for param in message.params]
        if not (sound and types and self._stage.bench.api.message(getter)) or refs_in(message.params[1].type):
            return None
        return Wrote(str(call.params[0][1]), getter, message.params[1].type, call.params[1][1])

    def _session(self) -> Attempt | None:
        message = pick(self._dice, self._every)
        stage = self._stage
        bad = odd_session(self._dice, stage.bench.client.session, (stage.ended, stage.obj.ref))
        args = self._aims.get(message.full_name) or ()
        params: list[Param] = [(p.type, value) for p, value in zip(message.params, args, strict=False)]
        what = f"{message.full_name} with no session of this server"
        whole: list[Param] = [(RefTo("session"), bad), *params]
        fmt = pick(self._dice, self._stage.bench.formats)
        return self._encoded("session", what, message.full_name, whole, (Owed.REFUSED, "ROBUST-AUTH"), fmt)

    def _encoded(
        self, layer: str, what: str, method: str, params: list[Param], owed: tuple[Owed, str], fmt: Format
    ) -> Attempt | None:
        try:
            body = codec_for(fmt).encode_call(method, params, pick(self._dice, IDENTS), api=self._stage.bench.api)
        except ValueError:  # the format carries no such text: another one may
            return None
        name = method.partition(".")[2].partition("_")[0]
        cause = f"{name} of {layer}"
        return Attempt("", layer, what, fmt, owed[0], owed[1], cause, (body,), sound=True, may_be_changed=False)

    def _aim(self, message: Message) -> tuple[Value, ...] | None:
        """Return good arguments of a message, None where there are none; each is asked for once."""
        if message.full_name not in self._aims:
            try:
                self._aims[message.full_name] = aim(self._stage.bench, message).args
            except (Unavailable, Unanswered):
                self._aims[message.full_name] = None
        return self._aims[message.full_name]
