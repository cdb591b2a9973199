"""What hostile input is about: a text that it may try to write, sessions that it may try to use, and who looks on.

A stage gives the names that cases are written with. Everything on it is of our own making, or only read.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.hostile_entities import CANARY
from xenconform.conformance.checks.hostile_scene import patience_after
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.lost import is_refused, reading
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.wire_envelope import a_listing, a_text_setter
from xenconform.conformance.codec import codec_for
from xenconform.conformance.fuzz.sessions import Sessions
from xenconform.models.calls import Format, Success
from xenconform.models.types import MapOf, RefTo, SetOf, Str, Type
from xenconform.models.values import Ref, Value, same

REST: Final = "xenconform"
"""The text that stands in the field while nothing is written to it."""
COLLECTIONS: Final[dict[str, Type]] = {"map_setter": MapOf(Str(), Str()), "set_setter": SetOf(Str())}
"""What messages that write them stand for in cases, where the object has such a field."""
NOT_ALWAYS: Final = frozenset(COLLECTIONS)
"""The names that a stage may lack."""
GOOD: Final = 5
"""So many good calls tell how long one takes: a single one may have waited for the machine."""
HOSTILE: Final = "HOSTILE"
"""The text that hostile calls write; cases put other text in its place."""


@dataclasses.dataclass(slots=True)
class Stage:
    """One server's stage.

    `other` is a session that no hostile input names in whole but by its place; `ended` are some that were logged out;
    `sessions` are those of our own that calls are made in; `gone` are refs that the server said to be no object's.
    `usual` is how long a good call took before anything hostile was sent, in seconds.
    """

    bench: Bench
    listing: str
    obj: Obj
    field: str
    other: str
    ended: tuple[str, ...]
    sessions: Sessions
    file: Path
    usual: float = 0.0
    gone: set[str] = dataclasses.field(default_factory=set)
    _names: dict[Format, dict[str, bytes]] = dataclasses.field(default_factory=dict)

    @property
    def patience(self) -> float:
        """Seconds that a good call may take while hostile input is sent."""
        return patience_after(self.usual)

    @property
    def brief(self) -> float:
        """Seconds that are waited for a reply to what need not get one, such as half a request."""
        return min(max(0.4, 40 * self.usual), self.patience)

    @property
    def silence(self) -> float:
        """Seconds without a byte after which no further reply is to be waited for."""
        return min(max(0.05, 20 * self.usual), 0.5)

    @property
    def setter(self) -> str:
        """The message that writes the text."""
        return f"{self.obj.cls}.set_{self.field}"

    def names(self, fmt: Format) -> Mapping[str, bytes]:
        """Return what the names of cases stand for over one format."""
        session = self.bench.client.session.encode()
        if self._names.get(fmt, {}).get("session") != session:
            self._names[fmt] = self._named(fmt)
        return self._names[fmt]

    def _named(self, fmt: Format) -> dict[str, bytes]:
        client, cls = self.bench.client, self.obj.cls
        codec = codec_for(fmt)
        session = (RefTo("session"), client.session)
        target = client.target
        texts = {
            "session": client.session,
            "other": self.other,
            "ended": self.ended[0],
            "ref": self.obj.ref,
            "foreign": self.bench.stock.existing(self.listing.partition(".")[0])[0],
            "unknown": unknown_ref(),
            "cls": cls,
            "setter": self.setter,
            "getter": f"{cls}.get_{self.field}",
            "record": f"{cls}.get_record",
            "listing": self.listing,
            "version": '"jsonrpc":"2.0",' if fmt is Format.JSONRPC2 else "",
            "rest": REST,
            "canary1": CANARY[0],
            "canary2": CANARY[1],
            "file": self.file.as_uri(),
            "path": target.path_for(fmt),
            "host": target.host or "localhost",
            "type": codec.content_type,
        }
        named = {name: text.encode() for name, text in {**texts, **dict(self._collections())}.items()}
        named["ask"] = codec.encode_call(self.listing, [session]).rstrip()
        named["write"] = codec.encode_call(
            self.setter, [session, (RefTo(cls), self.obj.ref), (Str(), HOSTILE)]
        ).rstrip()
        for name in ("ask", "write"):
            named[f"{name}_request"] = (
                b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
                % (named["path"], named["host"], named["type"], len(named[name]), named[name])
            )
        return named

    def _collections(self) -> Iterator[tuple[str, str]]:
        """Yield the names of setters of the object's own map and set of free text, as far as it has such."""
        bench = self.bench
        for name, of in COLLECTIONS.items():
            for message in bench.api.classes[self.obj.cls].messages.values():
                writes = message.implicit and message.verb == "set" and message.params[-1].type == of
                if writes and bench.profile.domain(self.obj.cls, message.field).is_free:
                    yield name, message.full_name
                    break

    def all_names(self, fmt: Format) -> Mapping[str, bytes]:
        """Return the names of one format, and of every object of our own by its class: `ref.VM`."""
        own = {f"ref.{obj.cls}": obj.ref.encode() for obj in self.bench.stock.made}
        return {**own, **self.names(fmt)}

    def digest(self) -> Mapping[str, Value]:
        """Return all of the object that hostile calls may try to write, as it is now.

        What others refer to it by is theirs to write: it comes and goes with objects that we make and end meanwhile.

        Raises:
            Unavailable: the server does not tell; the text says what it did.
        """
        if "get_record" in self.bench.api.classes[self.obj.cls].messages:
            record = self._ask(f"{self.obj.cls}.get_record", self.obj.ref)
            derived = {each.derived_field for each in self.bench.api.relations if each.derived_cls == self.obj.cls}
            items = record.items() if isinstance(record, Mapping) else ()
            return {name: value for name, value in items if name not in derived}
        return {self.field: self._ask(f"{self.obj.cls}.get_{self.field}", self.obj.ref)}

    def settled(self) -> Mapping[str, Value]:
        """Return all of the object, after what may have been written by right.

        That may be such that a format cannot carry it: then the text is put back first.

        Raises:
            Unavailable: the server does not tell.
            TargetGoneError: it is gone.
        """
        with suppress(Unavailable):
            return self.digest()
        with suppress(Unavailable):
            self.rest()
        return self.digest()

    def changed(self, before: Mapping[str, Value], now: Mapping[str, Value]) -> tuple[str, ...]:
        """Return the names of the fields of the object that are not as before."""
        fields = self.bench.api.classes[self.obj.cls].fields
        return tuple(
            name
            for name, value in now.items()
            if name in fields and name in before and not same(fields[name].type, before[name], value)
        )

    def set_again(self) -> None:
        """Take up again what is left after a restart of the server; another object where the text's is gone.

        Raises:
            Unavailable: there is none, and none can be made.
        """
        self._names.clear()
        self.forget({obj.ref for obj in self.bench.stock.made})
        if self.obj not in self.bench.stock.made:
            self.obj, setter = a_text_setter(self.bench)
            self.field = setter.partition(".set_")[2]
        self.rest()

    def forget(self, refs: Collection[str]) -> None:
        """Give up those of our objects with some refs that are there no more."""
        for obj in [each for each in self.bench.stock.made if each.ref in refs]:
            if is_refused(reading(self.bench, obj), "HANDLE_INVALID"):
                self.bench.stock.forget(obj)

    def rest(self) -> None:
        """Put the text back.

        Raises:
            Unavailable: the server refuses, or does not answer.
        """
        self._ask(self.setter, self.obj.ref, REST)

    def _ask(self, message: str, *args: Value) -> Value:
        try:
            return self.bench.ask(self.bench.formats[0], message, *args)[0]
        except Unanswered as why:
            raise Unavailable(str(why)) from why


