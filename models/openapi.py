"""An OpenAPI 3.1 description of the JSON-RPC 2.0 endpoint, for tools that test or call APIs by such descriptions.

One operation a message: the path is the endpoint with the message's name as its fragment, `/jsonrpc#VM.start`, so that
each has a label, a schema and statistics of its own; the fragment never reaches the wire. A request has its
parameters by their places, a reply either the result's type or an error, closed against further members.

OpenAPI has no words for what a session or a reference is. Here they are texts of the formats `xenapi-session` and
`xenapi-ref-CLASS`, for which a tool may be given values. Links lead from every way to get an object to the messages
that are called on it.

Source: the OpenAPI Specification 3.1.0 and its dialect of JSON Schema; the API document, wire protocol.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Message, Qualifier, State

Schema: TypeAlias = dict[str, Any]

ENDPOINT = "/jsonrpc"
"""The path of JSON-RPC calls."""
SESSION_FORMAT = "xenapi-session"
DATETIME_FORMAT = "xenapi-datetime"
LOGINS = {"session.login_with_password": 2}
"""Messages of which the last parameters may be left out, and how many must be there."""

_INT: Schema = {"type": "integer", "format": "int64", "minimum": t.INT_MIN, "maximum": t.INT_MAX}
_DIGITS: Schema = {"type": "string", "pattern": "^(0|-?[1-9][0-9]*)$"}
_SPECIAL: Schema = {"type": "string", "pattern": "^[+-]?([nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)$"}
_DATETIME = "^[0-9]{4}-?[0-9]{2}-?[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?$"
_EVENT_BATCH: Schema = {
    "type": "object",
    "properties": {
        "events": {"type": "array", "items": {"type": "object"}},
        "token": {"type": "string"},
        "valid_ref_counts": {"type": "object"},
    },
    "required": ["events", "token", "valid_ref_counts"],
}
_NO_CALL: Schema = {"description": "The request is no call of the protocol", "content": {"text/html": {}}}
_ERROR: Schema = {
    "type": "object",
    "properties": {
        "code": {"type": "integer", "not": {"const": 0}},
        "message": {"type": "string", "minLength": 1},
        "data": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["code", "message", "data"],
    "additionalProperties": False,
}


def describe(api: Api, classes: Collection[str] = (), *, server: str = "/") -> Schema:
    """Return the description of a model's messages as a JSON document.

    Args:
        api: the model, of whichever release.
        classes: only the messages of these classes; of all where none is named.
        server: the URL under which the endpoint is.

    Raises:
        ValueError: there is no class of such a name.
    """
    unknown = sorted(set(classes) - api.classes.keys())
    if unknown:
        raise ValueError(f"no class {unknown[0]!r} in {api.release}; `xenconform model list` shows them")
    chosen = [of for of in api.classes.values() if not classes or of.name in classes]
    paths = {
        f"{ENDPOINT}#{message.full_name}": {"post": _operation(api, of, message)}
        for of in chosen
        for message in of.messages.values()
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "XenServer Management API over JSON-RPC 2.0",
            "version": api.release,
            "description": "One operation a message. Fragments of paths name the message and are never sent.",
        },
        "servers": [{"url": server}],
        "tags": [{"name": of.name} for of in chosen if of.messages],
        "paths": paths,
        "components": {"schemas": dict(sorted(_components(api, paths).items()))},
    }


def _components(api: Api, document: Schema) -> dict[str, Schema]:
    """Return the schemas that a part of the document refers to, and those that these refer to."""
    found: dict[str, Schema] = {}
    wanted = list(_references(document))
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        cls, _, kind = name.partition(".")
        found[name] = _ERROR if not kind else (_args if kind == "args" else _record)(api.classes[cls], api)
        wanted += _references(found[name])
    return found


def _references(part: object) -> Iterator[str]:
    match part:
        case {"$ref": str(target)}:
            yield target.rpartition("/")[2]
        case dict():
            for each in part.values():
                yield from _references(each)
        case list():
            for each in part:
                yield from _references(each)


def _operation(api: Api, of: ApiClass, message: Message) -> Schema:
    reply: Schema = {
        "description": "The result, or the error that the API answers with",
        "content": {"application/json": {"schema": _reply(api, message)}},
    }
    links = dict(_links(of, message))
    operation: Schema = {
        "operationId": message.full_name,
        "tags": [of.name],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _request(api, message)}}},
        "responses": {"200": {**reply, "links": links} if links else reply, "500": _NO_CALL},
    }
    return {**operation, "deprecated": True} if message.lifecycle.state is State.DEPRECATED else operation


def _request(api: Api, message: Message) -> Schema:
    session: list[Schema] = [{"type": "string", "format": SESSION_FORMAT}] if message.takes_session else []
    params = [*session, *(schema_of(param.type, api, sent=True) for param in message.params)]
    least = LOGINS.get(message.full_name, len(params))
    places: Schema = {"type": "array", "minItems": least, "maxItems": len(params)}
    if params:
        places |= {"prefixItems": params, "items": False}
    return {
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "method": {"const": message.full_name},
            "params": places,
            "id": {"type": "string", "format": "uuid"},
        },
        "required": ["jsonrpc", "method", "params", "id"],
        "additionalProperties": False,
    }


def _reply(api: Api, message: Message) -> Schema:
    return {
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"type": ["integer", "string"]},
            "result": schema_of(message.result, api, sent=False),
            "error": {"$ref": "#/components/schemas/Error"},
        },
        "required": ["jsonrpc", "id"],
        "oneOf": [{"required": ["result"]}, {"required": ["error"]}],
        "additionalProperties": False,
    }


def _links(of: ApiClass, message: Message) -> Iterator[tuple[str, Schema]]:
    """Yield the links from a message whose result is an object, or a set of them, to what is called on it."""
    found = {t.RefTo(of.name): "$response.body#/result", t.SetOf(t.RefTo(of.name)): "$response.body#/result/0"}
    where = found.get(message.result)
    if where is None or not message.takes_session:
        return
    for target in of.messages.values():
        if target.takes_session and target.params and target.params[0].type == t.RefTo(of.name):
            params = ["$request.body#/params/0", where]
            yield target.name, {"operationId": target.full_name, "requestBody": {"params": params}}


def schema_of(of: t.Type, api: Api, *, sent: bool) -> Schema:
    """Return the JSON Schema of a type in JSON: as clients send it, or as replies have it."""
    match of:
        case t.Int():
            return _INT if sent else {"anyOf": [_INT, _DIGITS]}
        case t.Float():
            # What is no number of JSON travels as text.
            return {"type": "number"} if sent else {"anyOf": [{"type": "number"}, _SPECIAL]}
        case t.DateTime():
            return {"type": "string", "format": DATETIME_FORMAT} | ({} if sent else {"pattern": _DATETIME})
        case t.RefTo(cls):
            return {"type": "string", "format": f"xenapi-ref-{cls}"}
        case t.Enum(_, values):
            return {"type": "string", "enum": list(values)} if values else {"type": "string"}
        case t.SetOf(item):
            return {"type": "array", "items": schema_of(item, api, sent=sent), "uniqueItems": True}
        case t.MapOf(key, item):
            names = {"propertyNames": _DIGITS if isinstance(key, t.Int) else schema_of(key, api, sent=sent)}
            return {"type": "object", "additionalProperties": schema_of(item, api, sent=sent), **names}
        case t.RecordOf(cls) if cls in api.classes and api.classes[cls].fields:
            return {"$ref": f"#/components/schemas/{cls}.{'args' if sent else 'record'}"}
        case t.Option(item):
            return {"anyOf": [{"type": "null"}, schema_of(item, api, sent=sent)]}
        case _:
            return dict(_PLAIN[type(of)])


_PLAIN: dict[type, Schema] = {
    t.Str: {"type": "string"},
    t.Bool: {"type": "boolean"},
    t.Void: {"const": ""},
    t.EventBatch: _EVENT_BATCH,
    t.RecordOf: {"type": "object"},
}
"""The types whose schema is the same in requests and replies; records of unknown classes among them."""


def _record(of: ApiClass, api: Api) -> Schema:
    """Return the schema of a record in a reply: every field of the class, and no other member."""
    always = [f.name for f in of.fields.values() if f.lifecycle.state is not State.REMOVED]
    return {
        "type": "object",
        "properties": {f.name: schema_of(f.type, api, sent=False) for f in of.fields.values()},
        "required": [name for name in always if not isinstance(of.fields[name].type, t.Option)],
        "additionalProperties": False,
    }


def _args(of: ApiClass, api: Api) -> Schema:
    """Return the schema of a constructor's record: what clients may give, and what they must."""
    given = [
        f for f in of.fields.values() if f.qualifier is not Qualifier.RUNTIME and f.lifecycle.state is not State.REMOVED
    ]
    return {
        "type": "object",
        "properties": {f.name: schema_of(f.type, api, sent=True) for f in given},
        "required": [f.name for f in given if not f.has_default],
        "additionalProperties": False,
    }
