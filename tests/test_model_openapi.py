"""The OpenAPI description of the JSON-RPC endpoint: models/openapi.py."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from xenconform.conformance.cli import xenconform
from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.openapi import describe, schema_of

API = Api.load()


def request_of(document: dict[str, Any], message: str) -> Any:
    body = document["paths"][f"/jsonrpc#{message}"]["post"]["requestBody"]
    return body["content"]["application/json"]["schema"]


def reply_of(document: dict[str, Any], message: str) -> Any:
    return document["paths"][f"/jsonrpc#{message}"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]


def fits(document: dict[str, Any], schema: dict[str, Any], value: object) -> bool:
    whole = {**schema, "components": document["components"]}
    return bool(jsonschema.Draft202012Validator(whole).is_valid(value))


def test_every_message_is_one_operation() -> None:
    """Each message of the release is one POST, named like it, and nothing else is described."""
    messages = [m.full_name for of in API.classes.values() for m in of.messages.values()]
    paths = describe(API)["paths"]
    assert list(paths) == [f"/jsonrpc#{name}" for name in messages]
    assert [path["post"]["operationId"] for path in paths.values()] == messages
    assert {method for path in paths.values() for method in path} == {"post"}


def test_an_earlier_release_has_its_own_messages() -> None:
    """The view of a release is described, not the newest."""
    rio = describe(API.at("rio"))
    assert "/jsonrpc#network.set_MTU" not in rio["paths"]
    assert rio["info"]["version"] == API.at("rio").release


def test_schemas_are_json_schemas() -> None:
    """Every schema is one of the dialect that OpenAPI 3.1 takes, and every reference leads somewhere."""
    document = describe(API)
    for message in (m.full_name for cls in ("VM", "session", "event") for m in API.classes[cls].messages.values()):
        jsonschema.Draft202012Validator.check_schema(request_of(document, message))
        jsonschema.Draft202012Validator.check_schema(reply_of(document, message))
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    named = {part.partition('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert named == document["components"]["schemas"].keys()


def test_the_document_is_openapi() -> None:
    """A reader of OpenAPI finds nothing wrong with the document by the specification's own meta-schema."""
    schemathesis = pytest.importorskip("schemathesis")
    schema = schemathesis.openapi.from_dict(describe(API, ["network", "VM"]))
    schema.validate()
    assert sum(1 for _ in schema.get_all_operations()) == sum(len(API.classes[c].messages) for c in ("network", "VM"))


def test_classes_narrow_the_document() -> None:
    """Only the messages of the named classes are described, with the schemas that they need."""
    document = describe(API, ["network"])
    assert {path.partition(".")[0] for path in document["paths"]} == {"/jsonrpc#network"}
    assert document["components"]["schemas"].keys() == {"Error", "network.args", "network.record"}
    with pytest.raises(ValueError, match="no class 'netwrk'"):
        describe(API, ["netwrk"])


@pytest.mark.parametrize(
    ("of", "sent", "good", "bad"),
    [
        ("string", True, ["", "é"], [1, None, True]),
        ("int", True, [0, t.INT_MAX], [t.INT_MAX + 1, "1", 0.5]),
        ("int", False, [1, "1", "-9223372036854775808"], ["1.0", "01", "", 0.5, True]),
        ("float", False, [0, 0.5], ["0.5", None]),
        ("bool", False, [True], [0, "true"]),
        ("datetime", False, ["20240101T12:00:00Z", "2024-01-01T12:00:00+01:00"], ["today", 0]),
        ("void", False, [""], [None, {}, "ok"]),
        ("VM ref", False, ["OpaqueRef:NULL"], [None, {}]),
        ("string set", False, [[], ["a", "b"]], [["a", "a"], "a", {}]),
        ("(int -> string) map", False, [{}, {"-1": "a"}], [{"a": "a"}, {"1": 1}, []]),
        ("string option", False, [None, "a"], [1, ["a"]]),
    ],
)
def test_types_are_mapped(of: str, sent: bool, good: list[object], bad: list[object]) -> None:
    """Each type of the API has the schema of how it travels in JSON."""
    schema = schema_of(t.parse(of), API, sent=sent)
    assert [value for value in good if not fits({"components": {}}, schema, value)] == []
    assert [value for value in bad if fits({"components": {}}, schema, value)] == []


def test_enums_have_their_names() -> None:
    """An enum is one of its names."""
    document = describe(API, ["network"])
    reply = reply_of(document, "network.get_default_locking_mode")
    assert fits(document, reply, {"jsonrpc": "2.0", "id": 1, "result": "unlocked"})
    assert not fits(document, reply, {"jsonrpc": "2.0", "id": 1, "result": "locked"})


def test_a_reply_has_a_result_or_an_error() -> None:
    """An envelope has exactly one of the two, and nothing that the protocol does not name."""
    document = describe(API, ["network"])
    reply = reply_of(document, "network.get_MTU")
    error = {"code": 1, "message": "HANDLE_INVALID", "data": ["network", ""]}
    head = {"jsonrpc": "2.0", "id": 1}
    assert fits(document, reply, {**head, "result": 1500})
    assert fits(document, reply, {**head, "error": error})
    wrong: list[dict[str, Any]] = [
        head,
        {**head, "result": 1500, "error": error},
        {**head, "result": 1500, "more": 1},
        {**head, "jsonrpc": "1.0", "result": 1500},
        {**head, "error": {**error, "code": 0}},
        {**head, "error": {**error, "message": ""}},
        {**head, "error": {**error, "data": [1]}},
    ]
    assert [each for each in wrong if fits(document, reply, each)] == []


def test_requests_have_their_parameters_in_place() -> None:
    """The session comes first where one is taken, then each parameter, and no more; a login may leave two out."""
    document = describe(API, ["network", "session"])
    call = {"jsonrpc": "2.0", "method": "network.set_MTU", "id": "a"}
    schema = request_of(document, "network.set_MTU")
    assert fits(document, schema, {**call, "params": ["OpaqueRef:s", "OpaqueRef:n", 1]})
    assert [n for n in (0, 2, 4) if fits(document, schema, {**call, "params": ["OpaqueRef:s", "", 1, 2][:n]})] == []
    login = request_of(document, "session.login_with_password")
    call = {"jsonrpc": "2.0", "method": "session.login_with_password", "id": "a"}
    assert [n for n in range(6) if fits(document, login, {**call, "params": ["a"] * n})] == [2, 3, 4]


def test_links_lead_from_a_new_object_to_its_messages() -> None:
    """What a constructor returns may be given to each message that is called on such an object."""
    post = describe(API, ["network"])["paths"]["/jsonrpc#network.create"]["post"]
    assert post["responses"]["200"]["links"]["destroy"] == {
        "operationId": "network.destroy",
        "requestBody": {"params": ["$request.body#/params/0", "$response.body#/result"]},
    }


def test_the_command_prints_the_document() -> None:
    """`xenconform model openapi` prints what the module says, and names a class that is not there."""
    run = CliRunner().invoke(xenconform, ["model", "openapi", "--class", "secret", "--release", "8.2"])
    assert json.loads(run.stdout) == describe(API.at("8.2"), ["secret"])
    wrong = CliRunner().invoke(xenconform, ["model", "openapi", "--class", "secretx"])
    assert wrong.exit_code == 2
    assert "did you mean secret" in wrong.stderr
