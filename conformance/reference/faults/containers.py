"""Faults of sets, maps and of what the formats show together: sizes, empty ones, keys, copies kept for one format."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import results
from xenconform.conformance.reference.faults.spelling import JSON, ONE, TWO, XML, Kind, shown, spelled, taken
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.types import NULL_REF, Bool, DateTime, MapOf, RefTo, SetOf
from xenconform.models.values import Value

# ----------------------------------------------------------------------------------------------------------------- sets


@fault("WIRE-SET", "network", MEDIUM)
def json1_empty_set_as_null(s: Server) -> None:
    """Over JSON-RPC 1.0 an empty set in a network's record comes as null."""
    spelled(s, Kind(SetOf, (ONE,), "network.get_record"), lambda v, text: text if v else "null")


@fault("WIRE-SET", "host", MEDIUM)
def json_empty_set_as_object(s: Server) -> None:
    """In JSON an empty set of a host comes as an empty object, for its server knows one kind of table."""
    spelled(s, Kind(SetOf, JSON, "host.*"), lambda v, text: text if v else "{}")


@fault("WIRE-SET", "VIF", MEDIUM, also="GET-EVERY-FIELD GET-RECORD-AGREES")
def xml_set_of_one_as_its_member(s: Server) -> None:
    """Over XML-RPC a set of one text in VIF.get_ipv4_allowed and get_ipv6_allowed comes as that text."""

    def alone(value: tuple[str, ...], text: str) -> str:
        return (
            text.replace("<array><data><value>", "").replace("</value></data></array>", "") if len(value) == 1 else text
        )

    spelled(s, Kind(SetOf, (XML,), "VIF.get_ipv?_allowed"), alone)


@fault("WIRE-SET", "VDI", HARD)
def set_past_a_thousand_cut(s: Server) -> None:
    """A set that is written whole keeps the first thousand of its members."""
    taken(s, Kind(SetOf), lambda v: v[:1000])


@fault("WIRE-SET", "pool", HARD)
def json2_set_of_256_wraps(s: Server) -> None:
    """Over JSON-RPC 2.0 the count of a set's members is kept in a byte: of 300 members 44 are kept."""
    taken(s, Kind(SetOf, (TWO,), "pool.*"), lambda v: v[: len(v) % 256])


@fault("WIRE-SET", "SR", HARD, also="WIRE-STRING GET-RECORD-AGREES GET-ALL-AGREES")
def record_set_of_eight(s: Server) -> None:
    """An SR's record shows eight members of a set at most; the getter shows all."""
    shown(s, Kind(SetOf, (), "SR.get_record"), lambda v: v[:8])


@fault("WIRE-SET", "Observer", MEDIUM, also="SET-VALUE")
def xml_empty_member_dropped(s: Server) -> None:
    """Over XML-RPC an empty text among a set's members is left out."""
    taken(s, Kind(SetOf, (XML,)), lambda v: tuple(each for each in v if each != ""))


@fault("WIRE-SET", "VM", HARD, also="WIRE-STRING CREATE-FIELDS")
def json1_members_compared_without_outer_space(s: Server) -> None:
    """Over JSON-RPC 1.0 two members of a set that differ in outer spaces alone are taken for one."""
    taken(s, Kind(SetOf, (ONE,)), lambda v: tuple({str(each).strip(" "): each for each in v}.values()))


# ----------------------------------------------------------------------------------------------------------------- maps


@fault("WIRE-MAP", "network", MEDIUM)
def json_empty_map_as_array(s: Server) -> None:
    """In JSON an empty map of a network comes as an empty array, for its server knows one kind of table."""
    spelled(s, Kind(MapOf, JSON, "network.*"), lambda v, text: text if v else "[]")


@fault("WIRE-MAP", "VM_metrics", MEDIUM, also="WIRE-AGREE")
def json_int_keys_with_point(s: Server) -> None:
    """In JSON the int keys of a map come with a point, as 0.0."""

    def pointed(value: Mapping[Any, Any], text: str) -> str:
        ints = [key for key in value if isinstance(key, int)]
        for key in ints:
            text = text.replace(f'"{key}":', f'"{key}.0":')
        return text

    spelled(s, Kind(MapOf, JSON, "VM_metrics.*"), pointed)


@fault("WIRE-MAP", "VDI", HARD)
def xml_first_key_again_in_long_maps(s: Server) -> None:
    """Over XML-RPC a map of more than eight pairs shows its first pair a second time, in records alone."""

    def again(value: Mapping[Any, Any], text: str) -> str:
        first = text[: text.index("</member>") + 9].partition("<struct>")[2] if len(value) > 8 else ""
        return text.replace("</struct>", f"{first}</struct>") if first else text

    spelled(s, Kind(MapOf, (XML,), "VDI.get_record"), again)


