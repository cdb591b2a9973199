"""Faults of numbers, truth values and dates: widths, notations, zones, and what a parser takes for a number."""

from __future__ import annotations

import math
import struct

from xenconform.conformance.codec import Scalar
from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.spelling import JSON, ONE, TWO, XML, Kind, read_as, shown, spelled, taken
from xenconform.conformance.reference.state import Refusal
from xenconform.models.types import Float, Int
from xenconform.models.values import Value

LAST_OF_32_BITS = 2**31 - 1
EXACT = 2**53


def rounded(value: int) -> int:
    """Return an int after a stay in a double."""
    return max(-(2**63), min(int(float(value)), 2**63 - 1))


# --------------------------------------------------------------------------------------------------------- ints in XML


@fault("WIRE-INT-XML", "network", MEDIUM)
def xml_wide_ints_as_i8(s: Server) -> None:
    """Over XML-RPC an int that needs more than 32 bits comes as <i8>."""
    spelled(s, Kind(Int, (XML,)), lambda v, text: text if abs(v) < 2**31 else f"<value><i8>{v}</i8></value>")


@fault("WIRE-INT-XML", "VM_metrics", MEDIUM)
def xml_vcpu_numbers_as_ints(s: Server) -> None:
    """Over XML-RPC the ints of VM_metrics records come as <int>; the getters write text."""
    spelled(s, Kind(Int, (XML,), "VM_metrics.get_record"), lambda v, _: f"<value><int>{v}</int></value>")


@fault("WIRE-INT-XML", "SR", MEDIUM)
def xml_listing_sizes_as_i8(s: Server) -> None:
    """Over XML-RPC the ints of SR.get_all_records come as <i8>."""
    spelled(s, Kind(Int, (XML,), "SR.get_all_records"), lambda v, _: f"<value><i8>{v}</i8></value>")


@fault("WIRE-INT-XML", "VMSS", HARD, also="WIRE-AGREE GET-RECORD-AGREES GET-ALL-AGREES CREATE-FIELDS")
def xml_record_ints_stop_at_32_bits(s: Server) -> None:
    """Over XML-RPC an int past 32 bits shows as the largest int of 32 bits in VMSS records, and right by its getter."""
    shown(s, Kind(Int, (XML,), "VMSS.get_record"), lambda v: min(v, LAST_OF_32_BITS))


@fault("WIRE-INT-XML", "pool", MEDIUM)
def xml_wide_ints_wrap_when_read(s: Server) -> None:
    """An int that a client sends over XML-RPC keeps its low 32 bits."""
    taken(s, Kind(Int, (XML,)), lambda v: (v + 2**31) % 2**32 - 2**31)


@fault("WIRE-INT-XML", "network", MEDIUM, also="CREATE-FIELDS")
def xml_small_negatives_lose_the_sign(s: Server) -> None:
    """Over XML-RPC an int from -127 to -1 is kept as a byte without sign: -1 comes back as 255."""
    taken(s, Kind(Int, (XML,)), lambda v: v + 256 if -128 < v < 0 else v)


@fault("WIRE-INT-XML", "VMSS", MEDIUM)
def xml_single_digits_padded(s: Server) -> None:
    """Over XML-RPC VMSS.get_retained_snapshots writes a number below ten with a plus sign."""
    spelled(s, Kind(Int, (XML,), "VMSS.get_retained*"), lambda v, t: f"<value>+{v}</value>" if 0 <= v < 10 else t)


# -------------------------------------------------------------------------------------------------------- ints in JSON


@fault("WIRE-INT-JSON", "VMSS", MEDIUM, also="WIRE-AGREE PERSIST")
def json2_ints_rounded_to_doubles(s: Server) -> None:
    """Over JSON-RPC 2.0 an int past 2 to the 53 comes back rounded to what a double holds."""
    shown(s, Kind(Int, (TWO,)), rounded)


@fault("WIRE-INT-JSON", "network", HARD)
def json1_negative_ints_rounded(s: Server) -> None:
    """Over JSON-RPC 1.0 a negative int below -2 to the 53 is rounded to what a double holds when it is read."""
    taken(s, Kind(Int, (ONE,)), lambda v: rounded(v) if v < 0 else v)


@fault("WIRE-INT-JSON", "network", HARD)
def json_wide_ints_as_text(s: Server) -> None:
    """In JSON an int past 2 to the 53 comes as decimal text, a smaller one as a number."""
    spelled(s, Kind(Int, JSON), lambda v, text: text if abs(v) <= EXACT else f'"{v}"')


@fault("WIRE-INT-JSON", "SR", MEDIUM)
def json_listing_ints_as_text(s: Server) -> None:
    """Over JSON-RPC 2.0 the ints of SR.get_all_records come as decimal text, all others as numbers."""
    spelled(s, Kind(Int, (TWO,), "SR.get_all_records"), lambda v, _: f'"{v}"')


