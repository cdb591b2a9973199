"""XML-RPC values to and from the neutral tree: no document type, no entities, depth and size bounded.

Source: the XML-RPC specification and XML 1.0. White space between elements is allowed; text beside an element is not.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError, XMLParser

from xenconform.conformance.codec.tree import (
    MAX_DEPTH,
    MAX_PARTS,
    RAW,
    Array,
    BadDocument,
    Node,
    Scalar,
    Struct,
    shown,
    utf8,
)

_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_UNCARRIABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_new = tuple.__new__
_SPECIAL = re.compile("[&<>\r]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


class Uncarriable(ValueError):  # noqa: N818 - it names the text, as its use reads
    """Text with a character that XML cannot carry: NUL, most control characters, lone surrogates, U+FFFE, U+FFFF."""


def carriable(text: str) -> bool:
    """Whether XML 1.0 can carry the text."""
    return _UNCARRIABLE.search(text) is None


def escaped(text: str) -> str:
    """Return text as XML character data that reads back the same, carriage returns included.

    Raises:
        Uncarriable: XML has no way to write one of the characters.
    """
    bad = _UNCARRIABLE.search(text)
    if bad:
        raise Uncarriable(f"XML cannot carry U+{ord(bad.group()):04X}, at {bad.start()} of {shown(text)}")
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda found: _ESCAPES[found.group()], text)


def read_xml(body: bytes, most: int) -> Element:
    """Return the root element of an XML document of at most `most` bytes.

    Raises:
        BadDocument: not well-formed, not UTF-8, too large, or with a document type declaration.
    """
    utf8(body, most)
    prolog = _PROLOG.match(body)
    if prolog and body.startswith(b"<!DOCTYPE", prolog.end()):
        raise BadDocument("xml-doctype", "a document type declaration", prolog.end())
    if body.count(b"<") > MAX_PARTS:
        raise BadDocument("reply-too-large", f"more than {MAX_PARTS} tags")
    # Expat fetches nothing, and without a DOCTYPE there is no entity to expand. The encoding is set whatever the
    # document declares, because another one could hide a DOCTYPE from the search above.
    parser = XMLParser(encoding="utf-8")  # noqa: S314 - safe for the two reasons above
    try:
        parser.feed(body)
        return parser.close()
    except ParseError as error:
        raise BadDocument("xml-syntax", str(error), _offset(body, error)) from None


def _offset(body: bytes, error: ParseError) -> int:
    line, column = error.position
    start = 0
    for _ in range(line - 1):
        start = body.find(b"\n", start) + 1
    return min(start + column, len(body))


def children(element: Element, path: str) -> list[Element]:
    """Return an element's children, which have nothing but white space between them.

    Raises:
        BadDocument: there is text beside them; `path` says where.
    """
    found = list(element)
    _no_stray(path, element.text, *[each.tail for each in found])
    return found


def _no_stray(path: str, *texts: str | None) -> None:
    for text in texts:
        if text and not text.isspace():
            raise BadDocument("xml-structure", f"text {shown(text)} in <{path}>")


def only(element: Element, tag: str) -> Element:
    """Return the single child of an element, which must have the tag.

    Raises:
        BadDocument: there is none, another, or more than one.
    """
    found = children(element, element.tag)
    if len(found) != 1 or found[0].tag != tag:
        tags = ", ".join(f"<{each.tag}>" for each in found[:3]) or "nothing"
        raise BadDocument("xml-structure", f"<{element.tag}> holds {tags} where one <{tag}> belongs")
    return found[0]


def text_of(element: Element) -> str:
    """Return the text of an element that holds text alone.

    Raises:
        BadDocument: it holds elements.
    """
    if len(element):
        raise BadDocument("xml-structure", f"<{element.tag}> holds <{element[0].tag}> where text belongs")
    return element.text or ""


def _bare(text: str) -> Scalar:
    return _new(Scalar, ("", text))  # the named tuple's own constructor takes twice as long


def value_node(element: Element, depth: int = 0) -> Node:
    """Return the tree of a `<value>` element.

    Raises:
        BadDocument: its content is not that of a value, or deeper than `MAX_DEPTH`.
    """
    count = len(element)
    if not count:
        return _bare(element.text or "")
    if depth > MAX_DEPTH:
        raise BadDocument("document-too-deep", f"more than {MAX_DEPTH} levels")
    if count > 1:
        raise BadDocument("xml-structure", f"<value> holds {count} elements")
    child = element[0]
    if element.text or child.tail:
        _no_stray("value", element.text, child.tail)
    tag = child.tag
    if tag == "struct":
        return Struct(tuple([_member(each, depth) for each in children(child, tag)]))
    if tag == "array":
        return Array(tuple([_item(each, depth) for each in children(only(child, "data"), "data")]))
    return Scalar(tag, text_of(child))


def _item(element: Element, depth: int) -> Node:
    if element.tag != "value":
        raise BadDocument("xml-structure", f"<data> holds <{element.tag}>")
    return value_node(element, depth + 1)


def _member(element: Element, depth: int) -> tuple[str, Node]:
    if len(element) != 2 or element.tag != "member":
        raise BadDocument("xml-structure", f"<struct> holds <{element.tag}> that is no member with a name and a value")
    name, value = element
    if name.tag != "name" or value.tag != "value" or len(name):
        raise BadDocument("xml-structure", f"<member> holds <{name.tag}> and <{value.tag}>")
    if element.text or name.tail or value.tail:
        _no_stray("member", element.text, name.tail, value.tail)
    if not len(value):  # most members are bare text: spare them a call
        return name.text or "", _bare(value.text or "")
    return name.text or "", value_node(value, depth + 1)


def write_value(node: Node) -> str:
    """Return the `<value>` element of a tree.

    Raises:
        Uncarriable: a text or name has a character that XML cannot carry (a scalar of the tag RAW aside).
    """
    return f"<value>{_content(node)}</value>"


def _content(node: Node) -> str:
    match node:
        case Array(items):
            return f"<array><data>{''.join([write_value(each) for each in items])}</data></array>"
        case Struct(members):
            parts = [f"<member><name>{escaped(name)}</name>{write_value(each)}</member>" for name, each in members]
            return f"<struct>{''.join(parts)}</struct>"
        case Scalar("", text):
            return escaped(text)
        case Scalar("nil", _):
            return "<nil/>"
        case Scalar(tag, text):
            return text if tag == RAW else f"<{tag}>{escaped(text)}</{tag}>"
