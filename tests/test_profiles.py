"""Claims about profiles: what is shipped, how files are read, and how their errors help."""

from __future__ import annotations

import copy
import json
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from xenconform.models import profiles
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.profile_check import check_profile, problems_with
from xenconform.models.profile_shape import problems_of
from xenconform.models.profiles import Domain, Profile, ProfileError, Scope, Waiver, parse_profile, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable

MINIMAL = 'name = "mine"\nrelease = "24.18.0"\nformats = ["xmlrpc"]\nscope = "own"\n'
SCHEMA = json.loads((profiles.SHIPPED.parent / "schema" / "profile.schema.json").read_text("utf-8"))
WAIVER = Waiver("SET-ADD", "network.*", "INTERNAL_ERROR", "known", "https://example.org/1", date(2030, 1, 31))
FULL: dict[str, Any] = {
    "name": "mine",
    "description": "",
    "release": "24.18.0",
    "formats": ["xmlrpc", "jsonrpc2"],
    "scope": "own",
    "never": ["host.reboot"],
    "exemplars": {"VM": {"VCPUs_max": 1}},
    "domains": {
        "VM": {
            "order": {"min": 0, "max": 10, "multiple_of": 2},
            "name_label": {"pattern": "[a-z]+", "examples": ["abc"]},
            "power_state": {"values": ["Halted"]},
            "version": {"fixed": True},
            "tags": {"skip": "why"},
        }
    },
    "may_refuse": {"PBD": "hardware"},
    "known": {"LVHD": "1ddc0de0-0000-4000-8000-00000000000a"},
    "waivers": [
        {"clause": "a", "element": "b", "failure": "c", "reason": "d", "link": "e", "expires": date(2030, 1, 1)}
    ],
}


def schema_accepts(document: dict[str, Any]) -> bool:
    def plain(value: Any) -> str | dict[str, str]:
        return {"instant": str(value)} if isinstance(value, datetime) else str(value)

    as_json = json.loads(json.dumps(document, default=plain))
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(as_json))


@pytest.fixture(scope="module")
def api() -> Api:
    return Api.load()


def test_three_profiles_are_shipped() -> None:
    """Profiles for the embedded server, for servers like it, and for live hosts come with the package."""
    assert shipped_profiles() == ("reference", "simulator", "xapi")
    assert [Profile.load(name).name for name in shipped_profiles()] == ["reference", "simulator", "xapi"]


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_profiles_agree_with_the_model_and_the_schema(name: str, api: Api) -> None:
    """Everything that a shipped profile names is in the model, messages never to be called included."""
    profile = Profile.load(name)
    assert problems_with(profile, api) == ()
    assert check_profile(profile, api) is profile
    document = tomllib.loads((profiles.SHIPPED / f"{name}.toml").read_text("utf-8"))
    assert schema_accepts(document)
    assert profile.formats == tuple(Format)


def test_the_reference_profile_leaves_everything_free() -> None:
    """The embedded server's profile refuses nothing, narrows what is written once alone, and knows what is unlisted."""
    profile = Profile.load("reference")
    assert (profile.scope, profile.never, profile.may_refuse) == (Scope.ALL, frozenset(), {})
    assert profile.domains == {"VM": {"bios_strings": Domain(fixed=True)}}
    assert set(profile.known) == {"LVHD"}
    assert profile.domain("VM", "order").is_free


def test_the_live_profile_writes_its_own_objects_only_and_spares_the_host(api: Api) -> None:
    """No host, pool, interface, cluster or storage of others is harmed: every message that could is never called."""
    profile = Profile.load("xapi")
    assert profile.scope is Scope.OWN
    harmful = {"host.reboot", "host.evacuate", "pool.eject", "pool.join", "SR.destroy", "SR.forget", "PIF.plug"}
    assert harmful | {"host.restart_agent", "session.change_password", "Cluster.destroy"} <= profile.never
    risky = {
        "shutdown",
        "reboot",
        "destroy",
        "disable",
        "evacuate",
        "eject",
        "join",
        "plug",
        "unplug",
        "forget",
        "scan",
    }
    classes = {"host", "pool", "PIF", "Bond", "Cluster", "Cluster_host", "PUSB", "pool_update"}
    named = {f"{cls}.{name}" for cls in classes for name in risky & set(api.classes[cls].messages)}
    assert named <= profile.never


def test_what_the_live_profile_may_make_it_may_remove(api: Api) -> None:
    """No constructor is allowed whose destructor is never called: nothing that a run makes is left behind."""
    never = Profile.load("xapi").never
    left = [
        constructor.message.full_name
        for cls in api.classes.values()
        for constructor in cls.constructors
        if constructor.message.full_name not in never and f"{cls.name}.{cls.destructor}" in never
    ]
    assert left == []


