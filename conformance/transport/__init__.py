"""The way to a server: bytes over HTTP, with a deadline on everything and no exception for what a server does."""

from xenconform.conformance.transport.base import (
    MAX_BODY,
    MAX_HEAD,
    HttpReply,
    Result,
    Transport,
    TransportTrouble,
    Trouble,
)
from xenconform.conformance.transport.dial import Tls
from xenconform.conformance.transport.requests_ import RequestsTransport
from xenconform.conformance.transport.sockets import SocketTransport

__all__ = [
    "MAX_BODY",
    "MAX_HEAD",
    "HttpReply",
    "RequestsTransport",
    "Result",
    "SocketTransport",
    "Tls",
    "Transport",
    "TransportTrouble",
    "Trouble",
]
