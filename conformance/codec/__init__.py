"""The three wire formats, sans-IO: the same codecs serve the client, the reference server and the fuzzer.

`codec_for(format)` gives a `Codec`. Replies are read strictly (`Reply` with its flaws), calls leniently (`read_param`).
"""

from xenconform.conformance.codec.base import Codec, DecodedCall, Ident, Param
from xenconform.conformance.codec.jsonrpc import JsonRpcCodec
from xenconform.conformance.codec.lenient import BadText, WrongType, checked_text, read_param
from xenconform.conformance.codec.spelling import plain
from xenconform.conformance.codec.times import format_datetime, parse_datetime
from xenconform.conformance.codec.tree import (
    MAX_CALL_BYTES,
    MAX_DEPTH,
    MAX_REPLY_BYTES,
    RAW,
    Array,
    Node,
    Scalar,
    Struct,
)
from xenconform.conformance.codec.writing import Ints
from xenconform.conformance.codec.xmlrpc import XmlRpcCodec, decode_xml_value, encode_xml_value
from xenconform.conformance.codec.xmltree import Uncarriable, carriable
from xenconform.models.calls import Format

__all__ = [
    "MAX_CALL_BYTES",
    "MAX_DEPTH",
    "MAX_REPLY_BYTES",
    "RAW",
    "Array",
    "BadText",
    "Codec",
    "DecodedCall",
    "Ident",
    "Ints",
    "Node",
    "Param",
    "Scalar",
    "Struct",
    "Uncarriable",
    "WrongType",
    "carriable",
    "checked_text",
    "codec_for",
    "decode_xml_value",
    "encode_xml_value",
    "format_datetime",
    "parse_datetime",
    "plain",
    "read_param",
]

_CODECS: dict[Format, Codec] = {
    Format.XMLRPC: XmlRpcCodec(),
    Format.JSONRPC1: JsonRpcCodec(Format.JSONRPC1),
    Format.JSONRPC2: JsonRpcCodec(Format.JSONRPC2),
}


def codec_for(over: Format) -> Codec:
    """Return the codec of a wire format."""
    return _CODECS[over]