def test_every_reason_of_the_live_profile_is_of_a_class_that_can_be_made(api: Api) -> None:
    """Only classes with a constructor are said to refuse."""
    assert all(api.classes[cls].constructors for cls in Profile.load("xapi").may_refuse)


def test_a_file_becomes_a_profile_with_all_that_it_says(tmp_path: Path) -> None:
    """Every key of the file is in the profile, typed."""
    file = tmp_path / "mine.toml"
    file.write_text(
        MINIMAL
        + 'never = ["host.reboot"]\n[exemplars.VM]\nVCPUs_max = 4\n[domains.VM.order]\nmin = 1\nmax = 9\n'
        + "[domains.VM.version]\nfixed = true\n[[waivers]]\n"
        + 'clause = "SET-ADD"\nelement = "network.*"\nfailure = "INTERNAL_ERROR"\nreason = "known"\n'
        + 'link = "https://example.org/1"\nexpires = 2030-01-31\n',
        "utf-8",
    )
    assert Profile.load(file) == Profile(
        name="mine",
        release="24.18.0",
        formats=(Format.XMLRPC,),
        scope=Scope.OWN,
        never=frozenset({"host.reboot"}),
        exemplars={"VM": {"VCPUs_max": 4}},
        domains={"VM": {"order": Domain(minimum=1, maximum=9), "version": Domain(fixed=True)}},
        waivers=(WAIVER,),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MINIMAL + "spoce = 1\n", "p.toml:5: spoce: unknown key; did you mean scope?"),
        (MINIMAL.replace('"own"', '"mine"'), 'p.toml:4: scope: expected a scope: one of "own", "restore", "all", got'),
        (MINIMAL.replace('"xmlrpc"', '"soap"'), "p.toml:3: formats: expected a list of formats"),
        (MINIMAL.replace('name = "mine"\n', ""), 'p.toml:1: the profile: name is missing; write name = "..."'),
        (
            MINIMAL + '\n# why\n[domains.VM.order]\nmin = "x"\n',
            'p.toml:8: domains.VM.order.min: expected an int or a float, got "x"; write min = 0',
        ),
        (MINIMAL + "[domains.VM.order]\nmin = 5\nmax = 1\n", "p.toml:7: domains.VM.order.max: 1 is below min 5"),
        (MINIMAL + "[domains.VM.order]\nmin = 5\nfixed = true\n", "p.toml:5: domains.VM.order: fixed and min"),
        (MINIMAL + "[domains.VM.order]\nmaxx = 5\n", "p.toml:6: domains.VM.order.maxx: unknown key; did you mean max?"),
        (MINIMAL + "[may_refuse]\nVM = 1\n", "p.toml:6: may_refuse.VM: expected the reason, got 1; write VM ="),
        (MINIMAL + '[known]\nLVHD = "x"\n', 'p.toml:6: known.LVHD: expected a uuid in lower case, got "x"'),
        (
            MINIMAL + '[[waivers]]\nclause = "A"\n',
            "p.toml:5: waivers.0: expires is missing; write expires = 2030-12-31",
        ),
        (MINIMAL + "waivers = 3\n", "p.toml:5: waivers: expected an array of tables; write [[waivers]]"),
        (MINIMAL + "x = [1,\n", "p.toml:5: no TOML"),
    ],
)
def test_an_error_names_the_line_what_is_wrong_and_the_fix(text: str, told: str) -> None:
    """Each mistake in a file is told with its own line, the path of the key, and what to write."""
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, "p.toml")
    assert any(line.startswith(told) for line in str(caught.value).splitlines()), str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[domains.VM.memory_static_maxx]\nmin = 1\n",
            "p.toml:5: domains.VM.memory_static_maxx: VM has no such field;",
        ),
        ("[domains.VM.order]\nmin = 1.5\n", "p.toml:6: domains.VM.order.min: expected an int, got 1.5; write min = 1"),
        ("[domains.VM.tags]\nmin = 1\n", "p.toml:6: domains.VM.tags.min: a bound of a field of type string set"),
        (
            '[domains.VM.power_state]\nvalues = ["Off"]\n',
            "p.toml:6: domains.VM.power_state.values: expected one of the",
        ),
        ('[exemplars.VIF]\nnetwork = "@VM"\n', 'p.toml:6: exemplars.VIF.network: expected "@network", "@network?" or'),
        ("[exemplars.VIF]\nMTU = true\n", "p.toml:6: exemplars.VIF.MTU: expected a value of type int, got True"),
        (
            "[exemplars.VIF]\nMACC = 1\n",
            "p.toml:6: exemplars.VIF.MACC: no constructor of VIF takes it; did you mean MAC?",
        ),
        ('never = ["host.rebot"]\n', "p.toml:5: never: no message host.rebot in the API; did you mean host.reboot?"),
        ('[may_refuse]\nvm = "x"\n', "p.toml:6: may_refuse.vm: no class of the API; did you mean VM?"),
        (
            '[domains.VIF.MAC]\npattern = "[0-9]+"\nexamples = ["aa"]\n',
            'p.toml:7: domains.VIF.MAC.examples: "aa" does not match the pattern',
        ),
    ],
)
def test_what_the_model_does_not_have_is_told_with_the_nearest_name(text: str, told: str, api: Api) -> None:
    """Names and values are checked against the model, with line and fix."""
    profile = parse_profile(MINIMAL + text, "p.toml")
    with pytest.raises(ProfileError) as caught:
        check_profile(profile, api)
    assert str(caught.value).startswith(told)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    """A file with several mistakes is mended in one go."""
    with pytest.raises(ProfileError) as caught:
        parse_profile('zzz = 1\nname = ""\n[domains.VM.order]\nmin = "x"\n', "p.toml")
    lines = [int(line.split(":")[1]) for line in str(caught.value).splitlines()]
    assert lines == sorted(lines)
    assert {1, 2, 4} <= set(lines)


