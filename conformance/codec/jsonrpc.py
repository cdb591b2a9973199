"""JSON-RPC 1.0 and 2.0 as the API uses them: one call a body, an id always, errors as arrays of strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xenconform.conformance.codec.base import (
    DecodedCall,
    Ident,
    Param,
    breach_of,
    first_members,
    read_result,
    reply_of,
)
from xenconform.conformance.codec.jsontree import quoted, read_json, write_json
from xenconform.conformance.codec.spelling import JSON_SPELLING
from xenconform.conformance.codec.strict import StrictReader
from xenconform.conformance.codec.tree import (
    MAX_CALL_BYTES,
    MAX_REPLY_BYTES,
    Array,
    BadDocument,
    Node,
    Scalar,
    Struct,
    describe,
)
from xenconform.conformance.codec.writing import Ints, JsonSpeller, write, write_plain
from xenconform.conformance.codec.xmlrpc import note_code, read_error, read_texts
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Format, Outcome, Reply, Success
from xenconform.models.types import Type, Void

_NIL = Scalar("nil", "")
_MEMBERS = {
    Format.JSONRPC1: frozenset({"result", "error", "id"}),
    Format.JSONRPC2: frozenset({"jsonrpc", "result", "error", "id"}),
}
_ERROR_MEMBERS = frozenset({"code", "message", "data"})
_MOST_ID_DIGITS = 1000


@dataclass(frozen=True, slots=True)
class JsonRpcCodec:
    """The JSON-RPC codec of either version; see `Codec` for what each part does."""

    format: Format
    content_type: str = "application/json"
    path: str = "/jsonrpc"

    def encode_call(
        self,
        method: str,
        params: Sequence[Param],
        ident: Ident = 1,
        *,
        api: Api | None = None,
        ints: Ints = "text",
    ) -> bytes:
        """Return a call's body."""
        by = JsonSpeller(ints=ints, special=True)
        written = [write_json(value) if of is None else write(of, value, by, api) for of, value in params]
        version = '"jsonrpc":"2.0",' if self.format is Format.JSONRPC2 else ""
        text = f'{{{version}"method":{quoted(method)},"params":[{",".join(written)}],"id":{_written(ident)}}}'
        return text.encode("utf-8", "surrogatepass")

    def decode_call(self, body: bytes) -> DecodedCall | Breach:
        """Return the call that a body holds, of either version, or how it is none."""
        try:
            return _call(read_json(body, MAX_CALL_BYTES))
        except BadDocument as bad:
            return breach_of(bad)

    def encode_reply(
        self,
        outcome: Success | Failure,
        result: Type | None,
        ident: Ident = 1,
        api: Api | None = None,
        *,
        ints: Ints | None = None,
    ) -> bytes:
        """Return a reply's body, ints as JSON integers unless told otherwise."""
        by = JsonSpeller(ints=ints or "native")
        one = self.format is Format.JSONRPC1
        echoed = _written(ident)
        if isinstance(outcome, Failure):
            params = [quoted(str(each)) for each in outcome.params]
            if one:
                text = f'{{"result":null,"error":{by.array([quoted(outcome.code), *params])},"id":{echoed}}}'
            else:
                error = f'{{"code":1,"message":{quoted(outcome.code)},"data":{by.array(params)}}}'
                text = f'{{"jsonrpc":"2.0","error":{error},"id":{echoed}}}'
            return text.encode()
        value = write_plain(outcome.value, by) if result is None else write(result, outcome.value, by, api)
        if one:
            return f'{{"result":{value},"error":null,"id":{echoed}}}'.encode()
        return f'{{"jsonrpc":"2.0","result":{value},"id":{echoed}}}'.encode()

    def decode_reply(
        self,
        body: bytes,
        result: Type | None,
        ident: Ident | None = None,
        api: Api | None = None,
        content_type: str | None = None,  # noqa: ARG002 - no clause speaks of it; the codecs share one signature
        *,
        bare_ok: bool = False,  # noqa: ARG002 - replies of JSON-RPC are never bare; the codecs share one signature
    ) -> Reply:
        """Return what a reply says and every rule that its bytes break."""
        reader = StrictReader(JSON_SPELLING, api)
        try:
            node = read_json(body, MAX_REPLY_BYTES)
        except BadDocument as bad:
            return reply_of(breach_of(bad), reader)
        if not isinstance(node, Struct):
            return reply_of(Breach("envelope-shape", f"{describe(node)} where an object belongs"), reader)
        members = first_members(reader, node.members, _MEMBERS[self.format])
        _judge_id(reader, members.get("id"), ident)
        outcome = _one(reader, result, members) if self.format is Format.JSONRPC1 else _two(reader, result, members)
        return reply_of(outcome, reader)


def _written(ident: Ident) -> str:
    return quoted(ident) if isinstance(ident, str) else f"{ident:d}"


