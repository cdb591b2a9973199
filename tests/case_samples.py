"""Cases written by hand: each shows a defect of the strangers, and none fails on a sound server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.calls import Call, Format
from xenconform.models.cases import Case, Expect, Step, Wanted
from xenconform.models.exemplars import Need, exemplar
from xenconform.models.profiles import Profile
from xenconform.models.refusals import DOMAIN_CODES
from xenconform.models.values import Handle, UuidOf, Value

API = Api.load()
XML, JSON1, JSON2 = Format
NETWORK, SECOND = Handle("network", 1), Handle("network", 2)
VM, VIF, VMSS, HOST = Handle("VM", 3), Handle("VIF", 4), Handle("VMSS", 5), Handle("host", 6)
DUPLICATE = ("MAP_DUPLICATE_KEY", *DOMAIN_CODES)
HOSTILE = (
    "it's \"quoted\" `x` $(x) ${HOME} \\n \\\\ %s %d & && &amp; <a>b</a> ]]> '\"'\"' ; # ! * ~",
    'two\nlines\tand a tab, a "key": value, [ ] { } /slashes/ -->',
    "éß→ \U0001f600 中文 \u202eback \u200b\u00a0",
    "EOF\n'\n\"\n$IFS",
)
ODD = {
    "$(x)": "`y`",
    "a'b\"c\\d": "line\n",
    "": "é\U0001f600",
    "]]>": "&amp;<",
    "a b": " x ",
    "@ref:network_1@": "{}",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A case, and the stranger's defect that it shows."""

    case: Case
    defect: str


def ask(of: str, value: Value, message: str, *args: Value, fmt: Format = XML, **more: Any) -> Step:
    """Return a step whose value is known."""
    expect = Expect(t.parse(of), Wanted.VALUE, value)
    return Step(Call(message, args), fmt, expect=expect, **more)


def do(message: str, *args: Value, fmt: Format = XML, **more: Any) -> Step:
    """Return a step that writes and may be refused for reasons of the server's own."""
    expect = Expect(t.Void(), Wanted.VALUE, None, DOMAIN_CODES)
    return Step(Call(message, args), fmt, expect=expect, **more)


def make(handle: Handle, fmt: Format = XML, **values: Value) -> Step:
    """Return a step that makes an object of its class's exemplar."""
    profile = Profile.load("reference")
    found = exemplar(API, profile, handle.cls, handle.n)
    needs = {"network": NETWORK, "VM": VM}
    record = {n: needs[v.cls] if isinstance(v, Need) else v for n, v in (found | values).items()}
    of = t.RefTo(handle.cls)
    call = Call(f"{handle.cls}.create", (record,))
    return Step(call, fmt, makes=handle, expect=Expect(of, Wanted.NEW, codes=DOMAIN_CODES))


def fails(message: str, *args: Value, fmt: Format = XML, codes: tuple[str, ...] = ("*",)) -> Step:
    """Return a step that has to fail."""
    return Step(Call(message, args), fmt, expect=Expect(t.Void(), Wanted.NOTHING, codes=codes))


def read_uuid(handle: Handle, fmt: Format = XML) -> Step:
    """Return a step that reads a uuid which no other object has."""
    return Step(Call(f"{handle.cls}.get_uuid", (handle,)), fmt, expect=Expect(t.Str(), Wanted.NEW))


def case(clause: str, element: str, *steps: Step, **more: Any) -> Case:
    """Return a case, with words for people."""
    return Case(
        clause, element, steps, expected=str(steps[-1].expect), actual="otherwise, see OpaqueRef:0b5ac4e6-3d0a", **more
    )


def nine(count: int = 9) -> tuple[str, ...]:
    return tuple(f"tag {at}" for at in range(count))


def hostile(fmt: Format, *, last: str) -> Case:
    """A case in one format whose values try to get out of what holds them, and the field that is read last."""
    step = make(NETWORK, fmt, name_label=HOSTILE[0], name_description=HOSTILE[1], tags=HOSTILE[2:], other_config=ODD)
    record = step.call.args[0]
    some = {name: record[name] for name in ("name_label", "tags", "MTU")}
    others = (
        ask("string", HOSTILE[1], "network.get_name_description", NETWORK, fmt=fmt),
        ask("string set", HOSTILE[2:], "network.get_tags", NETWORK, fmt=fmt),
        ask("(string -> string) map", ODD, "network.get_other_config", NETWORK, fmt=fmt),
        ask("string", HOSTILE[0], "network.get_name_label", NETWORK, fmt=fmt),
        ask("network record", some, "network.get_record", NETWORK, fmt=fmt),
    )
    ordered = sorted(others, key=lambda each: each.call.message == f"network.get_{last}")
    return case("SET-VALUE", "network", step, *ordered)


