"""Attempts without end: broken documents and requests made of good ones, and hostile calls of every message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from random import Random
from typing import Final, cast

from xenconform.conformance.checks.aimed import spares_nothing
from xenconform.conformance.checks.arguments import WRITING
from xenconform.conformance.codec import Ints, Param, Scalar, codec_for
from xenconform.conformance.fuzz.agreeing import is_read_alone
from xenconform.conformance.fuzz.aims import Aims
from xenconform.conformance.fuzz.attempts import Attempt, End
from xenconform.conformance.fuzz.effects import Verb, Wrote, members
from xenconform.conformance.fuzz.harmless import callable_messages, is_free, is_safe, waits
from xenconform.conformance.fuzz.lives import Lives
from xenconform.conformance.fuzz.stage import COLLECTIONS, Stage
from xenconform.models.api import Api, Message
from xenconform.models.calls import Format
from xenconform.models.types import Float, Int, RefTo, Type, refs_in
from xenconform.models.values import Value
from xenconform.strategies.hostile.calling import (
    IDENTS,
    KINDS,
    HostileCall,
    bounds_of,
    hostile_call,
    is_special,
    odd_session,
    sessionless,
    wrong_values,
)
from xenconform.strategies.hostile.cases import Owed
from xenconform.strategies.hostile.dice import Dealt, Dice, Thrown, pick
from xenconform.strategies.hostile.mutating import HTTP, JSON, XML, Language, is_surely_malformed, mutate
from xenconform.strategies.plain import tame

TURNS: Final = ("xml", "call", "json", "call", "call", "session", "call", "life", "call", "call")
"""The layers that take turns, but for http, which comes in rounds of many connections at a time."""
PART_OF: Final = {"life": "call"}
"""What takes turns of its own, and is no layer."""
ENDS: Final[tuple[End, ...]] = ("half", "half", "close", "reset")
HTTP_EVERY: Final = 400
"""After so many others, a round of broken requests."""
HTTP_ROUND: Final = 12
AT_ONCE: Final = ("plain", "number", "refs", "named", "unnumbered")
"""The kinds of calls that tell no message to wait."""
CUT: Final = "a document that is cut"
"""The cause that cases by hand have too, where they are what begins a good document."""
AT_MOST: Final = 32
"""So many values of a kind come of a message that writes in each round; the others in those after it."""
I8: Final = ((b"<int>", b"<i8>"), (b"</int>", b"</i8>"))
WHOLE: Final = re.compile(rb",(-?[0-9]+)\.0\](?=,\"id\":)")
"""A whole number at the end of a JSON call's parameters, written with a point."""
SPELLED: Final[dict[Type | None, str]] = {Int(): "WIRE-INT-REQUEST", Float(): "WIRE-FLOAT"}
"""The clauses on numbers that may be spelled in more than one way."""
INTS: Final[tuple[Ints, ...]] = ("text", "text", "native")


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
        self._aims = Aims(stage)
        self._dealt: dict[tuple[str, str, Format], Dealt] = {}
        self._every = callable_messages(stage.bench)
        self._safe = [m for m in self._every if is_safe(stage.bench, m)]
        self._sweep = self._swept()
        self._lives = Lives(stage, self._random, self._said).attempts()
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
            "life": partial(next, self._lives),
        }
        turns = [makers[name] for name in TURNS if PART_OF.get(name, name) in self._layers]
        if not turns and "http" not in self._layers:
            raise ValueError(
                f"nothing is made for the layers {', '.join(self._layers)}; name xml, json, call, session or http"
            )
        while True:
            for _ in range(HTTP_EVERY // max(1, len(turns))):
                yield from (each for each in (turn() for turn in turns) if each is not None)
            if "http" in self._layers:
                yield from (self._http() for _ in range(HTTP_ROUND))

    def close(self) -> None:
        """Leave what was made in a state in which it can be removed."""
        self._lives.close()

    def _good(self, fmt: Format) -> list[bytes]:
        names = self._stage.names(fmt)
        codec = codec_for(fmt)
        session, ref = self._stage.bench.client.session, self._stage.obj.ref
        own = (RefTo(self._stage.obj.cls), ref)
        record = codec.encode_call(f"{self._stage.obj.cls}.get_record", [(RefTo("session"), session), own])
        return [names["write"], names["ask"], record.rstrip(), *self._nested(fmt)]

    def _nested(self, fmt: Format) -> Iterator[bytes]:
        """Yield calls that write a set and a map of the object: what is within them can be broken too."""
        names, obj = self._stage.names(fmt), self._stage.obj
        values: dict[str, Value] = {"set_setter": ("a", "b"), "map_setter": {"a": "b", "c": ""}}
        for name, value in values.items():
            if name in names:
                session: Param = (RefTo("session"), self._stage.bench.client.session)
                params: list[Param] = [session, (RefTo(obj.cls), obj.ref), (COLLECTIONS[name], value)]
                yield codec_for(fmt).encode_call(names[name].decode(), params).rstrip()

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
        source = pick(self._dice, from_)
        body = mutate(self._dice, source, language, self.pool[fmt])
        if any(name in body for name in self._slow):
            return None
        sure = is_surely_malformed(body, language)
        if sure and self._dice.below(3):
            return None  # Most changes break a document, and what is surely broken tells less each time.
        what = "a document that is not well-formed" if sure else "a document with changes"
        owed = Owed.REFUSED if sure else Owed.EITHER
        cause = CUT if sure and source.startswith(body) else what
        return Attempt("", layer, what, fmt, owed, "WIRE-MALFORMED", cause, (body,))

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
        """Yield every harmless message with every kind of call, over one format after the other, without end.

        Good calls over all formats come first: what comes back of each message is seen soon.
        """
        formats = self._stage.bench.formats
        good = [(message, "plain", fmt) for message in self._safe for fmt in formats]
        self._random.shuffle(good)
        yield from good
        every = [(message, kind) for message in self._safe for kind in self._kinds(message)]
        self._random.shuffle(every)
        for turn in count():
            for at, (message, kind) in enumerate(every):
                yield message, kind, formats[(at + turn) % len(formats)]

    def _kinds(self, message: Message) -> Sequence[str]:
        """Return the kinds of calls of a message in one round; of what is read back there are more."""
        if waits(message):
            return AT_ONCE
        if message.verb not in WRITING or not is_free(self._stage.bench, message):
            return KINDS
        of = message.params[-1].type
        values, wrong = (min(len(each), AT_MOST) for each in (bounds_of(of), wrong_values(of)))
        return (*KINDS, *["crossed"] * (wrong - 1), *["bounds"] * (values - 1))

    def _call(self) -> Attempt | None:
        message, kind, fmt = next(self._sweep)
        aimed = self._aims.at(message)
        if aimed is None or (kind == "unnumbered" and fmt is Format.XMLRPC):
            return None
        # What is there and not ours gets no value but its own.
        own = aimed.live is None or aimed.live.own or message.verb == "get"
        free = is_free(self._stage.bench, message) and (own or spares_nothing(self._stage.bench))
        dealt = self._dealt.setdefault((message.full_name, kind, fmt), Dealt(self._random))
        call = hostile_call(dealt.anew(), message, aimed.args, kind, free=free)
        if kind == "named" and self._stage.bench.api.message(call.method) is not None:
            return None
        if kind == "plain" and free and message.verb in WRITING and call.params[-1][0] in SPELLED:
            call = replace(call, owed=Owed.ANSWERED, clause=SPELLED[call.params[-1][0]])
        made = self._said(call, fmt)
        if made is None:
            return None
        wrote = self._wrote(message, call, free=free)
        cause = made.cause if call.owed is Owed.ANSWERED else f"{message.verb or message.name} {kind}"
        compared = str(call.params[0][1]) if kind == "plain" and is_read_alone(message) else ""
        return replace(made, cause=cause, wrote=wrote, compared=compared, may_be_changed=free)

    def _said(self, call: HostileCall, fmt: Format, *, session: str = "", api: Api | None = None) -> Attempt | None:
        """Return the attempt of a call in one of our sessions, or in what is given for one, written by a model."""
        good = pick(self._dice, (self._stage.bench.client.session, *self._stage.sessions.by_format))
        params: list[Param] = [(RefTo("session"), session or good), *call.params]
        if call.null_at >= 0:
            params[1 + call.null_at] = (None, Scalar("nil", ""))
        made = self._encoded("call", call, params, fmt, api)
        if made is None or call.has_id:
            known = call.method if self._stage.bench.api.message(call.method) and not session else ""
            return made and replace(made, message=known, code=call.code)
        return replace(made, pieces=(_without_id(made.data, self._dice),), sound=False)

    def _wrote(self, message: Message, call: HostileCall, *, free: bool) -> Wrote | None:
        """Return what an accessor's call writes, where there is a getter to read it back by."""
        getter = self._stage.bench.api.message(f"{message.cls}.get_{message.field}")
        if not (message.verb in WRITING and getter) or refs_in(getter.result) or not call.params:
            return None
        ref = str(call.params[0][1])
        types = [of for of, _ in call.params] == [param.type for param in message.params]
        sure = types and call.method == message.full_name and call.null_at < 0
        if not (sure and call.owed is not Owed.REFUSED and free):
            # What is empty shows no loss.
            filling = tame(getter.result, 2) if free else None
            return Wrote(ref, getter.full_name, "", getter.result, filling)
        verb, (first, *rest) = cast("Verb", message.verb), [value for _, value in call.params[1:]]
        return Wrote(ref, getter.full_name, verb, getter.result, members(verb, first, rest))

    def _session(self) -> Attempt | None:
        message = pick(self._dice, self._every)
        stage = self._stage
        bad = odd_session(self._dice, stage.bench.client.session, (*stage.ended, stage.obj.ref))
        aimed = self._aims.known(message)
        args = aimed.args if aimed else ()
        call = sessionless(self._dice, message, args)
        whole: list[Param] = [(RefTo("session"), bad), *call.params]
        fmt = pick(self._dice, self._stage.bench.formats)
        return self._encoded("session", call, whole, fmt)

    def _encoded(
        self, layer: str, call: HostileCall, params: list[Param], fmt: Format, api: Api | None = None
    ) -> Attempt | None:
        try:
            ident, ints = pick(self._dice, IDENTS), pick(self._dice, INTS)
            body = codec_for(fmt).encode_call(call.method, params, ident, api=api or self._stage.bench.api, ints=ints)
            whole = fmt is not Format.XMLRPC and params[-1:] and params[-1][0] == Float()
            if whole and call.clause != SPELLED[Int()] and self._dice.below(2):
                body = WHOLE.sub(rb",\1]", body)
            for old, new in I8 if fmt is Format.XMLRPC and self._dice.below(2) else ():
                body = body.replace(old, new)
        except ValueError:  # the format carries no such text: another one may
            return None
        # What is not answered though it is good is one defect, whichever message it is; so is what needs no session.
        verb = call.method.partition(".")[2].partition("_")[0]
        cause = "no session of this server" if layer == "session" else f"{verb} of {layer}"
        if call.owed is Owed.ANSWERED:
            cause = f"good calls over {'XML' if fmt is Format.XMLRPC else 'JSON'}"
        # NaN and the infinities have no spelling in JSON that a parser must know.
        sound = fmt is Format.XMLRPC or not any(is_special(value) for _, value in params)
        what, owed, clause = call.what, call.owed, call.clause
        return Attempt("", layer, what, fmt, owed, clause, cause, (body,), sound=sound, may_be_changed=False)


def _without_id(body: bytes, dice: Dice) -> bytes:
    """Return a JSON call as our codec writes it, with null for its id, or without it."""
    return body[: body.rindex(b',"id":')] + pick(dice, (b"}", b',"id":null}'))
