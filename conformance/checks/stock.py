"""Objects to work on: those the server has, and those this run makes and removes again.

Against a server that the run did not start, only objects of its own making are written, unless the scope says
otherwise; the field of anybody else's object is put back after it was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.judging import Unavailable, describe
from xenconform.conformance.checks.lost import is_lost, is_refused, reading
from xenconform.conformance.checks.others import Others
from xenconform.conformance.checks.refs import filled
from xenconform.models.api import Constructor
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.exemplars import Need, constructor_of, exemplar
from xenconform.models.profiles import Scope
from xenconform.models.values import Ref, Value

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench

NOTHING: Mapping[str, Value] = MappingProxyType({})
TAG = "xenconform"
"""What the names of our own objects begin with, so that leftovers are recognised."""


@dataclass(frozen=True, slots=True)
class Obj:
    """An object of the server under test; `own` says that this run created it."""

    cls: str
    ref: Ref
    own: bool


class Stock:
    """The objects of one run; see the module."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._own: dict[str, Obj] = {}
        self._made: list[Obj] = []
        self.refusals: dict[str, str] = {}
        self.not_put_back: list[str] = []
        self._existing: dict[str, tuple[Ref, ...]] = {}
        self.numbered = bench.seed % 10_000  # the number that was drawn last
        self._in_hand: list[str] = []
        self._ends = 0
        self._seen: dict[str, int] = {}
        self.others = Others()

    def note_end(self) -> None:
        """Note that an object was destroyed: what else of ours is there is looked at before it is used again."""
        self._ends += 1

    def number(self) -> int:
        """Return a number that no other object of this run was made with."""
        self.numbered += 1
        return self.numbered

    def existing(self, cls: str) -> tuple[Ref, ...]:
        """Return the refs of the objects that the server had before, as many as it lists; never our own."""
        if cls == "session":
            return (self._bench.client.session,)
        if cls not in self._existing:
            self._existing[cls] = self._look_up(cls)
        return self._existing[cls]

    def _look_up(self, cls: str) -> tuple[Ref, ...]:
        bench, fmt = self._bench, self._bench.formats[0]
        of = bench.api.classes[cls]
        if "get_all" in of.messages:
            outcome = bench.call(fmt, f"{cls}.get_all").reply.outcome
            made = {obj.ref for obj in self._made}
            return tuple(ref for ref in outcome.value if ref not in made) if isinstance(outcome, Success) else ()
        known = bench.profile.known.get(cls)
        if known is not None and "get_by_uuid" in of.messages:
            outcome = bench.call(fmt, f"{cls}.get_by_uuid", known).reply.outcome
            return (outcome.value,) if isinstance(outcome, Success) else ()
        return ()

    def has_vanished(self, cls: str, args: Sequence[Value]) -> bool:
        """Whether arguments name somebody else's object, listed before and listed no longer; it is then forgotten."""
        if not self.others.among(cls, args) or "get_all" not in self._bench.api.classes[cls].messages:
            return False
        outcome = self._bench.client.call(self._bench.formats[0], f"{cls}.get_all").reply.outcome
        if not isinstance(outcome, Success) or self.others.among(cls, args) <= set(outcome.value):
            return False
        self._existing.pop(cls, None)
        return True

    def readable(self, cls: str, count: int = 1) -> tuple[Obj, ...]:
        """Return up to `count` objects to read; `Unavailable` is raised where there is none and none can be made."""
        found = [Obj(cls, ref, own=False) for ref in self.existing(cls)[:count]]
        return tuple(found or [self.own(cls)])

    def writable(self, cls: str) -> Obj:
        """Return an object whose fields may be written: our own, or, where the scope allows it, an existing one.

        Raises:
            Unavailable: there is none, with the reason.
        """
        try:
            return self.own(cls)
        except Unavailable as why:
            if self._bench.profile.scope is Scope.OWN:
                raise Unavailable(f"{why}; scope own leaves existing objects alone") from why
            refs = self.existing(cls)
            if not refs:
                raise
            return Obj(cls, refs[0], own=False)

    def own(self, cls: str) -> Obj:
        """Return an object of our own making, made when first asked for.

        Raises:
            Unavailable: it cannot be made, with the reason.
        """
        if cls in self._own and self._seen.get(cls) != self._ends and is_lost(self._bench, self._own[cls]):
            self.forget(self._own[cls])
        if cls not in self._own:
            self._own[cls] = self.make(cls)
        self._seen[cls] = self._ends
        return self._own[cls]

    def make(self, cls: str, values: Mapping[str, Value] = NOTHING, *, fmt: Format | None = None) -> Obj:
        """Make a new object, with `values` in place of the exemplar's.

        Raises:
            Unavailable: it cannot be made, with the reason.
        """
        exchange = self.try_make(cls, values, fmt=fmt)
        outcome = exchange.reply.outcome
        if isinstance(outcome, Failure) and outcome.code == "HANDLE_INVALID" and self.forget_the_lost():
            exchange = self.try_make(cls, values, fmt=fmt)
        if not isinstance(exchange.reply.outcome, Success):
            raise Unavailable(self.refusal(cls, exchange))
        return self.adopt(cls, exchange)

    def forget_the_lost(self) -> bool:
        """Forget objects of ours that the server has lost, and what it listed before; return whether any was lost.

        A server that ends more than it was asked to must not leave the rest of the run without objects.
        """
        for obj in (lost := [obj for obj in self._own.values() if is_refused(reading(self._bench, obj))]):
            self.forget(obj)
        self._existing.clear()
        return bool(lost)

    def all_refs(self, cls: str) -> tuple[Ref, ...]:
        """Return the refs of every object of a class that there is now, as far as the server lists them."""
        if "get_all" not in self._bench.api.classes[cls].messages:
            return tuple(sorted(self.known_refs(cls) | set(self.existing(cls))))
        outcome = self._bench.call(self._bench.formats[0], f"{cls}.get_all").reply.outcome
        return tuple(outcome.value) if isinstance(outcome, Success) else ()

    def adopt_ref(self, cls: str, ref: Ref) -> Obj:
        """Take an object that we caused into the stock, to be removed at the end."""
        obj = Obj(cls, ref, own=True)
        self.others.disown(cls, ref)
        self._made.append(obj)
        return obj

    def object_of(self, cls: str, ref: Ref) -> Obj:
        """Return the object of ours that has this ref; StopIteration where we made none."""
        return next(obj for obj in self._made if (obj.cls, obj.ref) == (cls, ref))

    def known_refs(self, cls: str) -> set[Ref]:
        """Return the refs of the objects of a class that we made and did not remove."""
        return {obj.ref for obj in self._made if obj.cls == cls}

    def refusal(self, cls: str, exchange: Exchange) -> str:
        """Return, and remember, why no object of a class can be made."""
        why = f"{exchange.message} refused: {describe(exchange)}"
        outcome = exchange.reply.outcome
        if isinstance(outcome, Failure) and outcome.code == "HANDLE_INVALID":
            return why  # what it needs was gone; the next may find it
        return self.refusals.setdefault(cls, why)

    def adopt(self, cls: str, exchange: Exchange) -> Obj:
        """Take the object that a constructor's successful exchange made into the stock, to be removed at the end."""
        outcome = exchange.reply.outcome
        assert isinstance(outcome, Success)
        return self.adopt_ref(cls, outcome.value)

    def try_make(
        self, cls: str, values: Mapping[str, Value] = NOTHING, *, fmt: Format | None = None, probe: bool = False
    ) -> Exchange:
        """Call the first constructor of a class and return what came; `probe` says that HTTP's means may refuse it.

        Raises:
            Unavailable: the class has no constructor, or what it needs cannot be had.
        """
        bench = self._bench
        constructor = self.constructor(cls)
        if cls in self.refusals and not values:
            raise Unavailable(self.refusals[cls])
        given = {**self.exemplar(cls), **values}
        message, fmt = constructor.message.full_name, fmt or bench.formats[0]
        if constructor.record:
            turned = self.numbered.bit_count() % 2  # A record has no order.
            return bench.call(fmt, message, dict(reversed(given.items())) if turned else given, probe=probe)
        return bench.call(fmt, message, *(given[p.name] for p in constructor.message.params), probe=probe)

    def exemplar(self, cls: str, constructor: Constructor | None = None) -> dict[str, Value]:
        """Return the values to make one more object of a class with, what it needs being made first.

        Raises:
            Unavailable: what it needs cannot be had.
        """
        if cls in self._in_hand:
            raise Unavailable(f"making {cls} needs another {cls} first: {' -> '.join(self._in_hand)}")
        self._in_hand.append(cls)
        try:
            constructor = constructor or self.constructor(cls)
            drawn = exemplar(self._bench.api, self._bench.profile, cls, self.number(), tag=TAG, constructor=constructor)
            drawn.update({"uuid": nature.new_uuid()} if "uuid" in drawn else {})  # a server may take none twice
            return {name: filled(value, self.need, self.uuid_of) for name, value in drawn.items()}
        finally:
            self._in_hand.pop()

    def constructor(self, cls: str) -> Constructor:
        """Return the constructor that objects of a class are made with.

        Raises:
            Unavailable: there is none that may be called.
        """
        found = constructor_of(self._bench.api, self._bench.profile, cls)
        if found is None:
            name = self._bench.profile.name
            raise Unavailable(f"no constructor of {cls} in the model that the profile {name} allows")
        return found

    def need(self, need: Need) -> Ref:
        """Return the ref of an object that another one needs.

        Raises:
            Unavailable: there is none.
        """
        if need.prefer_existing and self.existing(need.cls):
            return self.existing(need.cls)[0]
        try:
            return self.own(need.cls).ref
        except Unavailable as why:
            if self.existing(need.cls):
                return self.existing(need.cls)[0]
            raise Unavailable(f"needs a {need.cls}: {why}") from why

    def uuid_of(self, need: Need) -> str:
        """Return the uuid of an object that another one needs; raises as `need`."""
        outcome = self._bench.call(self._bench.formats[0], f"{need.cls}.get_uuid", self.need(need)).reply.outcome
        if not isinstance(outcome, Success):
            raise Unavailable(f"the uuid of a {need.cls} cannot be read")
        return str(outcome.value)

    def stale(self, cls: str) -> Ref | None:
        """Return the ref of an object of ours that was destroyed, or None where that cannot be had."""
        with suppress(Unavailable):
            obj = self.make(cls)
            return obj.ref if self.remove(obj) else None
        return None

    def remove(self, obj: Obj) -> bool:
        """Destroy an object of our own; return whether the server did."""
        destructor = self._bench.api.classes[obj.cls].destructor
        if not destructor:
            return False
        outcome = self._bench.call(self._bench.formats[0], f"{obj.cls}.{destructor}", obj.ref).reply.outcome
        if isinstance(outcome, Success):
            self.forget(obj)
            return True
        return isinstance(outcome, Failure) and outcome.code == "HANDLE_INVALID"

    def forget(self, obj: Obj) -> None:
        """Note that an object of ours is gone."""
        self._made = [each for each in self._made if each != obj]
        if self._own.get(obj.cls) == obj:
            del self._own[obj.cls]

    @property
    def made(self) -> tuple[Obj, ...]:
        """What this run made and did not remove yet, the oldest first."""
        return tuple(self._made)

    def clear(self) -> tuple[Obj, ...]:
        """Remove everything we made, the newest first, and return what the server would not let go."""
        for _ in range(2):
            for obj in tuple(reversed(self._made)):
                with suppress(Unavailable):
                    if self.remove(obj):
                        self.forget(obj)
        return tuple(self._made)
