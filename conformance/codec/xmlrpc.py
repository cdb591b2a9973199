"""XML-RPC as the API uses it: every reply one struct of Status and Value or ErrorDescription."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from xenconform.conformance.codec.base import (
    DecodedCall,
    Ident,
    Param,
    breach_of,
    first_members,
    read_result,
    reply_of,
)
from xenconform.conformance.codec.spelling import XML_SPELLING, plain
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
    shown,
)
from xenconform.conformance.codec.writing import Ints, XmlSpeller, write, write_plain
from xenconform.conformance.codec.xmltree import children, escaped, only, read_xml, text_of, value_node, write_value
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Format, Outcome, Reply, Success
from xenconform.models.types import Type
from xenconform.models.values import Value

_HEAD = "<?xml version='1.0'?>"
_REPLY_HEAD = f"{_HEAD}<methodResponse><params><param>"
_REPLY_TAIL = "</param></params></methodResponse>"
_SUCCESS = (
    f"{_REPLY_HEAD}<value><struct><member><name>Status</name><value>Success</value></member><member><name>Value</name>"
)
_FAILURE = (
    f"{_REPLY_HEAD}<value><struct><member><name>Status</name><value>Failure</value></member>"
    "<member><name>ErrorDescription</name>"
)
_MEMBERS = frozenset({"Status", "Value", "ErrorDescription"})


@dataclass(frozen=True, slots=True)
class XmlRpcCodec:
    """The XML-RPC codec; see `Codec` for what each part does."""

    format: Format = Format.XMLRPC
    content_type: str = "text/xml"
    path: str = "/"

    def encode_call(
        self,
        method: str,
        params: Sequence[Param],
        ident: Ident = 1,  # noqa: ARG002 - XML-RPC has no ids; the codecs share one signature
        *,
        api: Api | None = None,
        ints: Ints = "text",
    ) -> bytes:
        """Return a call's body."""
        by = XmlSpeller(ints=ints)
        written = [
            f"<param>{write_value(value) if of is None else write(of, value, by, api)}</param>" for of, value in params
        ]
        name = escaped(method)
        text = f"{_HEAD}<methodCall><methodName>{name}</methodName><params>{''.join(written)}</params></methodCall>"
        return text.encode()

    def decode_call(self, body: bytes) -> DecodedCall | Breach:
        """Return the call that a body holds, or how it is none."""
        try:
            return _call(read_xml(body, MAX_CALL_BYTES))
        except BadDocument as bad:
            return breach_of(bad)

    def encode_reply(
        self,
        outcome: Success | Failure,
        result: Type | None,
        ident: Ident = 1,  # noqa: ARG002 - XML-RPC has no ids; the codecs share one signature
        api: Api | None = None,
        *,
        ints: Ints | None = None,
    ) -> bytes:
        """Return a reply's body: Status first, no white space between elements, text and ints bare."""
        by = XmlSpeller(ints=ints or "text", bare=True)
        if isinstance(outcome, Failure):
            lines = [by.text(str(each)) for each in (outcome.code, *outcome.params)]
            return f"{_FAILURE}{by.array(lines)}</member></struct></value>{_REPLY_TAIL}".encode()
        value = write_plain(outcome.value, by) if result is None else write(result, outcome.value, by, api)
        return f"{_SUCCESS}{value}</member></struct></value>{_REPLY_TAIL}".encode()

    def decode_reply(
        self,
        body: bytes,
        result: Type | None,
        ident: Ident | None = None,  # noqa: ARG002 - XML-RPC has no ids; the codecs share one signature
        api: Api | None = None,
        content_type: str | None = None,
        *,
        bare_ok: bool = False,
    ) -> Reply:
        """Return what a reply says and every rule that its bytes break."""
        reader = StrictReader(XML_SPELLING, api)
        if content_type is not None and content_type.partition(";")[0].strip().lower() != self.content_type:
            reader.note("xml-content-type", f"the media type is {shown(content_type)}", "")
        try:
            node = _response(read_xml(body, MAX_REPLY_BYTES))
            if bare_ok and not _has_status(node):
                return reply_of(read_result(reader, result, node), reader)
            return reply_of(_outcome(reader, result, node), reader)
        except BadDocument as bad:
            return reply_of(breach_of(bad), reader)


