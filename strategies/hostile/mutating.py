"""Broken documents, made of good ones: their tokens are left out, doubled, exchanged, and replaced by odd ones.

A document is cut into the tokens of its language, so that most of what is made is nearly right, which is where parsers
differ; now and then bytes are changed whatever they are part of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from xenconform.strategies.hostile.dice import Dice, pick

BIG: Final = (2, 3, 17, 64, 257, 1_000, 4_097, 20_000)
"""How often a token is repeated."""
MOST: Final = 300_000
"""The most bytes of a document that is made here."""


@dataclass(frozen=True, slots=True)
class Language:
    """How documents of a language are cut into tokens, and the tokens that are put in."""

    name: str
    token: re.Pattern[bytes]
    odd: tuple[bytes, ...]


XML: Final = Language(
    "xml",
    re.compile(rb"<[^<>]*>|&[^;&<\s]*;|[^<>&\s]+|\s+|[<>&]"),
    (
        b"", b" ", b"\n", b"<value>", b"</value>", b"<string>", b"</string>", b"<int>7</int>", b"<i4>-1</i4>",
        b"<i8>9</i8>", b"<boolean>1</boolean>", b"<boolean>2</boolean>", b"<double>1e308</double>", b"<nil/>",
        b"<base64>eA==</base64>", b"<dateTime.iso8601>20240101T00:00:00Z</dateTime.iso8601>",
        b"<array><data/></array>", b"<struct/>", b"<member><name>a</name><value>b</value></member>",
        b"<param><value>x</value></param>", b"<params/>", b"</params>", b"</methodCall>",
        b"<methodName>x</methodName>", b"<!-- c -->", b"<!---->", b"<![CDATA[x]]>", b"<![CDATA[", b"]]>",
        b"<?pi x?>", b'<?xml version="1.0"?>', b"<?xml version='1.1' encoding='UTF-16'?>", b"&amp;", b"&lt;",
        b"&#0;", b"&#x10FFFF;", b"&#xD800;", b"&none;", b"&", b"<", b">", b"\0", b"\x08", b"\xff", b"\xc3",
        b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"<value xmlns='urn:x'>", b"<x:value>", b"<VALUE>",
        b"<value a='1' a='2'>", b"<!DOCTYPE methodCall>", b"<!DOCTYPE a [<!ENTITY e 'x'>]>", b"%s%n", b"' or 1=1 --",
        b"${jndi:x}", b"]]&gt;",
    ),
)  # fmt: skip
JSON: Final = Language(
    "json",
    re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|\w+|\s+|[\[\]{},:]|.', re.DOTALL),
    (
        b"", b" ", b"\n", b"\t", b"\x0c", b"{", b"}", b"[", b"]", b",", b":", b'""', b'"', b"'", b"null", b"true",
        b"false", b"NaN", b"Infinity", b"-", b"0", b"-0", b"00", b"1.", b".5", b"1e400", b"1E+2",
        b"9223372036854775808", b"-1", b"123456789012345678901234567890", b"0x1F", b'"\\ud800"', b'"\\u0000"',
        b'"\\q"', b'"\\u12"', b'"\xff"', b'"\x01"', b'"__proto__":{}', b'"id":2', b'"id":null', b'"method":"x"',
        b'"params":[]', b'"params":{}', b'"jsonrpc":"1.0"', b'"jsonrpc":2.0', b'"result":1', b'"error":null', b"{}",
        b"[]", b"[[]]", b"/* c */", b"// c\n", b"\0", b"\xef\xbb\xbf", b"\xc2\xa0", b"undefined", b"TRUE", b'"%s%n"',
        b'"\\u2028"', b'"\xf0\x9f\x98\x80"',
    ),
)  # fmt: skip
HTTP: Final = Language(
    "http",
    re.compile(rb"\r\n|[^\s:]+|[ \t]+|:|."),
    (
        b"", b" ", b"\t", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b"GET", b"PUT", b"CONNECT", b"PRI", b"HTTP/1.0",
        b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.1 ", b"http/1.1", b"/", b"*", b"//", b"/..", b"/%00", b"http://x/",
        b"Content-Length: 0\r\n", b"Content-Length: -1\r\n", b"Content-Length: 1, 1\r\n",
        b"Content-Length: 99999999999999999999\r\n", b"Content-Length: +5\r\n", b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: identity, chunked\r\n", b"Connection: close\r\n",
        b"Connection: keep-alive, upgrade\r\n", b"Upgrade: h2c\r\n", b"Expect: 100-continue\r\n",
        b"Expect: 200-ok\r\n", b"Host: a\r\n", b"Host:\r\n", b" folded\r\n", b"X: \0\r\n", b"X\r\n", b": x\r\n",
        b"0\r\n\r\n", b'5;ext="\r\nhello\r\n', b"Content-Encoding: gzip\r\n", b"Range: bytes=0-1\r\n", b"\xff",
        b"\0", b"%s%n", b"Content-Type: text/plain\r\n", b"Content-Type: multipart/form-data; boundary=x\r\n",
        b"Cookie: a=b\r\n", b"Trailer: x\r\n", b"TE: trailers\r\n",
    ),
)  # fmt: skip


def mutate(dice: Dice, document: bytes, language: Language, others: Sequence[bytes] = ()) -> bytes:
    """Return a document with one to four changes; `others` are documents of which parts may be put in."""
    for _ in range(pick(dice, _HOW_MANY)):
        change = _repeated if dice.below(50) == 1 else pick(dice, _CHANGES)
        document = change(dice, document, language, others)
        if len(document) > MOST:
            return document[:MOST]
    return document


_HOW_MANY: Final = (1, 1, 1, 2, 2, 4)
Change = Callable[[Dice, bytes, Language, Sequence[bytes]], bytes]


def _at(dice: Dice, document: bytes, language: Language) -> tuple[int, int]:
    """Return where a token stands, from and to; the whole of an empty document."""
    spans = [found.span() for found in language.token.finditer(document)]
    return pick(dice, spans) if spans else (0, len(document))


def _replaced(dice: Dice, document: bytes, language: Language, _others: Sequence[bytes]) -> bytes:
    begin, end = _at(dice, document, language)
    return document[:begin] + pick(dice, language.odd) + document[end:]


def _put_in(dice: Dice, document: bytes, language: Language, _others: Sequence[bytes]) -> bytes:
    begin, _ = _at(dice, document, language)
    return document[:begin] + pick(dice, language.odd) + document[begin:]


def _left_out(dice: Dice, document: bytes, language: Language, _others: Sequence[bytes]) -> bytes:
    begin, end = _at(dice, document, language)
    return document[:begin] + document[end:]


def _doubled(dice: Dice, document: bytes, language: Language, _others: Sequence[bytes]) -> bytes:
    begin, end = _at(dice, document, language)
    return document[:end] + document[begin:end] + document[end:]


def _repeated(dice: Dice, document: bytes, language: Language, _others: Sequence[bytes]) -> bytes:
    begin, end = _at(dice, document, language)
    times = min(pick(dice, BIG), MOST // max(1, end - begin))
    return document[:begin] + document[begin:end] * times + document[end:]


def _exchanged(dice: Dice, document: bytes, language: Language, _others: Sequence[bytes]) -> bytes:
    one, other = sorted((_at(dice, document, language), _at(dice, document, language)))
    if one[1] > other[0]:
        return document
    parts = (document[: one[0]], document[slice(*other)], document[one[1] : other[0]], document[slice(*one)])
    return b"".join(parts) + document[other[1] :]


def _cut(dice: Dice, document: bytes, _language: Language, _others: Sequence[bytes]) -> bytes:
    return document[: dice.below(len(document) + 1)]


def _byte(dice: Dice, document: bytes, _language: Language, _others: Sequence[bytes]) -> bytes:
    at = dice.below(len(document) + 1)
    return document[:at] + bytes((dice.below(256),)) + document[at + dice.below(2) :]


def _spliced(dice: Dice, document: bytes, language: Language, others: Sequence[bytes]) -> bytes:
    if not others:
        return document + document
    other = pick(dice, others)
    begin, _ = _at(dice, document, language)
    from_, _ = _at(dice, other, language)
    return document[:begin] + other[from_:]


_CHANGES: Final[tuple[Change, ...]] = (
    _left_out, _replaced, _put_in, _doubled, _exchanged, _replaced, _put_in, _byte, _cut, _spliced,
)  # fmt: skip


def is_surely_malformed(document: bytes, language: Language) -> bool:
    """Whether no parser may take a document, by its language's specification and by what tolerant ones are known for.

    Source: XML 1.0, section 1.2, for which an error of well-formedness is fatal; RFC 8259. Comments, words such as NaN,
    control characters in strings, and other encodings than UTF-8 are left out: there are parsers that take them.
    """
    return _MALFORMED[language.name](document) if language.name in _MALFORMED else False


def _no_xml(document: bytes) -> bool:
    if b"encoding" in document or b"DOCTYPE" in document or b"\0" in document or not _is_utf8(document):
        return False
    parser = expat.ParserCreate()
    try:
        parser.Parse(document.strip(), True)
    except expat.ExpatError:
        return True
    return False


def _no_json(document: bytes) -> bool:
    if any(mark in document for mark in (b"/*", b"//", b"#", b"\0", b"\xef\xbb\xbf")) or not _is_utf8(document):
        return False
    try:
        json.loads(document, strict=False)
    except ValueError:
        return True
    except RecursionError:
        return False
    return False


def _is_utf8(document: bytes) -> bool:
    try:
        document.decode()
    except UnicodeDecodeError:
        return False
    return True


_MALFORMED: Final = {"xml": _no_xml, "json": _no_json}