SAMPLES = (
    Sample(
        case(
            "LABEL-LOOKUP",
            "network",
            make(NETWORK, name_label="a"),
            do("network.set_name_label", NETWORK, "b", fmt=JSON1),
            ask("network ref set", (NETWORK,), "network.get_by_name_label", "b", fmt=JSON2),
        ),
        "rename_not_indexed",
    ),
    Sample(
        case(
            "BIND-DESTROY",
            "VIF.VM<->VM.VIFs",
            make(NETWORK, JSON2),
            make(VM, JSON2),
            make(VIF, JSON2),
            do("VIF.destroy", VIF, fmt=JSON1),
            ask("VIF ref set", (), "VM.get_VIFs", VM),
        ),
        "far_end_keeps_the_destroyed",
    ),
    Sample(
        case(
            "CREATE-NEW",
            "network",
            make(NETWORK),
            read_uuid(NETWORK),
            do("network.destroy", NETWORK),
            make(SECOND),
            read_uuid(SECOND, JSON1),
        ),
        "uuids_used_again",
    ),
    Sample(
        case(
            "MAP-DUPLICATE-KEY",
            "network.other_config",
            make(NETWORK, JSON1, other_config={}),
            do("network.add_to_other_config", NETWORK, "k", "v", fmt=JSON1),
            fails("network.add_to_other_config", NETWORK, "k", "v", fmt=JSON1, codes=DUPLICATE),
        ),
        "equal_pair_taken",
    ),
    Sample(
        case(
            "WIRE-INT-JSON",
            "network.MTU",
            make(NETWORK, JSON2),
            do("network.set_MTU", NETWORK, 2**53 + 1, fmt=JSON2),
            ask("int", 2**53 + 1, "network.get_MTU", NETWORK, fmt=JSON2),
        ),
        "json_ints_rounded",
    ),
    Sample(
        case(
            "WIRE-SET",
            "network.tags",
            make(NETWORK),
            do("network.set_tags", NETWORK, nine(), fmt=JSON1),
            ask("string set", nine(), "network.get_tags", NETWORK, fmt=JSON1),
        ),
        "sets_hold_eight",
    ),
    Sample(
        case(
            "CREATE-FIELDS",
            "network",
            make(NETWORK, tags=("a",)),
            ask("network record", {"tags": ("a",), "MTU": 1500}, "network.get_record", NETWORK),
        ),
        "create_ignores_tags",
    ),
    Sample(
        case(
            "DESTROY-AGAIN",
            "network",
            make(NETWORK),
            do("network.destroy", NETWORK),
            fails("network.destroy", NETWORK, fmt=JSON2),
        ),
        "second_destroy_succeeds",
    ),
    Sample(
        case(
            "UUID-LOOKUP",
            "network",
            make(NETWORK),
            read_uuid(NETWORK),
            make(SECOND),
            ask("network ref", NETWORK, "network.get_by_uuid", UuidOf(NETWORK), fmt=JSON1),
        ),
        "look_up_finds_the_newest",
    ),
)
"""Cases with the defects of the strangers that they show."""

NUMBERS = (
    case(
        "WIRE-FLOAT",
        "VM.HVM_shadow_multiplier",
        *[make(Handle("VM", at), fmt, HVM_shadow_multiplier=v) for at, (fmt, v) in enumerate(
            ((XML, 5e-324), (JSON1, -0.0), (JSON2, 0.1 + 0.2), (JSON1, 1.7976931348623157e308)), 1)],
        *[ask("float", v, "VM.get_HVM_shadow_multiplier", Handle("VM", at), fmt=fmt) for at, (fmt, v) in enumerate(
            ((JSON1, 5e-324), (XML, -0.0), (XML, 0.1 + 0.2), (JSON2, 1.7976931348623157e308)), 1)],
    ),
    case(
        "WIRE-DATETIME",
        "VMSS.last_run_time",
        make(VMSS),
        *[
            step
            for fmt, at in zip(Format, (1, 999_999, 123_000), strict=True)
            for step in (
                do("VMSS.set_last_run_time", VMSS, datetime(2024, 2, 29, 23, 59, 59, at, UTC), fmt=fmt),
                ask("datetime", datetime(2024, 2, 29, 23, 59, 59, at, UTC), "VMSS.get_last_run_time", VMSS, fmt=fmt),
            )
        ],
    ),
    case(
        "WIRE-INT",
        "network.MTU",
        make(NETWORK),
        *[
            step
            for fmt, number in zip(Format, (-(2**63), 2**63 - 1, 2**53 + 1), strict=True)
            for step in (
                do("network.set_MTU", NETWORK, number, fmt=fmt),
                ask("int", number, "network.get_MTU", NETWORK, fmt=fmt),
            )
        ],
    ),
    case(
        "WIRE-SET",
        "empty ones",
        make(NETWORK, JSON2, tags=(), other_config={}),
        ask("string set", (), "network.get_tags", NETWORK),
        ask("(string -> string) map", {}, "network.get_other_config", NETWORK, fmt=JSON1),
    ),
    case(
        "GET-ALL-AGREES",
        "host",
        Step(Call("host.get_all"), JSON1, makes=HOST, expect=Expect(t.parse("host ref set"), Wanted.ANY)),
        Step(Call("host.get_record", (HOST,)), XML, session=1, expect=Expect(t.parse("host record"), Wanted.ANY)),
        Step(Call("session.logout"), JSON2, session=1, expect=Expect(t.Void(), Wanted.ANY)),
        Step(Call("host.get_uuid", (HOST,)), JSON2, session=1, expect=Expect(t.Void(), Wanted.NOTHING, codes=("*",))),
    ),
)  # fmt: skip
"""Cases of numbers, instants, empty collections, sessions and objects that were found; none fails."""