def _log_out(bench: Bench, *sessions: Ref) -> None:
    """End sessions, where somebody is there to end them: what was found before that stands."""
    with suppress(TargetGoneError, Unavailable):
        for session in sessions:
            bench.call(bench.formats[0], "session.logout", session=session)


def _ended(bench: Bench) -> Iterator[Ref]:
    """Yield a session that was opened over each format and logged out over each."""
    for over in bench.formats:
        for ender in bench.formats:
            session = opened(bench, over)
            bench.call(ender, "session.logout", session=session)
            yield session


@contextmanager
def staged(bench: Bench) -> Iterator[Stage]:
    """Set the stage, and leave everything as it was.

    Raises:
        Unavailable: there is nothing to ask, no text that may be written, or no second session.
    """
    with ExitStack() as after:
        folder = Path(after.enter_context(tempfile.TemporaryDirectory()))
        file = folder / "canary"
        file.write_text("".join(CANARY))
        listing, _ = a_listing(bench)
        obj, setter = a_text_setter(bench)
        fmt = bench.formats[0]
        other, ended = opened(bench, fmt), tuple(_ended(bench))
        after.callback(_log_out, bench, other)
        sessions = Sessions(bench, listing, [opened(bench, each) for each in bench.formats])
        after.callback(lambda: _log_out(bench, *sessions.by_format))
        stage = Stage(bench, listing, obj, setter.partition(".set_")[2], other, ended, sessions, file)
        good = [bench.call(fmt, listing) for _ in range(GOOD)]
        if not all(isinstance(each.reply.outcome, Success) for each in good):
            raise Unavailable(f"{listing} is not answered to begin with")
        stage.usual = median(each.elapsed for each in good)
        after.enter_context(bench.restoring(obj, stage.field))
        stage.rest()
        yield stage
