"""Documents that are not well formed, or are well formed and no call: one table a format.

Only what is wrong beyond doubt by the specification of XML, JSON or the RPC is here. Left out is what tolerant parsers
of servers in use are known to take: comments, NaN, raw control characters in JSON strings, repeated members.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.codec import codec_for
from xenconform.models.calls import Format
from xenconform.models.types import MapOf, RefTo, Str

SECTIONS = 9
"""At so many places a good call is cut."""
_TWICE = '<string a="1" a="1">'


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
    yield "garbage and then a call", b"garbage " + good
    yield "a call, a NUL and garbage", good + b"\0 garbage"
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
        "parameters that stand in no list": call + one[len("<params>") : -len("</params>")] + "</methodCall>",
        "two methods' names": f"{call}<methodName>{method}</methodName>{one}</methodCall>",
        "tags with a prefix that is not declared": good.replace("</", "</x:")
        .replace("<m", "<x:m")
        .replace("<p", "<x:p"),
        "an empty root": "<a/>",
        "tags that cross": f"<methodCall><methodName>{method}</methodCall></methodName>",
        "a tag that is not closed": f"{call}<params><param><value>{session}</param></params></methodCall>",
        "a closing tag too many": f"{call}{one}</methodCall></methodCall>",
        "an entity that is not defined": f"{call}{one.replace(session, session + '&nothing;')}</methodCall>",
        "a bare ampersand": f"{call}{one.replace(session, session + '&')}</methodCall>",
        "an attribute without quotes": f"{call}{one.replace('<string>', '<string a=b>')}</methodCall>",
        "an attribute twice": f"{call}{one.replace('<string>', _TWICE)}</methodCall>",
        "a declaration that is not at the start": f"{call}<?xml version='1.0'?>{one}</methodCall>",
        "a character reference to NUL": f"{call}{one.replace(session, session + '&#0;')}</methodCall>",
        "a name that starts with a digit": f"{call}{one.replace('string', '1string')}</methodCall>",
        "an int that is none": f"{call}{one.replace('string', 'int')}</methodCall>",
        "a boolean that is none": f"{call}{one.replace('string', 'boolean')}</methodCall>",
        "a double that is none": f"{call}{one.replace('string', 'double')}</methodCall>",
        "an end tag in other letters": good.replace("</methodCall>", "</methodcall>"),
        "a section that does not end": f"{call}{one.replace(session, '<![CDATA[' + session)}</methodCall>",
        "a parameter without a value": f"{call}<params><param></param></params></methodCall>",
        "two values in one parameter": f"{call}{one.replace('</param>', '<value>x</value></param>')}</methodCall>",
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
        "an escape of two digits": f"{{{rest}}}".replace(f'"{session}"', f'"\\x{ord(session[0]):02x}{session[1:]}"'),
        "an escape in braces": f"{{{rest}}}".replace(f'"{session}"', f'"\\u{{{ord(session[0]):x}}}{session[1:]}"'),
        "an escape that is cut": f"{{{rest}}}".replace(f'"{session}"', f'"{session}\\u12"'),
        "a string that does not end": f"{{{rest}}}".replace(f'"{session}"', f'"{session}'),
        "an id that is an object": f"{{{rest}}}".replace('"id":1', '"id":{}'),
        "an id that is an array": f"{{{rest}}}".replace('"id":1', '"id":[1]'),
        "an id that is true": f"{{{rest}}}".replace('"id":1', '"id":true'),
        "an array that does not end": f"{{{rest}}}".replace(f'["{session}"]', f'["{session}"'),
        "a comma too many in the parameters": f"{{{rest}}}".replace(f'"{session}"]', f'"{session}",]'),
        "no colon": f"{{{rest}}}".replace('"method":', '"method" '),
        "a member without a value": f'{{{rest},"spare":}}',
        "a name alone": f'{{{rest},"spare"}}',
    }
    for number in ("007", "-01", "+7", "7.", ".7", "7e", "0x7", "- 7", "7 7", "7_0"):
        documents[f"the number {number}"] = f'{{{rest},"spare":{number}}}'
        documents[f"an id of {number}"] = f"{{{rest}}}".replace('"id":1', f'"id":{number}')
    for word in ("True", "FALSE", "None", "NULL", "nil", "undefined", "yes"):
        documents[f"the word {word}"] = f'{{{rest},"spare":{word}}}'
    for what, text in documents.items():
        yield what, text.encode()


def malformed_inside(fmt: Format, setter: str, session: str, ref: str) -> Iterator[tuple[str, bytes]]:
    """Yield calls of a setter of a map that are malformed within that map, or behind the call.

    A server that reads a value only when it needs it, or runs a call before the document has ended, is found out here.
    """
    cls = setter.partition(".")[0]
    types = (RefTo("session"), RefTo(cls), MapOf(Str(), Str()))
    values = (session, ref, {"xenconform-a": "b", "xenconform-c": "d"})
    good = codec_for(fmt).encode_call(setter, list(zip(types, values, strict=True))).rstrip()
    yield "a call that writes, and then garbage", good + b" garbage<{"
    yield "a call that writes, twice", good + good
    yield "a call that writes, without its last byte", good[:-1]
    last = b"</methodCall>" if fmt is Format.XMLRPC else b"}"
    yield "a call that writes, without its end", good[: -len(last)]
    for what, (old, new) in (_INSIDE_XML if fmt is Format.XMLRPC else _INSIDE_JSON).items():
        assert old in good.decode(), "the codec writes what is spoilt here"
        yield f"{what}, inside a map", good.replace(old.encode(), new.encode(), 1)


_VALUE = "<value><string>b</string></value>"
_INSIDE_XML = {
    "a member without a value": (_VALUE, ""),
    "a member without a name": ("<name>xenconform-a</name>", ""),
    "a value of two types": (_VALUE, "<value><string>b</string><string>c</string></value>"),
    "a value in a value": (_VALUE, f"<value>{_VALUE}</value>"),
    "a type that there is not": (_VALUE, "<value><text>b</text></value>"),
    "a value before its name": (f"<name>xenconform-a</name>{_VALUE}", f"{_VALUE}<name>xenconform-a</name>"),
    "a name that is not closed": ("xenconform-a</name>", "xenconform-a"),
    "a bare ampersand": ("<string>b<", "<string>b & c<"),
    "a bare less-than": ("<string>b<", "<string>b < c<"),
    "an entity that is not defined": ("<string>b<", "<string>&b;<"),
    "a struct that ends as an array": ("</struct>", "</array>"),
    "an attribute twice": ("<string>b<", '<string a="1" a="1">b<'),
    "a date that is none": (_VALUE, "<value><dateTime.iso8601>b</dateTime.iso8601></value>"),
    "a double that is none": (_VALUE, "<value><double>b</double></value>"),
}
_INSIDE_JSON = {
    "a comma too many": ('"d"}', '"d",}'),
    "a comma too many in front": ('{"xenconform-a"', '{,"xenconform-a"'),
    "two commas": ('"b",', '"b",,'),
    "no comma": ('"b",', '"b" '),
    "no colon": ('"xenconform-a":', '"xenconform-a" '),
    "a member without a value": (':"b"', ":"),
    "a member without a name": ('"xenconform-a":', ""),
    "a name alone": (':"b"', ""),
    "a word without quotes": ('"b"', "b"),
    "a name without quotes": ('"xenconform-a"', "xenconform"),
    "a name that is a number": ('"xenconform-a"', "7"),
    "single quotes": ('"b"', "'b'"),
    "an object that ends as an array": ('"d"}', '"d"]'),
    "an escape that JSON does not have": ('"b"', '"\\qb"'),
    "an escape of two digits": ('"b"', '"\\x62"'),
    "an escape in braces": ('"b"', '"\\u{62}"'),
    "an escape with a sign": ('"b"', '"\\u+062"'),
    "an escape with a prefix": ('"b"', '"\\u0x62"'),
    "an escape of an apostrophe": ('"b"', '"\\\'b"'),
}
