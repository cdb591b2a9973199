"""Defects of envelopes and of calls that must be refused."""

from __future__ import annotations

import json
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Plain
from strangers.values import Malformed, Refusal
from xenconform.models import types as t


@defect("WIRE-VOID")
def json_void_as_null(s: Plain) -> None:
    """Void leaves as null."""
    around(s, "json", lambda old, of, v: None if of == t.Void() else old(of, v))


@defect("WIRE-VOID")
def xml_void_as_nil(s: Plain) -> None:
    """Void leaves as <nil/>."""
    around(s, "xml", lambda old, of, v: "<value><nil/></value>" if of == t.Void() else old(of, v))


def failing(s: Plain, change: Any) -> None:
    """Change JSON-RPC 2.0 failures."""
    around(
        s, "json_failure", lambda old, fmt, said, i: change(old(fmt, said, i)) if fmt == "json2" else old(fmt, said, i)
    )


@defect("WIRE-JSON2-ENVELOPE")
def error_code_zero(s: Plain) -> None:
    """An error's code is 0."""
    failing(s, lambda r: r | {"error": r["error"] | {"code": 0}})


@defect("WIRE-JSON2-ENVELOPE")
def error_without_data(s: Plain) -> None:
    """An error without parameters has no data."""
    failing(s, lambda r: r | {"error": {k: v for k, v in r["error"].items() if k != "data"}})


@defect("WIRE-JSON2-ENVELOPE", also="WIRE-JSON-VERSION")
def answer_of_version_1(s: Plain) -> None:
    """A call of 2.0 is answered as one of 1.0 when it fails."""
    around(s, "json_failure", lambda old, _fmt, said, i: old("json1", said, i))


@defect("WIRE-JSON1-ENVELOPE")
def no_error_member(s: Plain) -> None:
    """A success over 1.0 has no error member."""
    around(s, "json_success", lambda old, fmt, r, i: {k: v for k, v in old(fmt, r, i).items() if k != "error"})


@defect("WIRE-JSON-ID-ECHO")
def id_as_text(s: Plain) -> None:
    """The id comes back as text."""
    around(s, "json_success", lambda old, fmt, r, i: old(fmt, r, str(i)))


@defect("WIRE-JSON-ID-ECHO")
def large_id_rounded(s: Plain) -> None:
    """A large id comes back rounded."""
    around(s, "json_success", lambda old, fmt, r, i: old(fmt, r, int(float(i)) if isinstance(i, int) else i))


@defect("WIRE-JSON-ID-ECHO")
def empty_id_as_null(s: Plain) -> None:
    """The empty id comes back as null."""
    around(s, "json_success", lambda old, fmt, r, i: old(fmt, r, None if i == "" else i))


def json_requests(s: Plain, change: Any) -> None:
    """Change each JSON call before it is judged."""

    def answer(old: Any, body: bytes) -> str:
        try:
            call = json.loads(body)
        except ValueError:
            call = None
        return str(old(json.dumps(change(call)).encode() if isinstance(call, dict) else body))

    around(s, "answer_json", answer)


@defect("WIRE-JSON-NO-NOTIFICATION")
def notification_carried_out(s: Plain) -> None:
    """A call without an id is carried out."""
    json_requests(s, lambda call: {**call, "id": call.get("id", 0)})


@defect("WIRE-JSON-NO-NOTIFICATION")
def null_id_carried_out(s: Plain) -> None:
    """A call whose id is null is carried out."""
    json_requests(s, lambda call: {**call, "id": 1} if "id" in call and call["id"] is None else call)


@defect("WIRE-JSON-VERSION")
def any_version_taken(s: Plain) -> None:
    """Any version is taken for 2.0."""
    json_requests(s, lambda call: {**call, "jsonrpc": "2.0"} if "jsonrpc" in call else call)


@defect("WIRE-XML-ENVELOPE")
def xml_error_nested(s: Plain) -> None:
    """ErrorDescription is the code and an array of the parameters."""
    pair = "<value><array><data><value>{}</value>{}</data></array></value>"
    s.xml_failure = lambda said: s.struct([  # type: ignore[method-assign]
        ("Status", "<value>Failure</value>"),
        ("ErrorDescription", pair.format(said[0], s.xml(t.SetOf(t.Str()), said[1:]))),
    ])  # fmt: skip


@defect("WIRE-XML-ENVELOPE")
def xml_status_in_lower_case(s: Plain) -> None:
    """Status is success."""
    around(s, "xml_success", lambda old, of, v: old(of, v).replace(">Success<", ">success<", 1))


@defect("WIRE-MALFORMED", also="WIRE-XML-ENVELOPE")
def cut_documents_taken(s: Plain) -> None:
    """JSON with text after its end is taken."""

    def answer(old: Any, body: bytes) -> str:
        try:
            text = body.decode()
            return str(old(text[: json.JSONDecoder().raw_decode(text)[1]].encode()))
        except ValueError as why:
            raise Malformed from why

    around(s, "answer_json", answer)


@defect("WIRE-METHOD-UNKNOWN", also="GET-EVERY-FIELD QUAL-RO-RUNTIME QUAL-RO-CONSTRUCTOR QUAL-NO-WRONG-ACCESSOR")
def unknown_method_succeeds(s: Plain) -> None:
    """An unknown method gives Success and the empty text."""
    around(s, "call", lambda old, fmt, method, raw: old(fmt, method, raw) if s.find(method) else (t.Str(), ""))


@defect("WIRE-ARITY")
def extra_parameters_ignored(s: Plain) -> None:
    """Parameters beyond the last are ignored."""
    around(
        s, "check_arity", lambda old, m, raw, some: old(m, raw[: len(m.params)], some) if some else old(m, raw, some)
    )


@defect("WIRE-TYPE", also="CREATE-BAD")
def numbers_taken_for_text(s: Plain) -> None:
    """A JSON number given for a text is stored as its digits."""
    around(
        s,
        "read",
        lambda old, of, raw: old(of, str(raw)) if of == t.Str() and type(raw) in {int, float} else old(of, raw),
    )


@defect("WIRE-TYPE", also="CREATE-BAD")
def wrong_types_stored(s: Plain) -> None:
    """A refused value of a scalar's type is stored as the empty text, and then refused."""

    def change(old: Any, of: t.Type, raw: Any) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            return "" if of == t.Str() else old(of, raw)

    around(s, "read", change)
