"""Explicit messages that are called wrongly must fail: levels 1 and 3, and sessions.

These are the messages that no field gives rise to. What one does is unknown to the checks, so every call is aimed as
`aimed` says, and judged as `probing` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from xenconform.conformance.checks.aimed import (
    HARMFUL,
    Aim,
    aim,
    blind,
    is_harmless,
    names_objects,
    other_ref,
)
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Unavailable, show
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.probing import Probe, Turn, judge_messages
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.sessions import KINDS
from xenconform.conformance.checks.tally import sampled
from xenconform.conformance.checks.wire_calls import NIL
from xenconform.conformance.checks.wire_types import odd_nodes
from xenconform.conformance.codec import Param, plain
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.types import NULL_REF, RefTo
from xenconform.models.values import Value
from xenconform.strategies.wrong import is_a_name, wrong_typed


def explicit_messages(of: ApiClass) -> list[Message]:
    """Return the messages of a class that no field gives rise to, explicit getters and what is removed left out."""
    return [
        message
        for message in of.messages.values()
        if not message.implicit
        and message.takes_session
        and message.verb != "get"
        and message.lifecycle.state is not State.REMOVED
    ]


def has_explicit(_api: Api, of: ApiClass) -> bool:
    """Whether a class has such messages."""
    return bool(explicit_messages(of))


# ---------------------------------------------------------------------------------------------- number of parameters


SURPLUS: tuple[tuple[Value, ...], ...] = (("extra",), ("",), ("extra", "extra"), ({},), (NIL,), ("extra",) * 20)
"""What stands behind the parameters of a message, by turns."""


def _wrong_numbers(bench: Bench, message: Message, turn: Turn) -> Iterator[Probe]:
    aimed = aim(bench, message)
    code = ("MESSAGE_PARAMETER_COUNT_MISMATCH", message.full_name, None, None) if aimed.right else None
    ways: list[Probe] = []
    if aimed.args:
        fewer = Aim(aimed.args[:-1], aimed.live)
        ways.append(Probe("too few parameters", fewer, code=code))
    if is_harmless(bench, message):
        surplus = SURPLUS[(turn.number + turn.at) % len(SURPLUS)]
        more = Aim((*aimed.args, *surplus), aimed.live)
        ways.append(Probe(f"too many parameters: {show(surplus)} at the end", more, code=code))
    if not ways:
        raise Unavailable(HARMFUL)
    yield from turn.take(ways)


# ------------------------------------------------------------------------------------------------ type of parameters


def has_explicit_with_parameters(_api: Api, of: ApiClass) -> bool:
    """Whether a class has such messages that take parameters."""
    return any(message.params for message in explicit_messages(of))


def _wrong_types(bench: Bench, message: Message, turn: Turn) -> Iterator[Probe]:
    """Yield calls with a value of another type in one parameter; each kind of wrong value over one format at least."""
    if not is_harmless(bench, message):
        raise Unavailable(HARMFUL)
    aimed, count = aim(bench, message), len(message.params)
    positions = [n for n in range(count) if turn.all_of_them or turn.has_come(n)]
    for at in positions or [(turn.number + turn.at) % count]:
        of = message.params[at].type
        wrong: list[Param] = [each for each in wrong_typed(of) if each[0] != of and not is_a_name(of, each[0])]
        wrong += odd_nodes(of)
        used = blind(message) if isinstance(of, RefTo) else aimed
        # Accessors read values of their own, as fields do: each is tried with each over all formats but one.
        spared = _in_turn(wrong, turn) if message.verb and turn.all_of_them else ()
        for typed, value in [each for each in wrong if each not in spared] if spared else _in_turn(wrong, turn):
            params: list[Param] = [(p.type, arg) for p, arg in zip(message.params, used.args, strict=True)]
            params[at] = (typed, value)
            what = f"{show(value if typed else plain(value))} as {typed or 'it stands'} for {message.params[at].name}"
            code = ("FIELD_TYPE_ERROR",) if used.right else None
            yield Probe(what, Aim((), used.live), params=params, code=code)


def _in_turn(wrong: Sequence[Param], turn: Turn) -> Sequence[Param]:
    """Return the share of the wrong values that comes over one format; of it a single one in the quick budget."""
    shift = (turn.number + turn.at) % turn.formats
    share = wrong[shift :: turn.formats] or wrong[:1]
    return share if turn.all_of_them else share[:1]


# ---------------------------------------------------------------------------------------------------------- sessions


def _bad_sessions(bench: Bench) -> dict[str, str | None]:
    """Return a session of each of the `KINDS` of bad ones."""
    try:
        ended = opened(bench, bench.formats[0])
        bench.call(bench.formats[0], "session.logout", session=ended)
    except Unavailable:
        ended = unknown_ref()
    return dict(zip(KINDS, (unknown_ref(), None, ended, NULL_REF, other_ref(bench, "session") or "x"), strict=True))


def _without_session(sessions: dict[str, str | None], bench: Bench, message: Message, turn: Turn) -> Iterator[Probe]:
    """Yield calls that are good but for the session, where they can be; and, over one format, the asynchronous form."""
    if not is_harmless(bench, message):
        raise Unavailable(HARMFUL)
    aimed = aim(bench, message)
    kinds = KINDS if bench.budget.name == "thorough" else (KINDS[(turn.number + 2 * turn.at) % len(KINDS)],)
    for kind in kinds:
        code = ("SESSION_INVALID",) if aimed.right and kind != "missing" else None
        yield Probe(f"a session that is {kind}", aimed, session=sessions[kind], code=code, strict=True)
    if names_objects(message) and turn.has_come():
        kind = KINDS[turn.number % len(KINDS)]
        yield Probe(f"a session that is {kind}", blind(message), session=sessions[kind], is_async=True)


# ------------------------------------------------------------------------------------------------------------ checks


def explicit_messages_need_a_session(bench: Bench, of: ApiClass) -> None:
    """No explicit message is carried out without a valid session, nor its asynchronous form. Source: error list."""
    ways = partial(_without_session, _bad_sessions(bench))
    judge_messages(bench, of, "SESSION-REQUIRED", ways, sampled(bench, explicit_messages(of)))


def explicit_messages_count_parameters(bench: Bench, of: ApiClass) -> None:
    """Too few or too many parameters of an explicit message fail. Source: error list."""
    judge_messages(bench, of, "WIRE-ARITY", _wrong_numbers, sampled(bench, explicit_messages(of)))


def explicit_messages_mind_types(bench: Bench, of: ApiClass) -> None:
    """A parameter of another type fails, whichever it is of an explicit message. Source: error list."""
    messages = [message for message in explicit_messages(of) if message.params]
    judge_messages(bench, of, "WIRE-TYPE", _wrong_types, sampled(bench, messages))


CHECKS: tuple[Check, ...] = (
    Check(
        "WIRE-ARITY",
        per_class=explicit_messages_count_parameters,
        applies=has_explicit,
        also=("WIRE-ARITY-CODE",),
    ),
    Check(
        "WIRE-TYPE",
        per_class=explicit_messages_mind_types,
        applies=has_explicit_with_parameters,
        also=("WIRE-TYPE-CODE",),
    ),
    Check("SESSION-REQUIRED", per_class=explicit_messages_need_a_session, applies=has_explicit),
)
