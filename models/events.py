"""The events of a run's log, each one line of JSON.

The law: `decode_event(encode_event(event)) == event`. Bodies are text where they are UTF-8, base64 elsewhere; values
are written as `models.plain` says.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any, Literal, TypeAlias

from xenconform.models.calls import Breach, Failure, Flaw, Format, Outcome, Reply, Success
from xenconform.models.exchange import Exchange
from xenconform.models.plain import from_plain, to_plain
from xenconform.models.profiles import Waiver
from xenconform.models.verdicts import Judgement, Verdict

RunKind = Literal["certify", "fuzz"]


@dataclass(frozen=True, slots=True)
class Rejudged:
    """A log that was judged again: the SHA-256 of its bytes in hexadecimal, and the version that made it."""

    sha256: str
    version: str


@dataclass(frozen=True, slots=True)
class RunStart:
    """What was asked for: the settings of a run, as its command line and profile gave them.

    `kind` is the command that asked: the fuzzer's runs say nothing of what hostile input does not show. `version` is
    this product's; `target` the server's address without credentials, or what stands for the embedded
    one; `formats` and `clauses` are what was selected, the clauses by id; `started` is an instant in ISO 8601;
    `classes` are those that the run was kept to, none for all of them; `fault` is the embedded server's that was
    switched on; `profile_digest` is the SHA-256 of the profile's file in hexadecimal, and `waivers` are the profile's;
    `build` is the job of a build server that ran it, by the names that Allure has for it, empty where there was none.
    `user` is who logged in, `roles` the users by role, `deadline` the seconds for a call. `rules` has, of each clause
    that could have been selected, what `models.clauses.mark` tells of it. `rejudged` tells of which log this is
    another judgement; None of a run that asked a server. `redacted` names what was replaced in the log besides
    passwords and sessions: `hosts`, or nothing. `restarts` is whether somebody said how to restart the server; true too
    in logs that do not tell.
    """

    version: str = ""
    seed: int = 0
    target: str = ""
    release: str = ""
    profile: str = ""
    scope: str = ""
    budget: str = ""
    formats: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    started: str = ""
    kind: RunKind = "certify"
    classes: tuple[str, ...] = ()
    fault: str = ""
    profile_digest: str = ""
    waivers: tuple[Waiver, ...] = ()
    build: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    deadline: float = 0.0
    rules: Mapping[str, str] = field(default_factory=dict)
    rejudged: Rejudged | None = None
    redacted: tuple[str, ...] = ()
    restarts: bool = True


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How it ended: the calls made, the seconds it took, whether a person stopped it, and our own error or "".

    `judgements` and `marks` count those of the log, so that one that is missing is missed: the marks are its items and
    times that were over. None in logs that do not tell.
    `left` names what the run made and could not remove, or wrote and could not put back; None where nobody looked.
    """

    calls: int
    seconds: float
    interrupted: bool = False
    error: str = ""
    judgements: int | None = None
    left: tuple[str, ...] | None = None
    marks: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What comes next in the log, of the worker that wrote it: one check on one class, or an `OPENING` or `CLOSING`.

    `clause` is the check's, `by` the function that judges, `of` the class or "" for the server. What the check draws
    besides by the seed follows from `number`, from which the worker's objects are numbered, and from `salt`, of which
    names are made that nobody has.
    """

    clause: str
    by: str
    of: str
    number: int
    salt: str


@dataclass(frozen=True, slots=True)
class TimeOver:
    """A check looked at the clock here, and the time that it gave itself was over."""


OPENING, CLOSING = "(opening)", "(closing)"
"""The clause of an item that is none: a worker logs in, and removes what it made."""


@dataclass(frozen=True, slots=True)
class SavedCase:
    """A case that judgements name: the texts of its files, by suffix, so that a report can quote them."""

    name: str
    files: Mapping[str, str] = field(default_factory=dict)


Event: TypeAlias = RunStart | Item | TimeOver | Exchange | Judgement | SavedCase | RunEnd

_write = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def encode_event(event: Event) -> str:
    """Return the event as one line of JSON, ASCII alone, with no line end."""
    match event:
        case Exchange():
            return _write(_exchange_out(event))
        case Judgement():
            return _write({"event": "judgement"} | _fields_out(event))
        case RunStart():
            return _write(_start_out(event))
        case Item():
            return _write({"event": "item"} | _fields_out(event))
        case TimeOver():
            return _write({"event": "over"})
        case SavedCase():
            return _write({"event": "case"} | _fields_out(event))
        case RunEnd():
            return _write({"event": "run_end"} | _fields_out(event))


def decode_event(line: str) -> Event:
    """Return the event of a line that `encode_event` wrote, equal to the one it was given.

    Raises:
        ValueError: the line is no event of this log format, or is cut.
    """
    return event_of(load_line(line))


def load_line(line: str) -> dict[str, Any]:
    """Return the members of a line's event, by which it can be counted or renumbered without being decoded.

    Raises:
        ValueError: the line is no JSON object with an `event` member.
    """
    data = json.loads(line)
    if not isinstance(data, dict) or "event" not in data:
        raise ValueError(f"not an event of a run: {line[:80]!r}")
    return data


def event_of(data: dict[str, Any]) -> Event:
    """Return the event of what `load_line` gave, which is used up.

    Raises:
        ValueError: members are missing, unknown or of a wrong kind.
    """
    try:
        return _event(data)
    except (KeyError, TypeError, AttributeError) as broken:
        raise ValueError(f"not an event of a run: {broken!r}") from broken


def _event(data: dict[str, Any]) -> Event:
    match data.pop("event", None):
        case "exchange":
            return _exchange_in(data)
        case "judgement":
            data["verdict"] = Verdict(data["verdict"])
            return Judgement(**{name: from_plain(item) for name, item in data.items()})
        case "run_start":
            waivers, of = _waivers_in(data.pop("waivers", ())), from_plain(data.pop("rejudged", None))
            rejudged = Rejudged(**of) if of else None
            return RunStart(
                **{name: from_plain(item) for name, item in data.items()}, waivers=waivers, rejudged=rejudged
            )
        case "item":
            return Item(**{name: from_plain(item) for name, item in data.items()})
        case "over":
            return TimeOver(**data)
        case "case":
            return SavedCase(**{name: from_plain(item) for name, item in data.items()})
        case "run_end":
            return RunEnd(**{name: from_plain(item) for name, item in data.items()})
        case other:
            raise ValueError(f"no event of a run is named {other!r}")


def _fields_out(event: Judgement | RunStart | Item | SavedCase | RunEnd) -> dict[str, Any]:
    return {each.name: to_plain(getattr(event, each.name)) for each in fields(event)}


def _start_out(event: RunStart) -> dict[str, Any]:
    plain = replace(event, waivers=(), rejudged=None)
    out = {"event": "run_start"} | _fields_out(plain) | {"waivers": _waivers_out(event.waivers)}
    return out | {"rejudged": to_plain(asdict(event.rejudged) if event.rejudged else None)}


def _waivers_out(waivers: Iterable[Waiver]) -> list[dict[str, Any]]:
    return [{each.name: to_plain(str(getattr(waiver, each.name))) for each in fields(Waiver)} for waiver in waivers]


def _waivers_in(plain: Iterable[dict[str, Any]]) -> tuple[Waiver, ...]:
    texts = [{name: from_plain(item) for name, item in each.items()} for each in plain]
    return tuple(Waiver(**each | {"expires": date.fromisoformat(each["expires"])}) for each in texts)


def body_out(body: bytes) -> str | dict[str, str]:
    """Return a body as a log has it."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"$bytes": b64encode(body).decode()}