def _call(node: Node) -> DecodedCall:
    if not isinstance(node, Struct):
        raise BadDocument("envelope-shape", f"{describe(node)} where one call's object belongs")
    members: dict[str, Node] = {}
    for name, each in node.members:
        if name in members:
            raise BadDocument("envelope-duplicate-member", f"the member {name[:60]!r} occurs twice")
        members[name] = each
    version = members.get("jsonrpc")
    if version is not None and version != Scalar("string", "2.0"):
        raise BadDocument("jsonrpc-version", f"jsonrpc is {describe(version)}")
    method = members.get("method")
    if not isinstance(method, Scalar) or method.tag != "string":
        raise BadDocument("envelope-missing-member", "no method's name")
    params = members.get("params", _NIL)
    if params != _NIL and not isinstance(params, Array):
        raise BadDocument("envelope-shape", f"params is {describe(params)}, not an array")
    return DecodedCall(
        method.text,
        params.items if isinstance(params, Array) else (),
        _ident(members.get("id")),
        Format.JSONRPC1 if version is None else Format.JSONRPC2,
    )


def _ident(node: Node | None) -> Ident:
    if isinstance(node, Scalar) and node.tag == "string":
        return node.text
    if isinstance(node, Scalar) and node.tag == "int" and len(node.text) <= _MOST_ID_DIGITS:
        return int(node.text)
    raise BadDocument("id-not-echoed", "id is " + (describe(node) if node else "missing") + ", no string or integer")


def _judge_id(reader: StrictReader, node: Node | None, ident: Ident | None) -> None:
    if ident is None:
        return
    sent = Scalar("string", ident) if isinstance(ident, str) else Scalar("int", f"{ident:d}")
    if node != sent:
        got = "nothing" if node is None else describe(node)
        reader.note("id-not-echoed", f"sent {describe(sent)}, got {got}", "id")


def _one(reader: StrictReader, result: Type | None, members: dict[str, Node]) -> Outcome:
    value, error = members.get("result"), members.get("error")
    for name in ("result", "error"):
        if name not in members:
            reader.note("envelope-missing-member", f"the member {name} is missing", name)
    if error is not None and error != _NIL:
        if value is not None and value != _NIL:
            reader.note("envelope-both", "result and error are both set", "")
        return _error_of_two(reader, error) if isinstance(error, Struct) else read_error(reader, error, "error")
    if value is None or (value == _NIL and not isinstance(result, Void)):
        return Breach("envelope-no-outcome", "result and error are both null or missing")
    return read_result(reader, result, value)


def _two(reader: StrictReader, result: Type | None, members: dict[str, Node]) -> Outcome:
    version = members.get("jsonrpc")
    if version != Scalar("string", "2.0"):
        reader.note("jsonrpc-version", "jsonrpc is " + (describe(version) if version else "missing"), "jsonrpc")
    value, error = members.get("result"), members.get("error")
    if value is not None and error is not None:
        reader.note("envelope-both", "result and error are both there", "")
    if error is not None and (error != _NIL or value is None):
        return _error_two(reader, error)
    if value is None:
        reader.note("envelope-missing-member", "neither result nor error", "result")
    return read_result(reader, result, value)


def _error_two(reader: StrictReader, error: Node) -> Failure:
    if not isinstance(error, Struct):
        reader.note("error-shape", f"{describe(error)} where an object of code, message and data belongs", "error")
        return Failure(error.text) if isinstance(error, Scalar) else _quiet_error(reader, error)
    return _error_members(reader, error)


def _error_of_two(reader: StrictReader, error: Struct) -> Failure:
    """Read 2.0's error object where 1.0's array belongs."""
    reader.note("error-shape", f"{describe(error)} where an array of strings belongs", "error")
    return _error_members(StrictReader(reader.spelling, reader.api), error)


def _quiet_error(reader: StrictReader, error: Array) -> Failure:
    """Read 1.0's array where 2.0's object belongs."""
    return read_error(StrictReader(reader.spelling, reader.api), error, "error")


def _error_members(reader: StrictReader, error: Struct) -> Failure:
    members = first_members(reader, error.members, _ERROR_MEMBERS)
    code, message, data = (members.get(name) for name in ("code", "message", "data"))
    if not isinstance(code, Scalar) or code.tag != "int" or not code.text.strip("-0"):
        reader.note("error-code", "error.code is " + (describe(code) if code else "missing"), "error.code")
    if not isinstance(message, Scalar) or message.tag != "string":
        reader.note(
            "error-not-text", "error.message is " + (describe(message) if message else "missing"), "error.message"
        )
    elif not message.text:
        reader.note("error-empty", "error.message is empty", "error.message")
    else:
        note_code(reader, message.text, "error.message")
    params: list[str] = []
    if isinstance(data, Array):
        params = read_texts(reader, data, "error.data")
    else:
        reader.note("error-shape", "error.data is " + (describe(data) if data else "missing"), "error.data")
    return Failure(message.text if isinstance(message, Scalar) else "", tuple(params))
