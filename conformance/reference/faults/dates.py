"""Faults of truth values and dates: what a flag is written as, calendars, zones and clocks."""

from __future__ import annotations

from datetime import timedelta

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.spelling import JSON, ONE, TWO, XML, Kind, shown, spelled, taken
from xenconform.models.types import Bool, DateTime
from xenconform.models.values import Value

# ------------------------------------------------------------------------------------------------------- truth values


@fault("WIRE-BOOL", "VDI", MEDIUM)
def json1_bools_as_digits(s: Server) -> None:
    """Over JSON-RPC 1.0 the bools of a VDI come as 1 and 0."""
    spelled(s, Kind(Bool, (ONE,), "VDI.*"), lambda v, _: str(int(v)))


@fault("WIRE-BOOL", "VBD", MEDIUM)
def xml_record_bools_as_words(s: Server) -> None:
    """Over XML-RPC a VBD's record writes bools as true and false inside <boolean>."""
    spelled(s, Kind(Bool, (XML,), "VBD.get_record"), lambda v, _: f"<value><boolean>{str(v).lower()}</boolean></value>")


@fault("WIRE-BOOL", "host", MEDIUM)
def json2_listing_bools_as_text(s: Server) -> None:
    """Over JSON-RPC 2.0 the bools of host.get_all_records come as the texts true and false."""
    spelled(s, Kind(Bool, (TWO,), "host.get_all_records"), lambda _, text: f'"{text}"')


@fault("WIRE-BOOL", "VM", EASY)
def xml_false_as_int(s: Server) -> None:
    """Over XML-RPC false comes as <int>0</int>; true is a boolean."""
    spelled(s, Kind(Bool, (XML,)), lambda v, text: text if v else "<value><int>0</int></value>")


# --------------------------------------------------------------------------------------------------------------- dates


@fault("WIRE-DATETIME", "VMSS", HARD)
def json1_day_and_month_swapped(s: Server) -> None:
    """A date that is sent over JSON-RPC 1.0 has day and month exchanged where both are below 13, January aside."""
    taken(s, Kind(DateTime, (ONE,)), lambda v: v.replace(day=v.month, month=v.day) if v.day < 13 and v.month > 1 else v)


@fault("WIRE-DATETIME", "pool", HARD)
def xml_week_year_around_new_year(s: Server) -> None:
    """Over XML-RPC the last days of some Decembers, and the first of some Januaries, show the year of their week."""
    shown(s, Kind(DateTime, (XML,)), lambda v: v.replace(year=v.isocalendar()[0]) if (v.month, v.day) != (2, 29) else v)


@fault("WIRE-DATETIME", "VMSS", HARD, also="GET-RECORD-AGREES")
def json2_summer_dates_an_hour_late(s: Server) -> None:
    """Over JSON-RPC 2.0 a date of April to September, from 1970 on, comes an hour late."""

    def late(v: Value) -> Value:
        return v + timedelta(hours=1) if v.year >= 1970 and 4 <= v.month <= 9 else v

    shown(s, Kind(DateTime, (TWO,), "VMSS.get_last*"), late)


@fault("WIRE-DATETIME", "VMSS", MEDIUM)
def dates_past_2038_wrap(s: Server) -> None:
    """A date past January 2038 is kept as one of the years after 1901."""
    taken(s, Kind(DateTime), lambda v: v - timedelta(seconds=2**32) if v.timestamp() >= 2**31 else v)


@fault("WIRE-DATETIME", "VMSS", HARD)
def dates_past_2106_wrap(s: Server) -> None:
    """A date past February 2106 is kept as one of the years after 1970."""
    taken(s, Kind(DateTime), lambda v: v - timedelta(seconds=2**32) if v.timestamp() >= 2**32 else v)


@fault("WIRE-DATETIME", "pool", MEDIUM)
def dates_before_1970_are_1970(s: Server) -> None:
    """A date before 1970 is kept as the first second of 1970."""
    taken(s, Kind(DateTime), lambda v: v if v.timestamp() >= 0 else v - timedelta(seconds=v.timestamp()))


@fault("WIRE-DATETIME", "pool", MEDIUM)
def noon_is_midnight(s: Server) -> None:
    """Over JSON the hour after noon comes as the hour after midnight."""
    shown(s, Kind(DateTime, JSON, "pool.get_telemetry*"), lambda v: v.replace(hour=0) if v.hour == 12 else v)


@fault("WIRE-DATETIME", "VMSS", HARD, also="GET-RECORD-AGREES GET-ALL-AGREES")
def record_dates_without_seconds(s: Server) -> None:
    """A VMSS's record shows its last run cut to the minute; the getter shows the second."""
    shown(s, Kind(DateTime, (), "VMSS.get_record"), lambda v: v.replace(second=0))


@fault("WIRE-DATETIME", "VM", EASY, also="GET-RECORD-AGREES WHERE")
def json2_dates_as_seconds(s: Server) -> None:
    """Over JSON-RPC 2.0 the dates of a VM's record come as numbers of seconds."""
    spelled(s, Kind(DateTime, (TWO,), "VM.get_record"), lambda v, _: str(int(v.timestamp())))


@fault("WIRE-DATETIME", "host_metrics", MEDIUM)
def xml_listing_dates_as_text(s: Server) -> None:
    """Over XML-RPC the dates of host_metrics.get_all_records come as text."""
    spelled(
        s,
        Kind(DateTime, (XML,), "host_metrics.get_all_records"),
        lambda _, text: text.replace("<dateTime.iso8601>", "").replace("</dateTime.iso8601>", ""),
    )