@fault("WIRE-INT-JSON", "host", MEDIUM)
def json1_record_ints_as_text(s: Server) -> None:
    """Over JSON-RPC 1.0 the ints of records come as decimal text, those of getters as numbers."""
    spelled(s, Kind(Int, (ONE,), "*.get_record"), lambda v, _: f'"{v}"')


@fault("WIRE-INT-JSON", "VM", MEDIUM)
def json_second_getter_as_text(s: Server) -> None:
    """In JSON the getters of the memory limits of a VM give decimal text, every other message numbers."""
    spelled(s, Kind(Int, JSON, "VM.get_memory_*"), lambda v, _: f'"{v}"')


@fault("WIRE-INT-JSON", "VDI", MEDIUM)
def json_sizes_with_point(s: Server) -> None:
    """Over JSON-RPC 1.0 an int of a VDI's record comes with a point, as 8388608.0."""
    spelled(s, Kind(Int, (ONE,), "VDI.get_record"), lambda v, _: f"{v}.0")


@fault("WIRE-INT-JSON", "network", HARD)
def json2_round_ints_with_exponent(s: Server) -> None:
    """Over JSON-RPC 2.0 an int of a million or more that is a whole number of millions comes with an exponent."""

    def short(v: int, text: str) -> str:
        return f"{v // 10**6}e6" if v and v % 10**6 == 0 else text

    spelled(s, Kind(Int, (TWO,)), short)


@fault("WIRE-INT-JSON", "pool", HARD)
def json1_unsigned_ints_of_32_bits(s: Server) -> None:
    """Over JSON-RPC 1.0 an int from 2 to the 31 to 2 to the 32 comes back negative, larger and smaller ones well."""
    shown(s, Kind(Int, (ONE,)), lambda v: v - 2**32 if 2**31 <= v < 2**32 else v)


# ---------------------------------------------------------------------------------------------------- ints in requests


@fault("WIRE-INT-REQUEST", "network", MEDIUM)
def json_integers_rounded_when_read(s: Server) -> None:
    """An int past 2 to the 53 that a client sends as a JSON number is rounded; as decimal text it is not."""
    read_as(s, Kind(Int, JSON), lambda _, n: Scalar("int", str(rounded(int(n.text)))) if n[0] == "int" else n)


@fault("WIRE-INT-REQUEST", "VMSS", MEDIUM)
def xml_i8_refused(s: Server) -> None:
    """A call that sends an int as <i8> is turned down."""
    read_as(s, Kind(Int, (XML,)), lambda _, n: Scalar("boolean", n.text) if n[0] == "i8" else n)


@fault("WIRE-INT-REQUEST", "pool", MEDIUM)
def xml_i8_cut_to_32_bits(s: Server) -> None:
    """An int that a client sends as <i8> keeps its low 32 bits."""
    read_as(
        s,
        Kind(Int, (XML,)),
        lambda _, n: Scalar("i8", str((int(n.text) + 2**31) % 2**32 - 2**31)) if n[0] == "i8" else n,
    )


@fault("WIRE-INT-REQUEST", "PVS_server", HARD)
def json_integers_refused_in_records(s: Server) -> None:
    """A JSON number where a constructor's record has an int is turned down; decimal text is taken."""
    read_as(s, Kind(Int, JSON, "*.introduce"), lambda _, n: Scalar("nil", "") if n[0] == "int" else n)


@fault("WIRE-INT-REQUEST", "VM", HARD)
def json2_integers_of_a_new_vm_refused(s: Server) -> None:
    """VM.create over JSON-RPC 2.0 turns down ints that come as JSON numbers; decimal text is taken."""
    read_as(s, Kind(Int, (TWO,), "VM.create"), lambda _, n: Scalar("nil", "") if n[0] == "int" else n)


@fault("WIRE-INT-REQUEST", "VM", MEDIUM)
def xml_i4_without_sign(s: Server) -> None:
    """A negative int that a client sends as <i4> or <int> is taken for one of 32 bits without sign."""
    read_as(s, Kind(Int, (XML,)), lambda _, n: Scalar(n[0], str(int(n.text) % 2**32)) if n[0] in {"i4", "int"} else n)


# -------------------------------------------------------------------------------------------------------------- floats


def single(value: float) -> float:
    """Return a float after a stay in 32 bits; one that is too large for them stays as it is."""
    found: float = struct.unpack("f", struct.pack("f", value))[0] if abs(value) < 3e38 else value
    return found


@fault("WIRE-FLOAT", "task", MEDIUM, also="PERSIST")
def json2_floats_with_seven_decimals(s: Server) -> None:
    """Over JSON-RPC 2.0 a float comes with seven decimals, so small and fine ones are cut."""
    spelled(s, Kind(Float, (TWO,)), lambda v, _: f"{v:.7f}")


@fault("WIRE-FLOAT", "VM", HARD, also="GET-RECORD-AGREES CREATE-FIELDS")
def record_floats_of_32_bits(s: Server) -> None:
    """A VM's record shows its shadow multiplier with 32 bits; the getter shows all 64."""
    shown(s, Kind(Float, (), "VM.get_record"), single)