def test_a_profile_that_is_not_there_is_told_with_the_names_that_are(tmp_path: Path) -> None:
    """An unknown name, a missing file and a file that is no text give the shipped names."""
    for wrong in ("referense", str(tmp_path / "none.toml"), str(tmp_path)):
        with pytest.raises(ProfileError, match="reference, simulator, xapi"):
            Profile.load(wrong)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match="UTF-8"):
        Profile.load(tmp_path / "binary.toml")


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = copy.deepcopy(FULL)
    change(document)
    return document


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("name"),
        lambda d: d.update(name=""),
        lambda d: d.update(name=3),
        lambda d: d.update(description=1),
        lambda d: d.update(extra=1),
        lambda d: d.update(formats=[]),
        lambda d: d.update(formats=["xmlrpc", "xmlrpc"]),
        lambda d: d.update(formats="xmlrpc"),
        lambda d: d.update(scope="some"),
        lambda d: d.update(never=[1]),
        lambda d: d.update(exemplars={"VM": 1}),
        lambda d: d.update(exemplars=[1]),
        lambda d: d.update(domains={"VM": 1}),
        lambda d: d.update(domains=3),
        lambda d: d["domains"]["VM"].update(order={}),
        lambda d: d["domains"]["VM"].update(order=[]),
        lambda d: d["domains"]["VM"].update(order={"min": "x"}),
        lambda d: d["domains"]["VM"].update(order={"min": True}),
        lambda d: d["domains"]["VM"].update(order={"multiple_of": 0}),
        lambda d: d["domains"]["VM"].update(order={"values": []}),
        lambda d: d["domains"]["VM"].update(order={"values": [1], "fixed": True}),
        lambda d: d["domains"]["VM"].update(order={"fixed": False}),
        lambda d: d["domains"]["VM"].update(order={"pattern": "a"}),
        lambda d: d["domains"]["VM"].update(order={"examples": [1]}),
        lambda d: d["domains"]["VM"].update(order={"skip": ""}),
        lambda d: d["domains"]["VM"].update(order={"more": 1}),
        lambda d: d.update(may_refuse={"VM": ""}),
        lambda d: d.update(known={"VM": "1DDC0DE0-0000-4000-8000-00000000000A"}),
        lambda d: d.update(waivers={"clause": "a"}),
        lambda d: d.update(waivers=[1]),
        lambda d: d["waivers"][0].pop("link"),
        lambda d: d["waivers"][0].update(more=1),
        lambda d: d["waivers"][0].update(expires=datetime(2030, 1, 1)),  # noqa: DTZ001 - TOML's local time
    ],
)
def test_schema_and_code_refuse_the_same_documents(change: Callable[[dict[str, Any]], object]) -> None:
    """The JSON Schema for editors and the loader's own table have one opinion of a file's shape."""
    assert problems_of(FULL) == ()
    assert schema_accepts(FULL)
    document = broken(change)
    assert problems_of(document) != ()
    assert not schema_accepts(document)


def test_a_waiver_covers_one_failure_until_its_last_day() -> None:
    """Another clause, another element, another failure are not covered; the last day still is."""
    assert WAIVER.covers("SET-ADD", "network.tags", "Failure INTERNAL_ERROR []")
    assert not WAIVER.covers("SET-REMOVE", "network.tags", "INTERNAL_ERROR")
    assert not WAIVER.covers("SET-ADD", "VM.tags", "INTERNAL_ERROR")
    assert not WAIVER.covers("SET-ADD", "network.tags", "a value was lost")
    assert [WAIVER.has_expired(date(2030, month, 1)) for month in (1, 2)] == [False, True]
    assert not WAIVER.has_expired(WAIVER.expires)
