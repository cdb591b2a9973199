"""From a case to the bytes of an attempt, over one format and on one stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast

from xenconform.conformance.codec import Array, Ints, Node, Param, Scalar, Struct, codec_for
from xenconform.conformance.fuzz.effects import Wrote
from xenconform.conformance.fuzz.stage import NOT_ALWAYS, Stage
from xenconform.models.calls import Format, Outcome
from xenconform.models.types import RefTo
from xenconform.strategies.hostile import SLOW, Case, Owed, Said
from xenconform.strategies.hostile.template import Names, expand, places

End = Literal["wait", "half", "close", "reset"]
CHANGED = frozenset({"xml", "json", "envelope"})
"""The layers whose cases call nothing but what names of the stage stand for: changed, they do no harm either."""

LONGER = 1.5
"""So many times what others bear, a slow sender takes."""

SOUND = frozenset({"WIRE-METHOD-UNKNOWN", "WIRE-ARITY"})
"""The clauses on calls that are sound documents, of a method or a number of parameters that there is not."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is sent, and what is owed for it.

    `pieces` is a body to be posted, alone, where `end` is empty; else the pieces of whole requests, sent with `drip`
    seconds between them over a connection of their own. `most` is how many replies there may be. `message` is what a
    well-formed call calls, so that its reply is read by its types; `code` the error code that a refusal should have,
    with its first parameters; `wrote` what it writes, to be read back; `compared` the object that it does no more than
    read, to be read over the other formats too. `deadline` is how long the reply may take, in
    seconds, where that is not as for any other; `then` is told what came of it. `sound` says that it is a call as its
    protocol writes one, so that its reply has the protocol's form too. `may_be_changed` says that what is made of it by
    changing its bytes can do no harm either: a call of any message that has no session may get one.
    """

    id: str
    layer: str
    what: str
    format: Format
    owed: Owed
    clause: str
    cause: str
    pieces: tuple[bytes, ...]
    content_type: str | None = None
    path: str | None = None
    end: End | Literal[""] = ""
    most: int = 1
    drip: float = 0.0
    message: str = ""
    code: tuple[str, ...] = ()
    wrote: Wrote | None = None
    compared: str = ""
    deadline: float | None = None
    then: Callable[[Outcome], None] | None = None
    sound: bool = False
    may_be_changed: bool = True

    @property
    def is_alone(self) -> bool:
        """Whether nothing else may be sent beside it that may write: what it writes, makes or reads is looked at."""
        return self.wrote is not None or self.then is not None or bool(self.compared)

    @property
    def about(self) -> str:
        """The one object that is looked at, so that such attempts about others do not matter to it; else ""."""
        if self.then is not None:
            return ""
        return self.wrote.ref if self.wrote is not None else self.compared

    @property
    def data(self) -> bytes:
        """All that is sent."""
        return b"".join(self.pieces)


def attempts(cases: Iterable[Case], stage: Stage) -> Iterator[Attempt]:
    """Yield each case over each of its formats that the run has, as far as the stage has what it needs."""
    for case in cases:
        needed = places(case.body or "") & NOT_ALWAYS
        for fmt in case.formats:
            if fmt in stage.bench.formats and needed <= stage.names(fmt).keys():
                made = attempt(case, fmt, stage.names(fmt))
                # Others are to notice a slow sender, if they are held up.
                yield replace(made, drip=max(made.drip, LONGER * stage.patience)) if made.drip >= SLOW else made


def attempt(case: Case, fmt: Format, names: Names) -> Attempt:
    """Return a case over one format.

    Raises:
        ValueError: a place names nothing, or what is to be swapped is not there; the text names the case.
    """
    try:
        pieces = _pieces(case, fmt, names)
        path = None if case.path is None else expand(case.path, names).decode()
        kind = None if case.content_type is None else expand(case.content_type, names).decode()
    except ValueError as why:
        raise ValueError(f"{case.id}, {case.what!r}, over {fmt}: {why}") from why
    http = case.http
    return Attempt(
        case.id,
        case.layer,
        case.what,
        fmt,
        case.owed,
        case.clause,
        case.cause or case.what,
        pieces,
        kind,
        path,
        cast("End", http.end) if http else "",
        http.most if http else 1,
        http.drip if http else 0.0,
        sound=case.method is not None and case.clause in SOUND and case.owed is Owed.REFUSED,
        may_be_changed=case.layer in CHANGED,
    )


def _pieces(case: Case, fmt: Format, names: Names) -> tuple[bytes, ...]:
    if case.http is not None:
        return tuple(expand(piece, names) for piece in case.http.pieces)
    if case.body is not None:
        body = expand(case.body, names)
        for old, new in case.swaps:
            was = expand(old, names)
            if was not in body:
                raise ValueError(f"{old!r} to be swapped is not in {body[:400]!r}")
            body = body.replace(was, expand(new, names), 1)
        return (body,)
    params: list[Param] = [(None, _node(each, names)) for each in case.params]
    if case.session is not None:
        params.insert(0, (RefTo("session"), expand(case.session, names).decode()))
    method = expand(case.method or "", names).decode()
    return (codec_for(fmt).encode_call(method, params, ints=cast("Ints", case.ints)),)


def _node(said: Said, names: Names) -> Node:
    kind, inner = said
    match kind:
        case "array":
            return Array(tuple(_node(each, names) for each in inner))
        case "struct":
            return Struct(tuple((expand(name, names).decode(), _node(each, names)) for name, each in inner))
        case _:
            return Scalar(kind, expand(inner, names).decode())
