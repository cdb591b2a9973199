"""What can be copied from the page: the command that repeats a run, and an exchange as a shell line and a script.

A log hides sessions and passwords, and its objects are gone: the texts log in anew, ask for the password, and have each
reference of the run in a variable of its own, to be replaced by one of the reader's.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from xenconform.models.calls import Format
from xenconform.models.clauses import catalogue
from xenconform.models.events import RunStart
from xenconform.models.exchange import Exchange
from xenconform.models.levels import RESTARTED
from xenconform.models.target import Target, parse_target

LONGEST = 6_000
"""Bytes of a request that is given as a command."""
EMBEDDED = "embedded reference server"
ANYWHERE = "http://127.0.0.1:8080"
"""Where `xenconform serve` listens: it stands for the embedded server, which is gone."""
_OURS = re.compile(r"SESSION-[0-9]+|\*{8}|OpaqueRef:[0-9a-fA-F-]{36}")


def repeat(start: RunStart) -> str:
    """Return the command line that makes the run again, as far as its log tells it."""
    words = ["xenconform", start.kind]
    if start.target.startswith(EMBEDDED):
        words += ["--fault", start.fault] if start.fault else []
    else:
        words.append(start.target)
    named = {"profile": start.profile, "release": start.release, "scope": start.scope, "budget": start.budget}
    words += [word for name, text in named.items() if text for word in (f"--{name}", text)]
    words += ["--seed", str(start.seed)]
    if len(start.formats) < len(Format):
        words += [word for name in start.formats for word in ("--format", name)]
    words += [word for name in start.classes for word in ("--class", name)]
    if start.kind == "certify" and set(start.clauses) | RESTARTED != {*catalogue()}:
        words += [word for name in start.clauses for word in ("--clause", name)]
    return shlex.join(words)


def curl_of(exchange: Exchange, target: str) -> str:
    """Return shell lines that send an exchange's request again, "" where its body is too long or no text."""
    body = _body(exchange)
    if body is None:
        return ""
    at = _target(target)
    path, kind = at.path_for(exchange.format), _kind(exchange.format)
    url = "http://localhost" if at.scheme == "unix" else str(at).removesuffix(at.path or "")
    options = f" --unix-socket {shlex.quote(at.socket)}" if at.scheme == "unix" else ""
    lines = [f"URL={shlex.quote(url + path)}"]
    post = f"curl -sS{options} -H {shlex.quote(f'Content-Type: {kind}')} -H 'Expect:'"
    text, refs = _quoted(body)
    if "$XENCONFORM_PASSWORD" in text or "$SESSION" in text:
        lines.append(': "${XENCONFORM_PASSWORD:?set it to root\'s password}"')
    if "$SESSION" in text:
        login, taken = _login(exchange.format)
        lines.append(f'SESSION=$({post} --data-binary {login} "$URL" | {taken})')
    lines += [f"{name}={shlex.quote(ref)}   # of that run: put an object of yours here" for ref, name in refs.items()]
    return "\n".join([*lines, f"printf '%s' {text} |\n  {post} -i --data-binary @- \"$URL\""])


def script_of(exchange: Exchange, target: str) -> str:
    """Return a Python script that does the same, with the standard library alone; "" where there is none."""
    body, at = _body(exchange), _target(target)
    if body is None or at.scheme == "unix":
        return ""
    url = str(at).removesuffix(at.path or "") + at.path_for(exchange.format)
    refs = dict.fromkeys(each for each in _parts(body) if each.startswith("OpaqueRef:"))
    known = "".join(f"    {ref!r}: {ref!r},  # put an object of yours here\n" for ref in refs)
    return _SCRIPT.format(
        seq=exchange.seq,
        url=url,
        wire=str(exchange.format),
        kind=_kind(exchange.format),
        body=repr(body),
        refs=f"{{\n{known}}}" if known else "{}",
    )


def _body(exchange: Exchange) -> str | None:
    """Return the request's body where it is a text that can be copied."""
    if not exchange.sent or len(exchange.sent) > LONGEST:
        return None
    try:
        text = exchange.sent.decode()
    except UnicodeDecodeError:
        return None
    return text if all(char.isprintable() or char in "\n\t" for char in text) else None


