"""Objects of our own are made, kept from being ended, and ended, and a VM goes through its power states.

What these calls do shows in lists and in other objects, so that each is sent alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from random import Random
from typing import Final, Protocol

from xenconform.conformance.checks.aimed import why_not
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.creating_fields import bold_values
from xenconform.conformance.checks.creating_nothing import bent
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.power_walk import PATIENCE, Walk
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.surrounding import holders, is_destroyed
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.effects import Wrote
from xenconform.conformance.fuzz.judging import NOTIFICATIONS
from xenconform.conformance.fuzz.stage import Stage
from xenconform.models.api import Api, ApiClass, Constructor, Message
from xenconform.models.calls import Format, Outcome, Success
from xenconform.models.power import TRANSITIONS
from xenconform.models.types import RecordOf, RefTo, SetOf, Str, refs_in
from xenconform.models.values import Value
from xenconform.strategies.hostile.calling import COUNT_MISMATCH, HostileCall, bounds_of, is_special
from xenconform.strategies.hostile.cases import Owed
from xenconform.strategies.hostile.dice import Dealt, pick
from xenconform.strategies.wrong import Typed, is_a_name, wrong_typed

MORE: Final = "xc_more"
"""A member that no record has."""


def _nothing(_outcome: Outcome) -> None:
    """Do nothing about what came of a call: it is sent alone for what others see of it."""


class Encode(Protocol):
    """Makes an attempt of a call over a format; None where the format has no such call."""

    def __call__(self, call: HostileCall, fmt: Format, *, session: str = "", api: Api | None = None) -> Attempt | None:
        """Return the attempt; `session` stands in for a good session, `api` for the model to write values by."""
        ...


class Lives:
    """Makes attempts that make and end objects of every class that can be made and ended, one after the other."""

    def __init__(self, stage: Stage, random: Random, encode: Encode) -> None:
        self._stage, self._bench, self._encode = stage, stage.bench, encode
        self._random, self._dealt = random, dict[tuple[str, str], Dealt]()
        classes = [of for of in self._bench.api.classes.values() if is_destroyed(self._bench.api, of)]
        random.shuffle(classes)
        self._number = random.randrange(100)
        self._classes = [of for of in classes if not why_not(self._bench, of.messages[of.destructor])]

    def attempts(self) -> Generator[Attempt | None]:
        """Yield attempts without end; None where there is none to be made."""
        for turn in count():
            fmt = self._bench.formats[turn % len(self._bench.formats)]
            for at, of in enumerate(self._classes):
                over = self._bench.formats[(turn + at) % len(self._bench.formats)]
                with suppress(Unavailable, Unanswered):  # this server makes none; others may
                    yield from self._life(of, over)
            with suppress(Unavailable, Unanswered):
                yield from self._power(fmt)
            yield None

    def _life(self, of: ApiClass, fmt: Format) -> Iterator[Attempt | None]:
        stock = self._bench.stock
        constructor = stock.constructor(of.name)
        yield from self._not_made(of, constructor, fmt)
        made: list[Obj] = []

        def adopt(outcome: Outcome) -> None:
            if isinstance(outcome, Success) and isinstance(outcome.value, str):
                made.append(stock.adopt_ref(of.name, outcome.value))

        self._number += 1
        odd = self._odd_values(of, constructor)
        one = dict([self._random.choice([*odd.items()])]) if odd else {}
        for values in (bold_values(self._bench, of, self._number, ()), *((odd, one) if odd else ())):
            yield self._made_boldly(of, constructor, fmt, values, adopt)
            for each in made:
                stock.remove(each)
            if made and values is odd:
                break
            made.clear()
        made.clear()
        for attempt in self._odd_records(of, constructor, fmt, adopt):
            yield attempt
            for each in made:
                stock.remove(each)
            made.clear()
        name = constructor.message.full_name
        # Objects like this one are made all the time, their ints as text.
        create = HostileCall(
            name, name, _params(constructor, stock.exemplar(of.name)), Owed.ANSWERED, "WIRE-INT-REQUEST"
        )
        yield self._alone(create, fmt, adopt)
        if not made:
            return
        obj = made[0]
        self_: Typed = (RefTo(of.name), obj.ref)
        end = of.messages[of.destructor].full_name
        yield from self._held(of, obj, fmt)
        yield from self._not_ended(of, end, self_, fmt)

        def forget(outcome: Outcome) -> None:
            if isinstance(outcome, Success):
                stock.forget(obj)

        yield self._alone(HostileCall(end, end, (self_,)), fmt, forget)
        if obj in stock.made:
            stock.remove(obj)

    def _not_made(self, of: ApiClass, constructor: Constructor, fmt: Format) -> Iterator[Attempt | None]:
        """Calls of the constructor that must be turned down, and make nothing."""
        name = constructor.message.full_name
        takes = str(len(constructor.message.params))
        code = (COUNT_MISMATCH, name, takes, "0")
        few = HostileCall(f"{name} with nothing", name, (), Owed.REFUSED, "WIRE-ARITY", code)
        if takes != "0":
            yield self._encode(few, fmt)
        if fmt is Format.XMLRPC:
            return
        for method in (name, f"Async.{name}"):
            given = self._bench.stock.exemplar(of.name)
            params, label = _params(constructor, given), given.get("name_label")
            call = HostileCall(f"{method} without an id", method, params, Owed.REFUSED, NOTIFICATIONS, has_id=False)
            made = self._encode(call, fmt)
            yield made and _looked_for(made, of, label)

    def _odd_values(self, of: ApiClass, constructor: Constructor) -> dict[str, Value]:
        """Return a value at a boundary for each field that a constructor takes any value of, another each time."""
        found: dict[str, Value] = {}
        for name, field in given_fields(of, constructor):
            domain = self._bench.profile.domain(of.name, field.name)
            values = [each for each in bounds_of(field.type) if is_kept(each)]
            if domain.is_free and not domain.skip and not refs_in(field.type) and len(values) > 1:
                dealt = self._dealt.setdefault((of.name, name), Dealt(self._random))
                found[name] = pick(dealt.anew(), values)
        return found

    def _made_boldly(
        self,
        of: ApiClass,
        constructor: Constructor,
        fmt: Format,
        values: Mapping[str, Value],
        adopt: Callable[[Outcome], None],
    ) -> Attempt | None:
        """A call of the constructor with values that it may refuse; those that it takes come back."""
        name, given = constructor.message.full_name, {**self._bench.stock.exemplar(of.name), **values}
        call = HostileCall(f"{name} with values at boundaries", name, _params(constructor, given))
        made = self._alone(call, fmt, adopt)
        if made is None or "get_record" not in of.messages:
            return made
        sent = {field.name: values[name] for name, field in given_fields(of, constructor) if name in values}
        return replace(made, wrote=Wrote("", f"{of.name}.get_record", "create", RecordOf(of.name), sent))

    def _odd_records(
        self, of: ApiClass, constructor: Constructor, fmt: Format, adopt: Callable[[Outcome], None]
    ) -> Iterator[Attempt | None]:
        """Calls of a constructor of a record that lacks a member, has one too many, or one of another type."""
        name, given, type_ = constructor.message.full_name, self._bench.stock.exemplar(of.name), RecordOf(of.name)
        if not constructor.record or not given:
            return
        dealt = self._dealt.setdefault((of.name, ""), Dealt(self._random)).anew()
        left = pick(dealt, [*given])
        less = {member: value for member, value in given.items() if member != left}
        yield self._alone(HostileCall(f"{name} without {left}", name, ((type_, less),)), fmt, adopt)
        more = {**given, MORE: "x"}
        yield self._alone(HostileCall(f"{name} with {MORE}", name, ((type_, more),)), fmt, adopt)
        wrong = [
            (field, each)
            for _, field in given_fields(of, constructor)
            for each in wrong_typed(field.type)
            if not refs_in(each[0]) and not is_a_name(field.type, each[0])
        ]
        if not wrong:
            return
        field, (as_type, value) = pick(dealt, wrong)
        what = f"{name} with a {as_type} for its {field.name}"
        call = HostileCall(what, name, ((type_, {**given, field.name: value}),), Owed.REFUSED, "CREATE-BAD")
        made = self._encode(call, fmt, api=bent(self._bench.api, of, field.name, as_type))
        label = given.get("name_label") if field.name != "name_label" else ""
        if made is not None:
            made = _looked_for(made, of, label)
            yield replace(made, then=_nothing if made.wrote else adopt)

    def _held(self, of: ApiClass, obj: Obj, fmt: Format) -> Iterator[Attempt | None]:
        """The end of an object that others refer to: whatever the answer is, it has its form."""
        stock, end = self._bench.stock, of.messages[of.destructor].full_name
        for holder in holders(self._bench.api, of):
            with suppress(Unavailable, Unanswered):
                exchange = stock.try_make(holder.cls, {holder.name: obj.ref})
                if isinstance(exchange.reply.outcome, Success):
                    other = stock.adopt(holder.cls, exchange)
                    yield self._alone(HostileCall(f"{end} in use", end, ((RefTo(of.name), obj.ref),)), fmt)
                    stock.remove(other)
                    return

    def _not_ended(self, of: ApiClass, end: str, self_: Typed, fmt: Format) -> Iterator[Attempt | None]:
        """Calls of the destructor that must be turned down, and end nothing."""
        watched = Wrote(str(self_[1]), f"{of.name}.get_uuid", "", Str(), None)
        code = (COUNT_MISMATCH, end, "1", "2")
        calls = [
            (HostileCall(f"{end} and more", end, (self_, (Str(), "x")), Owed.REFUSED, "WIRE-ARITY", code), ""),
            (
                HostileCall(f"{end} for nobody", end, (self_,), Owed.REFUSED, "ROBUST-AUTH"),
                self._random.choice(self._stage.ended),
            ),
        ]
        if fmt is not Format.XMLRPC:
            calls.append(
                (HostileCall(f"{end} without an id", end, (self_,), Owed.REFUSED, NOTIFICATIONS, has_id=False), "")
            )
        for call, session in calls:
            made = self._encode(call, fmt, session=session)
            if made is not None and "get_uuid" in of.messages:
                made = replace(made, wrote=watched, then=_nothing)
            yield made

    def _power(self, fmt: Format) -> Iterator[Attempt | None]:
        """Every message of the table of power states, of a VM in a state that it starts from."""
        of = self._bench.api.classes.get("VM")
        if of is None:
            return
        walk = Walk(self._bench, of)
        try:
            for message in walk.messages():
                if why_not(self._bench, message):
                    continue
                with suppress(Unavailable, Unanswered):  # no way leads there on this server
                    walk.reach(TRANSITIONS[message.name].before[0])
                    yield self._powered(walk, message, fmt)
        finally:
            walk.end()

    def _powered(self, walk: Walk, message: Message, fmt: Format) -> Attempt | None:
        params = tuple(zip([p.type for p in message.params], walk.args(message), strict=True))
        made = self._alone(HostileCall(message.full_name, message.full_name, params), fmt)
        return None if made is None else replace(made, deadline=PATIENCE * self._bench.client.deadline)

    def _alone(self, call: HostileCall, fmt: Format, then: Callable[[Outcome], None] = _nothing) -> Attempt | None:
        made = self._encode(call, fmt)
        return None if made is None else replace(made, message=call.method, then=then)


def _looked_for(made: Attempt, of: ApiClass, label: Value) -> Attempt:
    """Return a call that is to make nothing, so that an object with the label is looked for, where a class has such."""
    if not label or not {"get_all", "get_name_label"} <= of.messages.keys():
        return made
    return replace(made, wrote=Wrote("", f"{of.name}.get_all", "make", SetOf(RefTo(of.name)), label))


def is_kept(value: Value) -> bool:
    """Whether a value given to a constructor is to come back: the empty text leaves it to the server."""
    return value != "" and not is_special(value)


def _params(constructor: Constructor, given: Mapping[str, Value]) -> tuple[Typed, ...]:
    """Return the parameters of a constructor for an object's values."""
    params = constructor.message.params
    return ((params[0].type, dict(given)),) if constructor.record else tuple((p.type, given[p.name]) for p in params)