def _body_in(plain: str | dict[str, str]) -> bytes:
    return plain.encode() if isinstance(plain, str) else b64decode(plain["$bytes"])


def _exchange_out(event: Exchange) -> dict[str, Any]:
    """Return the event's members; written out by hand, for it is on the path of every call."""
    out: dict[str, Any] = {
        "event": "exchange",
        "seq": event.seq,
        "message": to_plain(event.message),
        "args": [to_plain(each) for each in event.args],
        "format": event.format,
        "status": event.status,
        "elapsed": event.elapsed,
        "sent": body_out(event.sent),
        "received": body_out(event.received),
        "headers": [[to_plain(name), to_plain(text)] for name, text in event.headers],
        "outcome": _outcome_out(event.reply.outcome),
    }
    if event.reply.flaws:
        out["flaws"] = [to_plain((flaw.kind, flaw.detail, flaw.where, flaw.offset)) for flaw in event.reply.flaws]
    if event.rewritten:
        out["rewritten"] = True
    return out


def _outcome_out(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Success(value):
            return {"value": to_plain(value)}
        case Failure(code, params):
            return {"code": to_plain(code), "params": to_plain(params)}
        case Breach(kind, detail, offset):
            return {"breach": to_plain(kind), "detail": to_plain(detail), "offset": offset}


def _outcome_in(data: dict[str, Any]) -> Outcome:
    if "value" in data:
        return Success(from_plain(data["value"]))
    if "code" in data:
        return Failure(from_plain(data["code"]), from_plain(data["params"]))
    return Breach(from_plain(data["breach"]), from_plain(data["detail"]), data["offset"])


def _exchange_in(data: dict[str, Any]) -> Exchange:
    flaws = tuple(Flaw(*from_plain(each)) for each in data.get("flaws", ()))
    return Exchange(
        seq=data["seq"],
        message=from_plain(data["message"]),
        args=from_plain(data["args"]),
        format=Format(data["format"]),
        sent=_body_in(data["sent"]),
        received=_body_in(data["received"]),
        status=data["status"],
        headers=from_plain(data["headers"]),
        reply=Reply(_outcome_in(data["outcome"]), flaws),
        elapsed=data["elapsed"],
        rewritten=data.get("rewritten", False),
    )