@fault("WIRE-FLOAT", "task", HARD)
def json1_large_floats_lose_the_exponent(s: Server) -> None:
    """Over JSON-RPC 1.0 a float of 1e16 or more comes without its exponent."""
    spelled(s, Kind(Float, (ONE,)), lambda _, text: text.partition("e+")[0])


@fault("WIRE-FLOAT", "VM", MEDIUM)
def negative_zero_loses_its_sign(s: Server) -> None:
    """The float -0.0, sent over JSON, comes back as 0.0."""
    taken(s, Kind(Float, JSON), lambda v: v + 0.0)


@fault("WIRE-FLOAT", "task", MEDIUM)
def subnormals_flushed(s: Server) -> None:
    """A float below the smallest normal one is kept as zero."""
    taken(s, Kind(Float), lambda v: v if abs(v) >= 2.0**-1022 else math.copysign(0.0, v))


@fault("WIRE-FLOAT", "task", HARD)
def json2_whole_numbers_refused_as_floats(s: Server) -> None:
    """Over JSON-RPC 2.0 a float that is sent without a point, as 1, is turned down."""
    read_as(s, Kind(Float, (TWO,)), lambda _, n: Scalar("nil", "") if n[0] == "int" else n)


@fault("WIRE-FLOAT", "Cluster", MEDIUM)
def xml_token_timeouts_as_text(s: Server) -> None:
    """Over XML-RPC the floats of a Cluster come as text."""
    spelled(s, Kind(Float, (XML,), "Cluster.*"), lambda v, _: f"<value>{v!r}</value>")


@fault("WIRE-FLOAT", "VM", HARD, also="WIRE-FLOAT-SPECIAL")
def xml_floats_with_sixteen_digits(s: Server) -> None:
    """Over XML-RPC a float has at most sixteen digits, so that one in some differs in its last bit."""
    spelled(s, Kind(Float, (XML,)), lambda v, _: f"<value><double>{v:.16g}</double></value>")


# ------------------------------------------------------------------------------------------------------ special floats


def specials(s: Server, kind: Kind, keep: dict[str, Value]) -> None:
    """Take NaN and the infinities, by their names in small letters, for the floats that are given."""

    def read(old: object, name: str, of: object, node: object) -> Value:
        text = node.text.lower() if isinstance(node, Scalar) else ""
        known = {"nan": "nan", "inf": "inf", "infinity": "inf", "-inf": "-inf", "-infinity": "-inf"}.get(text, "")
        if kind.has(s, of) and known in keep:  # type: ignore[arg-type]  # a type, by the seam's own contract
            return keep[known]
        return old(name, of, node)  # type: ignore[operator]  # what the seam holds

    around(s.service, "_read", read)


@fault("WIRE-FLOAT-SPECIAL", "task", MEDIUM)
def not_a_number_kept_as_zero(s: Server) -> None:
    """NaN is taken and kept as 0."""
    specials(s, Kind(Float), {"nan": 0.0})


@fault("WIRE-FLOAT-SPECIAL", "VM", HARD)
def json2_infinity_becomes_the_largest(s: Server) -> None:
    """Over JSON-RPC 2.0 the infinities are taken and kept as the largest doubles."""
    specials(s, Kind(Float, (TWO,)), {"inf": 1.7976931348623157e308, "-inf": -1.7976931348623157e308})


@fault("WIRE-FLOAT-SPECIAL", "task", HARD, also="WIRE-JSON1-ENVELOPE WIRE-JSON2-ENVELOPE")
def infinity_written_into_json(s: Server) -> None:
    """Infinity is taken over XML-RPC and makes JSON replies that no parser reads."""
    specials(s, Kind(Float, (XML,)), {"inf": 1.5e308})
    spelled(s, Kind(Float, JSON), lambda v, text: "inf" if v == 1.5e308 else text)
    spelled(s, Kind(Float, (XML,)), lambda _, text: text.replace("1.5e+308", "inf"))


@fault("WIRE-FLOAT-SPECIAL", "VM", HARD)
def refused_nan_resets_the_field(s: Server) -> None:
    """NaN is turned down, and the VM's shadow multiplier is 0 afterwards."""

    def read(old: object, name: str, of: object, node: object) -> Value:
        if isinstance(of, Float) and isinstance(node, Scalar) and node.text.lower() == "nan":
            lost[:] = [True]
            raise Refusal("INVALID_VALUE", name, "not a number")
        return old(name, of, node)  # type: ignore[operator]  # what the seam holds

    lost: list[bool] = []
    around(s.service, "_read", read)
    shown(s, Kind(Float, (), "VM.*"), lambda v: 0.0 if lost else v)
    taken(s, Kind(Float), lambda v: [v, lost.clear()][0])  # type: ignore[func-returns-value]  # done on the way
