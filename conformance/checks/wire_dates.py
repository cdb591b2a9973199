"""Level 1, datetimes in other notations: with an offset from UTC and with fractions of a second."""

from __future__ import annotations

from datetime import UTC, datetime

from xenconform.conformance.checks.judging import describe, is_refusal
from xenconform.conformance.checks.roundtrip import Trial
from xenconform.conformance.codec import Scalar
from xenconform.models import types as t
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange

ZONED: tuple[tuple[str, datetime], ...] = (
    ("20240701T01:15:30+02:00", datetime(2024, 6, 30, 23, 15, 30, tzinfo=UTC)),
    ("2024-07-01T20:15:30-05:30", datetime(2024, 7, 2, 1, 45, 30, tzinfo=UTC)),
    ("20240701T01:15:30+0530", datetime(2024, 6, 30, 19, 45, 30, tzinfo=UTC)),
)
"""Datetimes with an offset, and the instants that they denote, on another day."""
FRACTION = ("20240701T01:15:30.040004Z", datetime(2024, 7, 1, 1, 15, 30, 40_004, tzinfo=UTC))
"""A fraction of a second with zeros before its digits, in milliseconds as in microseconds. Rounding cuts it, too."""


def instants_stay(trial: Trial) -> None:
    """Write datetimes with an offset or a fraction: turned down, or read back as the same instant.

    No document says how fine a server's clock is: a fraction may lose its last digits, or all of them.
    """
    spot_, holder = trial.spot, trial.holder
    if spot_.how != "set" or not spot_.is_free or trial.over or holder is None:
        return
    for text, at in (*ZONED, FRACTION):
        tag = "dateTime.iso8601" if trial.fmt is Format.XMLRPC else "string"
        params = [(t.RefTo(spot_.of.name), holder.ref), (None, Scalar(tag, text))]
        message = f"{spot_.of.name}.set_{spot_.field.name}"
        wrote = spot_.bench.call(trial.fmt, message, params=params, probe=True)
        if is_refusal(wrote):
            trial.judge.asserted += 1
        elif isinstance(wrote.reply.outcome, Success) and not _comes_back(trial, text, at, wrote):
            return


def _comes_back(trial: Trial, text: str, at: datetime, wrote: Exchange) -> bool:
    """Judge over which format a written instant is not read back; return whether it is over every one asked."""
    assert trial.holder is not None
    spot_ = trial.spot
    back = spot_.get(spot_.bench.other(trial.fmt), trial.holder.ref)
    if not isinstance(back.reply.outcome, Success):
        return True
    if back.reply.outcome.value in _coarser(at):
        trial.judge.asserted += 1
        return True
    reads = {fmt: spot_.get(fmt, trial.holder.ref) for fmt in spot_.bench.formats}
    outcomes = {fmt: read.reply.outcome for fmt, read in reads.items()}
    bad = [fmt for fmt, seen in outcomes.items() if not (isinstance(seen, Success) and seen.value in _coarser(at))]
    guilty = back.format if bad == [back.format] else trial.fmt
    trial.blamed.add(guilty)
    trial.judge.fail(f"{text} is refused, or the instant {at}", describe(back), wrote, back, fmt=guilty)
    return False


def _coarser(at: datetime) -> set[datetime]:
    """Return an instant to the microsecond, and cut after fewer digits."""
    return {at.replace(microsecond=at.microsecond // 10**cut * 10**cut) for cut in range(7)}
