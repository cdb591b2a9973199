"""Defects of servers, planted in the bytes between a sound reference server and the client."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from wire_bench import Defect, Serve

from xenconform.conformance.transport import HttpReply, Result, TransportTrouble, Trouble

XML, JSON1, JSON2 = "xmlrpc", "jsonrpc1", "jsonrpc2"


def format_of(body: bytes) -> str:
    """The format of a request."""
    if not body.lstrip().startswith(b"{"):
        return XML
    return JSON2 if b'"jsonrpc"' in body else JSON1


def reply_changed(change: Callable[[bytes], bytes], *formats: str, to: str = "") -> Defect:
    """Change the bodies of replies: of some formats, and to requests that have some text in them."""

    def defect(body: bytes, serve: Serve) -> Result:
        got = serve(body)
        if isinstance(got, HttpReply) and (not formats or format_of(body) in formats) and to.encode() in body:
            return replace(got, body=change(got.body))
        return got

    return defect


def request_changed(change: Callable[[bytes], bytes], *formats: str) -> Defect:
    """Change the bodies of requests of some formats, as a server that reads them wrongly does."""

    def defect(body: bytes, serve: Serve) -> Result:
        return serve(change(body) if not formats or format_of(body) in formats else body)

    return defect


def sub(pattern: str, by: str | Callable[[re.Match[bytes]], bytes]) -> Callable[[bytes], bytes]:
    """Replace a pattern everywhere."""
    return lambda body: re.sub(pattern.encode(), by.encode() if isinstance(by, str) else by, body)


def rounded(found: re.Match[bytes]) -> bytes:
    """An int that went through a double."""
    return b"%d" % int(float(found[0]))


def short_float(found: re.Match[bytes]) -> bytes:
    """A float printed with six digits."""
    return f"{found[1].decode()}{float(found[2]):g}{found[3].decode()}".encode()


def later(found: re.Match[bytes]) -> bytes:
    """A datetime an hour later."""
    return b"%sT%02d" % (found[1], (int(found[2]) + 1) % 24)


def json_members(change: Callable[[dict[str, object]], dict[str, object]]) -> Callable[[bytes], bytes]:
    """Change the members of a JSON reply."""

    def changed(body: bytes) -> bytes:
        try:
            found = json.loads(body)
        except ValueError:
            return body
        return json.dumps(change(found)).encode() if isinstance(found, dict) else body

    return changed


def without(*names: str) -> Callable[[dict[str, object]], dict[str, object]]:
    """Leave members out."""
    return lambda found: {name: value for name, value in found.items() if name not in names}


def as_version_1(found: dict[str, object]) -> dict[str, object]:
    """A 2.0 reply in the shape of 1.0."""
    error = found.get("error")
    flat = [error["message"], *error["data"]] if isinstance(error, dict) else None
    return {"result": found.get("result"), "error": flat, "id": found["id"]}


def code_zero(found: dict[str, object]) -> dict[str, object]:
    """An error whose code is 0."""
    error = found.get("error")
    return {**found, "error": {**error, "code": 0}} if isinstance(error, dict) else found


def typed_as_html(body: bytes, serve: Serve) -> Result:
    """Every reply claims to be HTML."""
    got = serve(body)
    return replace(got, headers=(("Content-Type", "text/html"),)) if isinstance(got, HttpReply) else got


def succeeds_instead_of(code: str, *formats: str, to: str = "") -> Defect:
    """Answer with an empty success where the sound server fails with a code."""

    def defect(body: bytes, serve: Serve) -> Result:
        got = serve(body)
        mine = (not formats or format_of(body) in formats) and to.encode() in body
        if mine and isinstance(got, HttpReply) and code.encode() in got.body:
            return replace(got, status=200, body=_success(body))
        return got

    return defect


def _success(body: bytes) -> bytes:
    if format_of(body) == XML:
        members = (
            "<member><name>Status</name><value>Success</value></member><member><name>Value</name><value/></member>"
        )
        value = f"<value><struct>{members}</struct></value>"
        return f"<methodResponse><params><param>{value}</param></params></methodResponse>".encode()
    found = re.search(rb'"id": ?("(?:[^"\\]|\\.)*"|-?\d+)', body)
    ident = found[1].decode() if found else "1"
    if format_of(body) == JSON1:
        return f'{{"result":"","error":null,"id":{ident}}}'.encode()
    return f'{{"jsonrpc":"2.0","result":"","id":{ident}}}'.encode()


def renamed(code: str, other: str) -> Defect:
    """Fail with another code."""
    return reply_changed(lambda body: body.replace(code.encode(), other.encode()))


def lenient_with_json(body: bytes, serve: Serve) -> Result:
    """Read a JSON document up to its end, and nothing after it."""
    if body.startswith(b"{"):
        with suppress(ValueError):
            text = body.decode()
            return serve(text[: json.JSONDecoder().raw_decode(text)[1]].encode())
    return serve(body)


def silent_when_malformed(body: bytes, serve: Serve) -> Result:
    """Close the connection on every document that is no call."""
    got = serve(body)
    if isinstance(got, HttpReply) and got.status == 500:
        return TransportTrouble(Trouble.CLOSED_EARLY, "closed", 0.0)
    return got


def runs_notifications(body: bytes) -> bytes:
    """Take the id of a request for 1 where it has none."""
    body = body.replace(b'"id": null', b'"id": 1')
    return body if b'"id"' in body or not body.startswith(b"{") else body[:-1] + b', "id": 1}'


class SessionsByFormat:
    """Sessions opened over JSON-RPC 2.0 are unknown to the other formats."""

    def __init__(self) -> None:
        self._own: set[bytes] = set()

    def __call__(self, body: bytes, serve: Serve) -> Result:
        got = serve(body)
        if isinstance(got, HttpReply) and b"login_with_password" in body and format_of(body) == JSON2:
            self._own |= set(re.findall(rb"OpaqueRef:[-0-9a-f]+", got.body))
        if format_of(body) != JSON2 and any(session in body for session in self._own):
            return serve(body.replace(next(s for s in self._own if s in body), b"OpaqueRef:bad", 1))
        return got


class ForgetsToAsk:
    """Over JSON a session that is not known is taken for the last good one."""

    def __init__(self) -> None:
        self._good = ""

    def __call__(self, body: bytes, serve: Serve) -> Result:
        got = serve(body)
        if not isinstance(got, HttpReply) or format_of(body) == XML:
            return got
        if b"SESSION_INVALID" not in got.body:
            found = re.search(rb'"params": ?\["(OpaqueRef:[-0-9a-f]+)"', body)
            self._good = found[1].decode() if found else self._good
            return got
        call = json.loads(body)
        return serve(json.dumps({**call, "params": [self._good, *call["params"][1:]]}).encode()) if self._good else got


class TakesForRetries:
    """A getter over JSON is taken for a retry of one of the same bytes, and gets the same answer."""

    def __init__(self) -> None:
        self._answered: dict[bytes, Result] = {}

    def __call__(self, body: bytes, serve: Serve) -> Result:
        if format_of(body) == XML or b".get_name_description" not in body:
            return serve(body)
        return self._answered.setdefault(body, serve(body))


def keeps_sessions(body: bytes, serve: Serve) -> Result:
    """Logging out does nothing."""
    if b"session.logout" in body:
        got = serve(body.replace(b"session.logout", b"session.get_no_such"))
        assert isinstance(got, HttpReply)
        return replace(got, body=_success(body))
    return serve(body)


def refuses_native_ints(body: bytes, serve: Serve) -> Result:
    """XML-RPC's own integers are refused."""
    if format_of(body) != XML:
        return serve(body)
    return serve(re.sub(rb"<(i4|i8|int)>[^<]*</\1>", b"<boolean>1</boolean>", body))