@fault("WIRE-MAP", "SR", HARD)
def inherited_names_lost_as_keys(s: Server) -> None:
    """A map's keys that are names of every object in the server's language are lost when the map is written whole."""
    inherited = {"__proto__", "constructor"}
    taken(s, Kind(MapOf, JSON), lambda v: {k: each for k, each in v.items() if k not in inherited})


@fault("WIRE-MAP", "VM", HARD)
def json2_map_past_512_cut(s: Server) -> None:
    """Over JSON-RPC 2.0 a map of a VM shows 512 pairs at most."""
    shown(s, Kind(MapOf, (TWO,), "VM.get_*"), lambda v: dict(list(v.items())[:512]))


@fault("WIRE-MAP", "network", HARD, also="WIRE-STRING SET-VALUE")
def keys_of_a_letter_without_case(s: Server) -> None:
    """Over XML-RPC two keys of one letter that differ in case alone are taken for one, also where they are dotless."""

    def fold(value: Mapping[Any, Any]) -> Value:
        last = {(k.upper() if len(k) == 1 else k): k for k in value if isinstance(k, str)}
        return {k: each for k, each in value.items() if not isinstance(k, str) or k in last.values()}

    taken(s, Kind(MapOf, (XML,), "network.*"), fold)


# ---------------------------------------------------------------------------------------------------- formats together


@fault("WIRE-AGREE", "PBD", MEDIUM)
def json_attached_read_the_wrong_way(s: Server) -> None:
    """In JSON a PBD that is attached shows that it is not, in records and by its getter."""
    shown(s, Kind(Bool, JSON, "PBD.get_*"), lambda v: not v)


@fault("WIRE-AGREE", "VM_metrics", HARD)
def json1_map_of_ints_in_another_base(s: Server) -> None:
    """Over JSON-RPC 1.0 the int keys of VM_metrics are counted from one, in records and by getters."""

    def counted(value: dict[Any, Value]) -> Value:
        return {key + 1 if isinstance(key, int) else key: each for key, each in value.items()}

    shown(s, Kind(MapOf, (ONE,), "VM_metrics.get_*"), counted)


@fault("WIRE-AGREE", "host_metrics", MEDIUM)
def json1_dates_in_local_time(s: Server) -> None:
    """Over JSON-RPC 1.0 the times of host_metrics come in a zone two hours ahead, marked as UTC."""
    later = {"host_metrics.get_record", "host_metrics.get_all_records", "host_metrics.get_last_updated"}
    results(
        s,
        lambda of, v: (
            v + timedelta(hours=2) if isinstance(of, DateTime) and s.method in later and s.is_over(ONE) else v
        ),
    )


@fault("WIRE-AGREE", "PIF", MEDIUM, also="CREATE-FIELDS")
def json2_null_refs_as_empty_text(s: Server) -> None:
    """Over JSON-RPC 2.0 the null reference in a PIF comes as the empty text."""
    shown(s, Kind(RefTo, (TWO,), "PIF.get_*"), lambda v: "" if v == NULL_REF else v)


def remembering(s: Server, cls: str, forgets: Any, *formats: Any) -> None:
    """Keep the records of a class once read over some formats, until a call that `forgets` comes."""
    kept: dict[Any, Value] = {}

    def shown_(old: Any, outcome: Success | Failure, of: Any) -> Success | Failure:
        found: Success | Failure = old(outcome, of)
        if isinstance(found, Success) and s.method == f"{cls}.get_record" and s.is_over(*formats):
            return Success(kept.setdefault((s.fmt, found.value["uuid"]), found.value))
        return found

    def predict(old: Any, call: Call) -> Any:
        if call.message.startswith(f"{cls}.") and forgets(call):
            kept.clear()
        return old(call)

    around(s.service, "_shown", shown_)
    around(s.state, "predict", predict)


@fault("WIRE-AGREE", "VDI", HARD, also="GET-RECORD-AGREES")
def xml_records_kept_over_an_added_pair(s: Server) -> None:
    """Over XML-RPC a VDI's record, once read, is shown again until a setter is called: an added pair is not seen."""
    remembering(s, "VDI", lambda call: "add_to_" not in call.message and ".get_" not in call.message, XML)


@fault("WIRE-AGREE", "SR", HARD, also="GET-RECORD-AGREES SET-ONLY-THAT")
def json2_records_kept_over_a_removal(s: Server) -> None:
    """Over JSON-RPC 2.0 an SR's record, once read, is shown again though a value was removed from a set of it."""
    remembering(s, "SR", lambda call: ".remove_" not in call.message and ".get_" not in call.message, TWO)