def _call(root: Element) -> DecodedCall:
    found = children(root, root.tag)
    if root.tag != "methodCall" or not found or found[0].tag != "methodName" or len(found) > 2:
        raise BadDocument("xml-structure", f"<{root.tag}> is no call")
    params: list[Node] = []
    if len(found) == 2:
        if found[1].tag != "params":
            raise BadDocument("xml-structure", f"<methodCall> holds <{found[1].tag}>")
        for each in children(found[1], "params"):
            if each.tag != "param":
                raise BadDocument("xml-structure", f"<params> holds <{each.tag}>")
            params.append(value_node(only(each, "value")))
    return DecodedCall(text_of(found[0]), tuple(params), 0, Format.XMLRPC)


def _response(root: Element) -> Node:
    if root.tag != "methodResponse":
        raise BadDocument("xml-structure", f"the root is <{root.tag}>, not <methodResponse>")
    found = children(root, "methodResponse")
    if len(found) == 1 and found[0].tag == "fault":
        raise BadDocument("xml-fault", f"a fault: {shown(str(plain(value_node(only(found[0], 'value')))), 200)}")
    return value_node(only(only(only(root, "params"), "param"), "value"))


def _has_status(node: Node) -> bool:
    return isinstance(node, Struct) and any(name == "Status" for name, _ in node.members)


def _outcome(reader: StrictReader, result: Type | None, node: Node) -> Outcome:
    if not isinstance(node, Struct):
        return Breach("envelope-shape", f"{describe(node)} where a struct of Status belongs")
    members = first_members(reader, node.members, _MEMBERS)
    status = members.get("Status")
    if status is None:
        return Breach("envelope-no-outcome", "the struct has no Status")
    if not isinstance(status, Scalar) or status.text not in {"Success", "Failure"}:
        return Breach("xml-status", f"Status is {describe(status)}")
    if status.tag not in XML_SPELLING.text:
        reader.note("xml-status", f"Status travels as {describe(status)}", "Status")
    if "Value" in members and "ErrorDescription" in members:
        reader.note("envelope-both", "Value and ErrorDescription at once", "")
    wanted = "Value" if status.text == "Success" else "ErrorDescription"
    if wanted not in members:
        reader.note("envelope-missing-member", f"Status is {status.text} and there is no {wanted}", wanted)
    if status.text == "Success":
        return read_result(reader, result, members.get("Value"))
    return read_error(reader, members.get("ErrorDescription"), "ErrorDescription")


def read_error(reader: StrictReader, node: Node | None, where: str) -> Failure:
    """Return the failure that an array of code and parameters is, noting what is wrong with its form."""
    if node is None:
        return Failure("")
    if not isinstance(node, Array):
        reader.note("error-shape", f"{describe(node)} where an array of strings belongs", where)
        return Failure(node.text if isinstance(node, Scalar) else "", ())
    if not node.items:
        reader.note("error-empty", "an empty array names no code", where)
    code, *params = read_texts(reader, node, where) or [""]
    note_code(reader, code, where)
    return Failure(code, tuple(params))


def note_code(reader: StrictReader, code: str, where: str) -> None:
    """Note an error's code that is none: prose, or a code of the list in letters of another case.

    Servers have codes of their own, of whatever form; none of them has white space in it.
    """
    listed = reader.api.errors if reader.api is not None else {}
    if any(char.isspace() for char in code) or (code not in listed and code.upper() in listed):
        reader.note("error-code-form", f"{shown(code)} where an error's code belongs", where)


def read_texts(reader: StrictReader, node: Array, where: str) -> list[str]:
    """Return the texts of an array of strings, noting the items that are none."""
    texts = []
    for at, each in enumerate(node.items):
        if isinstance(each, Scalar) and each.tag in reader.spelling.text:
            texts.append(each.text)
            continue
        reader.note("error-not-text", f"{describe(each)} where a string belongs", f"{where}[{at}]")
        texts.append(each.text if isinstance(each, Scalar) else str(plain(each)))
    return texts


def encode_xml_value(of: Type, value: Value, api: Api | None = None) -> str:
    """Return a value as a lone `<value>` element, the form of a task's result in every format."""
    return write(of, value, XmlSpeller(bare=True), api)


def decode_xml_value(text: str, of: Type | None, api: Api | None = None) -> Reply:
    """Return what a lone `<value>` element holds, as a success or a breach, with its flaws; never raises.

    A task of a message without result may leave the text empty.
    """
    reader = StrictReader(XML_SPELLING, api)
    if not text:
        return reply_of(read_result(reader, of, None), reader)
    try:
        root = read_xml(text.encode("utf-8", "surrogatepass"), MAX_REPLY_BYTES)
        node = value_node(root)
    except BadDocument as bad:
        return reply_of(breach_of(bad), reader)
    if root.tag != "value":
        return reply_of(Breach("xml-structure", f"<{root.tag}> where a <value> belongs"), reader)
    return reply_of(read_result(reader, of, node), reader)
