"""Reading an upstream xenapi.json."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.dump import class_text, write_model
from xenconform.models.load import DATA, ModelError
from xenconform.models.notation import NoDefault, parse_default
from xenconform.models.upstream import convert, releases_of

API = Api.load()
KNOWN = [(each.name, each.product) for each in API.releases]
ROLES = json.loads((DATA / "roles.json").read_text())
SINCE = {"state": "published", "transitions": [{"transition": "published", "release": "rio", "description": ""}]}


def written_out(api: Api) -> list[dict[str, Any]]:
    """Return a model as an upstream file would have it: every message written out."""

    def life(each: Any) -> dict[str, Any]:
        rows = [{"transition": kind, "release": name, "description": ""} for kind, name in each.lifecycle.transitions]
        return {"state": each.lifecycle.state.value, "transitions": rows}

    def text(default: Any, of: t.Type) -> str:
        match of:
            case t.Str():
                return json.dumps(default)
            case t.Bool():
                return str(default).lower()
            case t.RefTo():
                return "OpaqueRef:NULL"
            case t.DateTime():
                return f"{default:%Y%m%dT%H:%M:%SZ}"
            case t.SetOf(item):
                return "{" + ", ".join(text(each, item) for each in default) + "}"
            case t.MapOf(key, item):
                return "{" + ", ".join(f"{text(k, key)} -> {text(v, item)}" for k, v in default.items()) + "}"
            case _:
                return str(default)

    return [
        {
            "name": cls.name,
            "lifecycle": life(cls),
            "enums": [
                {"name": name, "values": [{"name": value, "doc": ""} for value in values]}
                for name, values in cls.enums.items()
            ],
            "fields": [
                {
                    "name": field.name,
                    "type": str(field.type),
                    "qualifier": field.qualifier.value,
                    "lifecycle": life(field),
                    **({"default": text(field.default, field.type)} if field.has_default else {}),
                }
                for field in cls.fields.values()
            ],
            "messages": [
                {
                    "name": message.name,
                    "implicit": message.implicit,
                    "params": [{"name": "session_id", "type": "session ref", "doc": ""}] * message.takes_session
                    + [{"name": param.name, "type": str(param.type), "doc": ""} for param in message.params],
                    "result": [str(message.result), ""],
                    "errors": [{"name": code, "doc": ""} for code in message.errors],
                    "roles": sorted(message.roles),
                    "lifecycle": life(message),
                }
                for message in cls.messages.values()
            ],
        }
        for cls in api.classes.values()
    ]


WHOLE = written_out(API)


def loaded(document: Any, out: Path) -> Api:
    files = convert(document, API)
    write_model(files, releases_of(files, KNOWN), ROLES, out)
    return Api.load(out)


def test_the_whole_model_survives_being_written_out_and_read_back(tmp_path: Path) -> None:
    """What upstream's form says of the shipped model, converted, is the shipped model."""
    assert loaded(WHOLE, tmp_path) == API


def test_a_wrapped_list_is_the_same(tmp_path: Path) -> None:
    """The list may stand under "classes"."""
    assert loaded({"classes": WHOLE}, tmp_path) == API


def test_our_files_read_the_same_after_being_written() -> None:
    """The text of a class file holds what was put in."""
    for file in convert(WHOLE, API)[:10]:
        again = json.loads(class_text(file, {}))
        assert again == json.loads(json.dumps(file))


def test_other_spellings_are_understood(tmp_path: Path) -> None:
    """Old qualifiers, bare transitions, bare results, pairs as parameters, and no word on what is implicit."""
    document = copy.deepcopy([each for each in WHOLE if each["name"] in {"secret", "session"}])
    names = {"RO/runtime": "DynamicRO", "RO/constructor": "StaticRO"}
    for cls in document:
        cls["lifecycle"] = [[each["transition"], each["release"]] for each in cls["lifecycle"]["transitions"]]
        cls["fields"] = [each | {"qualifier": names.get(each["qualifier"], "RW")} for each in cls["fields"]]
        for message in cls["messages"]:
            del message["implicit"]
            message["result"] = {"type": message["result"][0]} if "get" in message["name"] else message["result"][0]
            message["params"] = [[each["name"], each["type"]] for each in message["params"]]
            message["errors"] = [each["name"] for each in message["errors"]]
    found = loaded(document, tmp_path)
    assert found.classes == {name: API.classes[name] for name in ("session", "secret")}


def test_a_file_without_sessions_means_them(tmp_path: Path) -> None:
    """Where no message writes its session down, all take one but the logins."""
    document = copy.deepcopy([each for each in WHOLE if each["name"] in {"secret", "session"}])
    for cls in document:
        for message in cls["messages"]:
            message["params"] = [each for each in message["params"] if each["name"] != "session_id"]
    assert loaded(document, tmp_path).classes == {name: API.classes[name] for name in ("session", "secret")}


def test_a_newer_version_takes_its_place_among_the_releases() -> None:
    """An unknown version is put where its number says; the newest goes last."""
    document = copy.deepcopy([each for each in WHOLE if each["name"] == "secret"])
    document[0]["messages"][0]["lifecycle"]["transitions"] = [
        {"transition": "published", "release": "24.11.0"},
        {"transition": "changed", "release": "25.1.0"},
    ]
    names = [each["name"] for each in releases_of(convert(document, API), KNOWN)]
    assert names[-2:] == ["24.18.0", "25.1.0"]
    assert names[names.index("24.11.0") - 1] == "24.10.0"
    document[0]["messages"][0]["lifecycle"]["transitions"][0]["release"] = "someday"
    with pytest.raises(ModelError, match="release 'someday' is none that is known; write"):
        releases_of(convert(document, API), KNOWN)


