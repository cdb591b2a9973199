"""Documents that are not well formed, or are well formed and no call: one table a format.

Only what is wrong beyond doubt by the specification of XML, JSON or the RPC is here. Left out is what tolerant parsers
of servers in use are known to take: comments, NaN, raw control characters in JSON strings, repeated members.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.codec import codec_for
from xenconform.models.calls import Format
from xenconform.models.types import RefTo

SECTIONS = 9
"""At so many places a good call is cut."""


def malformed(fmt: Format, message: str, session: str) -> Iterator[tuple[str, bytes]]:
    """Yield malformed documents of a format with what is wrong with each.

    Most are a call of `message` with `session` that was spoilt: a server that overlooks the fault carries it out.
    """
    good = codec_for(fmt).encode_call(message, [(RefTo("session"), session)]).rstrip()
    yield "an empty body", b""
    yield "white space alone", b" \n\t "
    yield "a single NUL", b"\0"
    yield "text that is no document", b"hello"
    yield "a page of HTML", b"<html><body>POST</body></html>"
    size = len(good)
    for at in range(1, SECTIONS + 1):
        cut = size * at // (SECTIONS + 1)
        yield f"a call cut after {cut} of {size} bytes", good[:cut]
    yield "a call without its last byte", good[:-1]
    yield "a call and then garbage", good + b" garbage<{"
    yield "two calls, one after the other", good + good
    yield from _xml(good.decode(), message, session) if fmt is Format.XMLRPC else _json(fmt, message, session)


def _xml(good: str, method: str, session: str) -> Iterator[tuple[str, bytes]]:
    call = f"<methodCall><methodName>{method}</methodName>"
    one = f"<params><param><value><string>{session}</string></value></param></params>"
    documents = {
        "another root": f"<call><methodName>{method}</methodName>{one}</call>",
        "a response in place of a call": f"<methodResponse>{one}</methodResponse>",
        "no method name": f"<methodCall>{one}</methodCall>",
        "no method name and no parameters": "<methodCall></methodCall>",
        "an empty root": "<a/>",
        "tags that cross": f"<methodCall><methodName>{method}</methodCall></methodName>",
        "a tag that is not closed": f"{call}<params><param><value>{session}</param></params></methodCall>",
        "a closing tag too many": f"{call}{one}</methodCall></methodCall>",
        "an entity that is not defined": f"{call}{one.replace(session, session + '&nothing;')}</methodCall>",
        "a bare ampersand": f"{call}{one.replace(session, session + '&')}</methodCall>",
        "an attribute without quotes": f"{call}{one.replace('<string>', '<string a=b>')}</methodCall>",
        "a character reference to NUL": f"{call}{one.replace(session, session + '&#0;')}</methodCall>",
        "a name that starts with a digit": f"{call}{one.replace('string', '1string')}</methodCall>",
        "an int that is none": f"{call}{one.replace('string', 'int')}</methodCall>",
        "a boolean that is none": f"{call}{one.replace('string', 'boolean')}</methodCall>",
        "a double that is none": f"{call}{one.replace('string', 'double')}</methodCall>",
        "text before the root": "text" + good,
    }
    for what, text in documents.items():
        yield what, text.encode()


def _json(fmt: Format, method: str, session: str) -> Iterator[tuple[str, bytes]]:
    version = '"jsonrpc":"2.0",' if fmt is Format.JSONRPC2 else ""
    rest = f'"method":"{method}","params":["{session}"],{version}"id":1'
    documents = {
        "no object": f'"{method}"',
        "a number": "7",
        "null": "null",
        "an empty array": "[]",
        "an empty object": "{}",
        "no method": f'{{{version}"params":["{session}"],"id":1}}',
        "a method that is a number": f'{{{version}"method":7,"params":["{session}"],"id":1}}',
        "a method that is null": f'{{{version}"method":null,"params":["{session}"],"id":1}}',
        "a method that is an array": f'{{{version}"method":["{method}"],"params":["{session}"],"id":1}}',
        "parameters that are text": f'{{{version}"method":"{method}","params":"{session}","id":1}}',
        "parameters that are a number": f'{{{version}"method":"{method}","params":5,"id":1}}',
        "parameters that are true": f'{{{version}"method":"{method}","params":true,"id":1}}',
        "parameters with names that the method has not": (
            f'{{{version}"method":"{method}","params":{{"no_such_name":"x"}},"id":1}}'
        ),
        "a comma too many": f"{{{rest},}}",
        "a comma too few": f"{{{rest}}}".replace(',"id"', '"id"'),
        "no closing brace": f"{{{rest}",
        "a closing brace too many": f"{{{rest}}}}}",
        "a bracket that closes a brace": f"{{{rest}]",
        "single quotes": f"{{{rest}}}".replace('"', "'"),
        "names without quotes": f"{{{rest}}}".replace('"method"', "method"),
        "an escape that JSON does not have": f"{{{rest}}}".replace(f'"{session}"', f'"\\q{session}"'),
        "an escape that is cut": f"{{{rest}}}".replace(f'"{session}"', f'"{session}\\u12"'),
        "a string that does not end": f"{{{rest}}}".replace(f'"{session}"', f'"{session}'),
        "an id that is an object": f"{{{rest}}}".replace('"id":1', '"id":{}'),
        "an id that is an array": f"{{{rest}}}".replace('"id":1', '"id":[1]'),
        "an id that is true": f"{{{rest}}}".replace('"id":1', '"id":true'),
    }
    for what, text in documents.items():
        yield what, text.encode()