# ------------------------------------------------------------------------------------- what conforming servers may do


def _deep(value: object, change: Callable[[object], object]) -> object:
    """Change every part of a JSON value, the inner ones first."""
    if isinstance(value, dict):
        return {name: _deep(each, change) for name, each in value.items()}
    if isinstance(value, list):
        return change([_deep(each, change) for each in value])
    return change(value)


def int_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def backwards(value: object) -> object:
    return value[::-1] if isinstance(value, list) else value


def results_changed(change: Callable[[object], object]) -> Defect:
    """Change every part of the results in JSON replies."""
    members = json_members(
        lambda found: found | {"result": _deep(found["result"], change)} if "result" in found else found
    )
    return reply_changed(members, JSON1, JSON2)


def refuses(message: str, code: str) -> Defect:
    """Refuse a message, whatever it is given, in the API's own way."""

    def defect(body: bytes, serve: Serve) -> Result:
        return serve(body) if message.encode() not in body else _refusal(body, code)

    return defect


def _refusal(body: bytes, code: str) -> HttpReply:
    if format_of(body) == XML:
        array = f"<value><array><data><value>{code}</value></data></array></value>"
        members = "<member><name>Status</name><value>Failure</value></member>"
        members += f"<member><name>ErrorDescription</name>{array}</member>"
        value = f"<value><struct>{members}</struct></value>"
        text = f"<methodResponse><params><param>{value}</param></params></methodResponse>"
        return HttpReply(200, "OK", (("Content-Type", "text/xml"),), text.encode(), 0.0)
    ident = json.dumps(json.loads(body)["id"])
    if format_of(body) == JSON1:
        text = f'{{"result":null,"error":["{code}"],"id":{ident}}}'
    else:
        text = f'{{"jsonrpc":"2.0","error":{{"code":1,"message":"{code}","data":[]}},"id":{ident}}}'
    return HttpReply(200, "OK", (("Content-Type", "application/json"),), text.encode(), 0.0)


def bad_request(body: bytes, serve: Serve) -> Result:
    """Malformed documents get 400 and nothing else."""
    got = serve(body)
    return replace(got, status=400, body=b"") if isinstance(got, HttpReply) and got.status == 500 else got


class Clock:
    """Datetimes in records move on with every reply."""

    INSTANT = rb'((?:<dateTime.iso8601>|"last_updated":\s*")\d{8}T\d\d:\d\d:)\d\d'

    def __init__(self) -> None:
        self._second = 0

    def __call__(self, body: bytes, serve: Serve) -> Result:
        got = serve(body)
        if not isinstance(got, HttpReply) or b"get_record" not in body:
            return got
        self._second = (self._second + 1) % 60
        return replace(got, body=re.sub(self.INSTANT, b"\\g<1>%02d" % self._second, got.body))
