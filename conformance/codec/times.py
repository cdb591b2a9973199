"""Datetimes on the wire: ISO 8601, the date compact or dashed, the zone Z, an offset, or none, which means UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_FORM = re.compile(
    r"(\d{4})(-?)(\d\d)\2(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?(?:Z|([+-])(\d\d):?(\d\d)?)?", re.ASCII
)


def parse_datetime(text: str) -> datetime:
    """Return the instant that a wire text denotes, in UTC.

    Digits of a fraction beyond microseconds are dropped.

    Raises:
        ValueError: the text is not in the form, or denotes no instant of the years 1 to 9999.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"not an ISO 8601 datetime: {text[:40]!r}")
    year, _, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = found.groups()
    micro = int((fraction or "")[:6].ljust(6, "0"))
    zone = UTC
    if sign is not None:
        offset = timedelta(hours=int(off_hours), minutes=int(off_minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
    at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micro, tzinfo=zone)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"outside the years 1 to 9999: {text!r}") from None


def format_datetime(at: datetime) -> str:
    """Return the wire text of an instant: 20240101T12:00:00Z, a fraction only where there is one.

    A datetime without a zone is read as UTC.
    """
    if at.tzinfo is not None and at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    fraction = f".{at.microsecond:06d}" if at.microsecond else ""
    return f"{at.year:04d}{at.month:02d}{at.day:02d}T{at.hour:02d}:{at.minute:02d}:{at.second:02d}{fraction}Z"
