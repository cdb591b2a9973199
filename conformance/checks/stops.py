"""One call of a tour through the messages of a class: what it sends, what is wrong with it, what it leaves behind."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.options import CallOptions
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.wire_envelope import send
from xenconform.conformance.client import UNSET, Unset
from xenconform.conformance.codec import Param, codec_for
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import is_null_text

NO_SUCH = "xenconform-no-such"
"""A label, a key and a member that no object has."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A call to make. `good` says that nothing is wrong with it; `what` names what is.

    `writes` is the object that it changes; `makes` the class of which it makes an object, `ends` the object that it
    ends. `field` is the one field of it that the call is about. `api` is the model that its values are written by,
    where that is not the run's.
    """

    message: str
    params: tuple[Param, ...] = ()
    what: str = ""
    session: str | Unset | None = UNSET
    good: bool = True
    writes: Obj | None = None
    makes: str = ""
    ends: Obj | None = None
    field: str = ""
    api: Api | None = None


def take(bench: Bench, fmt: Format, stop: Stop) -> Exchange | None:
    """Make a call, and remove what it made; None where it cannot be made, as its object ended meanwhile."""
    try:
        options = CallOptions(params=stop.params, api=stop.api)
        if not isinstance(stop.session, Unset):
            options["session"] = stop.session
        exchange = bench.call(fmt, stop.message, probe=not stop.good, **options)
    except Unavailable:
        return None
    tidy(bench, stop, exchange)
    return exchange


def take_json(bench: Bench, fmt: Format, stop: Stop, **changes: Any) -> Exchange:
    """Make a call over JSON with members of it changed, those that are changed to `...` left out; tidy up after it."""
    session = bench.client.session if isinstance(stop.session, Unset) else stop.session
    whole = stop.params if session is None else ((t.RefTo("session"), session), *stop.params)
    call = json.loads(codec_for(fmt).encode_call(stop.message, whole, api=bench.api)) | changes
    exchange = send(bench, fmt, json.dumps({name: each for name, each in call.items() if each is not ...}).encode())
    tidy(bench, stop, exchange)
    return exchange


def tidy(bench: Bench, stop: Stop, exchange: Exchange) -> None:
    """Remove what a call has made, and note what it has ended."""
    outcome = exchange.reply.outcome
    if not isinstance(outcome, Success):
        return
    if stop.ends is not None:
        bench.stock.forget(stop.ends)
    result = outcome.value
    if stop.makes and isinstance(result, str) and not is_null_text(result):
        bench.stock.remove(bench.stock.adopt_ref(stop.makes, result))


def own(bench: Bench, of: ApiClass) -> Obj | None:
    """Return an object of ours of a class, None where there can be none."""
    with suppress(Unavailable):
        return bench.stock.own(of.name)
    return None


def writable(bench: Bench, of: ApiClass) -> Obj | None:
    """Return an object of a class that may be written, None where there is none."""
    with suppress(Unavailable):
        return bench.stock.writable(of.name)
    return None