def one(**changes: Any) -> list[dict[str, Any]]:
    field = {"name": "size", "type": "int", "qualifier": "RO/runtime", "lifecycle": SINCE} | changes.pop("field", {})
    message = {"name": "go", "params": [], "result": "void", "lifecycle": SINCE} | changes.pop("message", {})
    return [{"name": "thing", "lifecycle": SINCE, "fields": [field], "messages": [message], "enums": []} | changes]


def test_the_smallest_document_is_good() -> None:
    """The document that the next tests break is itself good."""
    assert convert(one(), API)[0]["fields"][0]["name"] == "size"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, "no list of classes"),
        ([], "no list of classes"),
        ([3], "class '3': no name"),
        (one(name="a b"), "no name"),
        (one() * 2, "class thing: there twice"),
        (one(field={"type": "strnig"}), "thing.size: type: 'strnig' is no type"),
        (one(field={"type": "enum colour"}), "thing.size: type: enum colour is declared nowhere"),
        (one(field={"type": 3}), "thing.size: type: 3 is no type"),
        (one(field={"qualifier": "RX"}), "thing.size: qualifier 'RX' is none; write RW"),
        (one(field={"default": "many"}), "thing.size: default 'many' is no value of the type int; correct it"),
        (one(field={"default": [1]}), r"thing.size: default \[1\] is no value of the type int; correct it"),
        (one(field={"lifecycle": {}}), "thing.size: no lifecycle; give its transitions"),
        (one(field={"lifecycle": [["born", "rio"]]}), "thing.size: transition 'born' is none; write one of"),
        (one(field={"name": None}), "thing: field .*: no name"),
        (one(message={"params": ["x"]}), "thing.go: parameter 'x': give it"),
        (one(message={"params": [["x", "y"]]}), "thing.go: parameter x: 'y' is no type"),
        (one(message={"result": "nothing"}), "thing.go: result: 'nothing' is no type"),
        (one(message={"result": [[]]}), "thing.go: result: "),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_fix(document: Any, told: str) -> None:
    """Each mistake names class, field or message, and value."""
    with pytest.raises(ModelError, match=told):
        convert(document, API)


def test_a_missing_accessor_is_told() -> None:
    """A class with get_record has an accessor for each field; a file that lacks one is refused."""
    document = copy.deepcopy([each for each in WHOLE if each["name"] == "secret"])
    document[0]["messages"] = [each for each in document[0]["messages"] if each["name"] != "get_value"]
    with pytest.raises(ModelError, match=r"secret.get_value: the field value is RW and a string, .*; add it"):
        convert(document, API)


def test_an_accessor_of_other_roles_than_its_field_keeps_them(tmp_path: Path) -> None:
    """What differs from the rule is kept as an explicit message that still names its field."""
    document = copy.deepcopy([each for each in WHOLE if each["name"] == "secret"])
    for each in document[0]["messages"]:
        if each["name"] == "add_to_other_config":
            each["roles"] = ["pool-admin"]
    found = loaded(document, tmp_path).message("secret.add_to_other_config")
    assert found is not None
    assert (found.roles, found.verb, found.implicit) == (frozenset({"pool-admin"}), "add_to", False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("string"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_damage_is_refused_plainly_or_read(data: st.DataObject) -> None:
    """However one value of a good document is replaced, the answer is a model or a ModelError."""
    document: Any = json.loads(json.dumps(one(enums=[{"name": "e", "values": [{"name": "a"}]}])))
    at: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not at[key] or not isinstance(at[key], (dict, list)) or data.draw(st.booleans()):
            at[key] = data.draw(JSON)
            break
        at = at[key]
    try:
        files = convert(document, API)
        releases_of(files, KNOWN)
    except ModelError:
        return
    assert json.loads(class_text(files[0], ROLES))["name"] == files[0]["name"]


@pytest.mark.parametrize(
    ("of", "text", "value"),
    [
        ("string", '""', ""),
        ("string", '"a, \\"b\\" -> {}"', 'a, "b" -> {}'),
        ("int", "-1", -1),
        ("float", "0.", 0.0),
        ("bool", "true", True),
        ("datetime", "19700101T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("VM ref", "Null", "OpaqueRef:NULL"),
        ("int set", "{0}", [0]),
        ("int set", "{ 1, 2 }", [1, 2]),
        ("string set", "{}", []),
        ("(string -> string) map", '{"a" -> "1, 2", "b -> c" -> "}"}', {"a": "1, 2", "b -> c": "}"}),
        ("(int -> float) map", "{1 -> 2.}", {"1": 2.0}),
    ],
)
def test_the_notation_of_defaults_is_read(of: str, text: str, value: Any) -> None:
    """Each form of a default gives its JSON value."""
    assert parse_default(t.parse(of), text) == value


def test_a_reference_to_some_object_is_no_default() -> None:
    """A ref that only one installation has is told apart from a mistake."""
    with pytest.raises(NoDefault):
        parse_default(t.parse("role ref set"), "{OpaqueRef:0165f154}")


@pytest.mark.parametrize(
    ("of", "text"), [("int set", "0"), ("bool", "yes"), ("(string -> int) map", "{1}"), ("string", '"')]
)
def test_a_default_of_another_type_is_refused(of: str, text: str) -> None:
    """The text must be of the field's type."""
    with pytest.raises(ValueError, match="is no "):
        parse_default(t.parse(of), text)