def _target(text: str) -> Target:
    try:
        return parse_target(ANYWHERE if text.startswith(EMBEDDED) else text)
    except ValueError:
        return parse_target(ANYWHERE)


def _kind(wire: Format) -> str:
    return "text/xml" if wire is Format.XMLRPC else "application/json"


def _quoted(body: str) -> tuple[str, dict[str, str]]:
    """Return a body quoted for a shell with what is of its run in variables, and the references with their names."""
    refs: dict[str, str] = {}
    parts = list(_parts(body))
    for part in parts:
        if part.startswith("OpaqueRef:"):
            refs.setdefault(part, f"REF_{len(refs) + 1}")
    quoted = [
        f"'\"${_variable(part, refs)}\"'" if _OURS.fullmatch(part) else part.replace("'", "'\"'\"'") for part in parts
    ]
    return f"'{''.join(quoted)}'", refs


def _parts(body: str) -> Iterator[str]:
    at = 0
    for found in _OURS.finditer(body):
        yield body[at : found.start()]
        yield found[0]
        at = found.end()
    yield body[at:]


def _variable(part: str, refs: dict[str, str]) -> str:
    return refs.get(part) or ("SESSION" if part.startswith("SESSION") else "XENCONFORM_PASSWORD")


def _login(wire: Format) -> tuple[str, str]:
    """Return the quoted body of a login, and what takes the session out of its reply."""
    if wire is Format.XMLRPC:
        values = "".join(
            f"<param><value><string>{each}</string></value></param>"
            for each in ("root", "'\"$XENCONFORM_PASSWORD\"'", "1.0", "xenconform")
        )
        body = f"<methodCall><methodName>session.login_with_password</methodName><params>{values}</params></methodCall>"
        return f"'<?xml version=\"1.0\"?>{body}'", r"grep -o 'OpaqueRef:[^<]*'"
    version = '"jsonrpc": "2.0", ' if wire is Format.JSONRPC2 else ""
    params = '["root", "\'"$XENCONFORM_PASSWORD"\'", "1.0", "xenconform"]'
    body = f'{{{version}"method": "session.login_with_password", "params": {params}, "id": 1}}'
    return f"'{body}'", "grep -o 'OpaqueRef:[^\"]*'"


_SCRIPT = '''#!/usr/bin/env python3
"""Sends the request of exchange {seq} of run.jsonl again and prints the reply. Needs Python alone."""
import getpass
import json
import os
import re
import sys
import urllib.request
from xml.sax.saxutils import escape

URL = sys.argv[1] if len(sys.argv) > 1 else {url!r}
WIRE, KIND = {wire!r}, {kind!r}
REFS = {refs}
BODY = {body}


def post(body):
    request = urllib.request.Request(URL, body.encode(), {{"Content-Type": KIND}})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return f"HTTP {{reply.status}}\\n{{reply.read().decode(errors='backslashreplace')}}"


def log_in(password):
    args = ["root", password, "1.0", "xenconform"]
    body = json.dumps({{"jsonrpc": "2.0", "method": "session.login_with_password", "params": args, "id": 1}})
    if WIRE == "jsonrpc1":
        body = body.replace('"jsonrpc": "2.0", ', "")
    if WIRE == "xmlrpc":
        values = "".join(f"<param><value><string>{{escape(arg)}}</string></value></param>" for arg in args)
        name = "<methodName>session.login_with_password</methodName>"
        body = f"<?xml version='1.0'?><methodCall>{{name}}<params>{{values}}</params></methodCall>"
    return re.search(r"OpaqueRef:[^<\\"]+", post(body))[0]


body = BODY
if "SESSION-" in body or "*" * 8 in body:
    password = os.environ.get("XENCONFORM_PASSWORD") or getpass.getpass("Password of root: ")
    body = body.replace("*" * 8, password)
    if "SESSION-" in body:
        session = log_in(password)
        body = re.sub("SESSION-[0-9]+", lambda found: session, body)
for there, here in REFS.items():
    body = body.replace(there, here)
print(post(body))
'''
