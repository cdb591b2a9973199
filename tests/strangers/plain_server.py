"""A stranger's wire: HTTP by http.server, XML by ElementTree, JSON by json, nothing of the product's codec.

with Plain({"bare_refs", "chunked"}) as server:
    print(server.url)
"""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from xml.etree import ElementTree as ET

from strangers.documents import read_call, read_json, xml_text
from strangers.events import WAITING
from strangers.store import Store
from strangers.values import Malformed, Refusal
from xenconform.models import types as t

MOST = 2_000_000
CHURN_SECONDS = 0.003


class Plain(Store):
    """A store behind HTTP; a context manager that serves while it is entered."""

    def __enter__(self) -> Self:
        self.port = 0
        self.serve()
        self.url = f"http://127.0.0.1:{self.port}"
        self.done = threading.Event()
        self.threads = [self.open_control()]
        self.threads += [threading.Thread(target=self.churn, daemon=True)] if "churn" in self.tastes else []
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.close_control()
        for thread in self.threads:
            thread.join()
        self.stop_serving()

    def serve(self) -> None:
        """Listen, on the port of before if there was one."""
        self.http = Http(("127.0.0.1", self.port), Handler)
        self.http.plain = self
        self.port = self.http.server_port
        self.server = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.server.start()

    def stop_serving(self) -> None:
        """Listen no longer, and close every connection."""
        self.http.shutdown()
        self.http.server_close()
        self.http.hang_up()
        self.server.join()

    def churn(self) -> None:
        """Make and remove objects as other clients would: of several classes, each there for a moment."""
        theirs: list[tuple[str, str]] = []
        names = ("network", "VM", "secret", "VDI", "SR")
        while not self.done.wait(CHURN_SECONDS):
            with self.lock:
                cls = names[next(self.numbers) % len(names)]
                theirs.append((cls, self.make(self.api.classes[cls], {})))
                if len(theirs) > 10:
                    gone, ref = theirs.pop(0)
                    if ref in self.objects[gone] and not self.users_of(self.api.classes[gone], ref):
                        del self.objects[gone][ref]

    # ------------------------------------------------------------------------------------------------------------- XML

    def answer_xml(self, body: bytes) -> str:
        try:
            method, params = read_call(body)
        except (Malformed, ET.ParseError, ValueError, UnicodeError) as why:
            if "polite" not in self.tastes:
                raise Malformed(str(why)) from why
            reply = self.xml_failure(["INTERNAL_ERROR", "this is no call"])
        else:
            try:
                reply = self.xml_success(*self.perform("xml", method, params))
            except Refusal as no:
                reply = self.xml_failure([str(each) for each in no.args])
        gap = "\n" if "spaced" in self.tastes else ""
        text = f"<?xml version='1.0'?><methodResponse>{gap}<params>{gap}<param>{gap}{reply}{gap}</param></params>{gap}"
        return f"{text}</methodResponse>"

    def perform(self, fmt: str, method: str, params: list[Any]) -> tuple[t.Type, Any]:
        """Call, with the one message that ends its own session, and see the result before anything else changes it."""
        if method == "session.logout" and len(params) == 1:
            with self.lock:
                self.logout(params[0])
                return t.Void(), None
        return self.wait(fmt, method, params) if method in WAITING else self.call(fmt, method, params)

    def xml_success(self, of: t.Type, value: Any) -> str:
        return self.struct([("Status", self.xml(t.Str(), "Success")), ("Value", self.xml(of, value))])

    def xml_failure(self, said: list[str]) -> str:
        error = self.xml(t.SetOf(t.Str()), said)
        return self.struct([("Status", self.xml(t.Str(), "Failure")), ("ErrorDescription", error)])

    def struct(self, members: list[tuple[str, str]]) -> str:
        gap = "\n  " if "spaced" in self.tastes else ""
        inner = "".join(f"{gap}<member>{gap}<name>{xml_text(n)}</name>{gap}{v}{gap}</member>" for n, v in members)
        return f"<value>{gap}<struct>{inner}{gap}</struct>{gap}</value>"

    def xml(self, of: t.Type, value: Any) -> str:
        gap = "\n " if "spaced" in self.tastes else ""
        match of:
            case t.Float():
                return f"<value>{gap}<double>{self.float_text(value)}</double>{gap}</value>"
            case t.Bool():
                return f"<value>{gap}<boolean>{int(value)}</boolean>{gap}</value>"
            case t.DateTime():
                return f"<value>{gap}<dateTime.iso8601>{self.date_text(value)}</dateTime.iso8601>{gap}</value>"
            case t.SetOf(item):
                inner = gap.join(self.xml(item, each) for each in value)
                return f"<value>{gap}<array>{gap}<data>{gap}{inner}{gap}</data>{gap}</array>{gap}</value>"
            case t.MapOf(_, item):
                return self.struct([(str(k), self.xml(item, v)) for k, v in value.items()])
            case t.EventBatch() | t.RecordOf("" | "event"):
                return self.struct([(n, self.xml(each, v)) for n, (each, v) in self.shape(of, value).items()])
            case t.RecordOf(cls):
                fields = self.api.classes[cls].fields
                return self.struct([(n, self.xml(fields[n].type, v)) for n, v in value.items() if n in fields])
            case _:
                text = self.xml_string("" if value is None else str(value))
                return (
                    f"<value><string>{text}</string></value>"
                    if "string_tags" in self.tastes
                    else f"<value>{text}</value>"
                )

    def xml_string(self, text: str) -> str:
        return xml_text(text)

    def float_text(self, value: float) -> str:
        return repr(value)

    def date_text(self, value: datetime) -> str:
        shape = "%Y-%m-%dT%H:%M:%S" if "dashed" in self.tastes else "%Y%m%dT%H:%M:%S"
        micro = f".{value.microsecond:06}" if value.microsecond else ""
        at = value.astimezone(UTC)
        return f"{at.year:04}{at.strftime(shape[2:])}{micro}{'' if 'no_zone' in self.tastes else 'Z'}"

    # ------------------------------------------------------------------------------------------------------------ JSON

    def answer_json(self, body: bytes) -> str:
        try:
            version, method, params, ident = read_json(body)
        except (Malformed, ValueError, UnicodeError, RecursionError) as why:
            if "polite" not in self.tastes:
                raise Malformed(str(why)) from why
            error = {"code": -32600, "message": "MALFORMED", "data": []}
            return self.dump({"jsonrpc": "2.0", "error": error, "id": None})
        fmt = "json2" if version == "2.0" else "json1"
        try:
            of, value = self.perform(fmt, method, params)
            return self.dump(self.json_success(fmt, self.json(of, value), ident))
        except Refusal as no:
            return self.dump(self.json_failure(fmt, [str(each) for each in no.args], ident))

    def json_success(self, fmt: str, result: Any, ident: Any) -> dict[str, Any]:
        if fmt == "json1":
            return {"result": result, "error": None, "id": ident}
        return {"jsonrpc": "2.0", "result": result, "id": ident}

    def json_failure(self, fmt: str, said: list[str], ident: Any) -> dict[str, Any]:
        if fmt == "json1":
            return {"result": None, "error": said, "id": ident}
        error = {"code": -32000 if "codes" in self.tastes else 1, "message": said[0], "data": said[1:]}
        return {"jsonrpc": "2.0", "error": error, "id": ident}

    def dump(self, reply: dict[str, Any]) -> str:
        return json.dumps(reply, indent=2 if "spaced" in self.tastes else None)

    def json(self, of: t.Type, value: Any) -> Any:
        match of:
            case t.Int():
                return str(value) if "int_text" in self.tastes else value
            case t.DateTime():
                return self.date_text(value)
            case t.SetOf(item):
                return [self.json(item, each) for each in value]
            case t.MapOf(_, item):
                return {str(k): self.json(item, v) for k, v in value.items()}
            case t.EventBatch() | t.RecordOf("" | "event"):
                return {n: self.json(each, v) for n, (each, v) in self.shape(of, value).items()}
            case t.RecordOf(cls):
                fields = self.api.classes[cls].fields
                return {n: self.json(fields[n].type, v) for n, v in value.items() if n in fields}
            case _:
                return "" if value is None else value


class Http(ThreadingHTTPServer):
    """The listening socket; `plain` is the store behind it."""

    daemon_threads = True
    plain: Plain

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close the connections, as the end of a process does."""
        for each in tuple(self.open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 5
    server: Http

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        plain = self.server.plain
        lengths = self.headers.get_all("Content-Length", [])
        if self.headers.get("Transfer-Encoding") or len(lengths) != 1 or not re.fullmatch("[0-9]{1,9}", lengths[0]):
            return self.refuse()
        if int(lengths[0]) > MOST or self.path not in {"/", "/RPC2", "/jsonrpc"}:
            return self.refuse()
        body = self.rfile.read(int(lengths[0]))
        if len(body) < int(lengths[0]):
            return self.refuse()
        is_json = self.path == "/jsonrpc"
        try:
            text = plain.answer_json(body) if is_json else plain.answer_xml(body)
        except Malformed:
            return self.refuse()
        return self.reply(200, "application/json" if is_json else "text/xml", text.encode())

    def refuse(self) -> None:
        self.close_connection = True
        self.reply(400 if "http400" in self.server.plain.tastes else 500, "text/html", b"<html>no</html>")

    def reply(self, status: int, kind: str, body: bytes) -> None:
        tastes = self.server.plain.tastes
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if "closing" in tastes or self.close_connection:
            self.close_connection = True
            self.send_header("Connection", "close")
        if "chunked" in tastes:
            self.send_header("Transfer-Encoding", "chunked")
            parts = [body[at : at + 1000] for at in range(0, len(body), 1000)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
