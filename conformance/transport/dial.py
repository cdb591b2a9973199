"""How a connection is opened: name, address, TLS, all within one deadline."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from xenconform.conformance.transport.base import Trouble
from xenconform.models.target import Target

Address: TypeAlias = tuple[int, Any]
"""An address family and what `socket.connect` takes in it."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust: the system's authorities, those in `cafile` alone, or, with `insecure`, anyone."""

    cafile: str | None = None
    insecure: bool = False


DEFAULT_TLS = Tls()


class NoConnection(Exception):  # noqa: N818 - an answer of the network, no error of ours
    """No connection came about; `kind` and `detail` as in TransportTrouble."""

    kind: Trouble
    detail: str

    def __init__(self, kind: Trouble, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Return the TLS settings of a client.

    Raises:
        ValueError: `cafile` cannot be read or holds no certificate, or is given together with `insecure`.
    """
    if tls.insecure and tls.cafile:
        raise ValueError(f"both a CA file ({tls.cafile!r}) and insecure: give one of them")
    try:
        context = ssl.create_default_context(cafile=tls.cafile)
    except OSError as error:
        raise ValueError(
            f"the CA file {tls.cafile!r} cannot be used: {error}; give a file of PEM certificates"
        ) from None
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def addresses(target: Target, end: float) -> list[Address]:
    """Return where to connect to, the best first.

    Names are looked up in a thread of their own: the system's resolver knows no deadline.

    Raises:
        NoConnection: the name is unknown, or was not found out by `end`, a time of `time.monotonic`.
    """
    if target.scheme == "unix":
        return [(socket.AF_UNIX, target.socket)]
    found: list[Address] = []
    errors: list[str] = []

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            found.extend((info[0], info[4]) for info in infos)
        except (OSError, UnicodeError) as error:
            errors.append(str(error))

    if _is_literal(target.host):
        look_up()
    else:
        thread = threading.Thread(target=look_up, name="look-up", daemon=True)
        thread.start()
        thread.join(max(0.0, end - time.monotonic()))
    if found:
        return list(found)
    if errors:
        raise NoConnection(Trouble.UNREACHABLE, f"no address for {target.host}: {errors[0]}")
    raise NoConnection(Trouble.TIMEOUT, f"no address for {target.host} in time")


def dial(target: Target, where: list[Address], context: ssl.SSLContext | None, end: float) -> socket.socket:
    """Connect to the first address that answers and return the socket, over TLS where there is a context.

    Raises:
        NoConnection: no address answered, or TLS did not come about, by `end`, a time of `time.monotonic`.
    """
    trouble = NoConnection(Trouble.UNREACHABLE, "no address to connect to")
    for at, (family, address) in enumerate(where):
        share = (end - time.monotonic()) / (len(where) - at)
        try:
            sock = _connect(family, address, share)
        except NoConnection as error:
            trouble = error
            continue
        if context is None:
            return sock
        return _secure(sock, context, target.host.partition("%")[0], end)
    raise trouble


@dataclass(slots=True)
class Dialer:
    """Opens bare connections to one server, for bytes that no transport would send."""

    target: Target
    tls: Tls = DEFAULT_TLS
    _context: ssl.SSLContext | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        # Once for all connections: to read the system's authorities takes longer than a handshake.
        self._context = tls_context(self.tls) if self.target.scheme == "https" else None

    def __call__(self, seconds: float) -> socket.socket:
        """Return a connection whose every operation may take so many seconds.

        Raises:
            OSError: none came about in that time; the text says why.
        """
        end = time.monotonic() + seconds
        try:
            sock = dial(self.target, addresses(self.target, end), self._context, end)
        except NoConnection as why:
            raise OSError(why.detail) from why
        sock.settimeout(seconds)
        return sock


def _connect(family: int, address: Any, seconds: float) -> socket.socket:
    if seconds <= 0:
        raise NoConnection(Trouble.TIMEOUT, f"no time left to connect to {_name(address)}")
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect(address)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError:
        sock.close()
        raise NoConnection(Trouble.TIMEOUT, f"no connection to {_name(address)} in {seconds:.3g} s") from None
    except ConnectionRefusedError:
        sock.close()
        raise NoConnection(Trouble.REFUSED, f"nobody listens at {_name(address)}") from None
    except OSError as error:
        sock.close()
        kind = Trouble.RESET if isinstance(error, ConnectionError) else Trouble.UNREACHABLE
        raise NoConnection(kind, f"cannot connect to {_name(address)}: {_reason(error)}") from None
    return sock


def _secure(sock: socket.socket, context: ssl.SSLContext, host: str, end: float) -> ssl.SSLSocket:
    """Return a socket over TLS.

    While bytes that ask for nothing keep coming, a handshake never waits and so never runs out of time: the connection
    is ended under it.
    """
    seconds = max(0.001, end - time.monotonic())
    twin = sock.dup()
    watch = threading.Timer(seconds, _end, [twin])
    watch.daemon = True
    watch.start()
    try:
        sock.settimeout(seconds)
        return context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        detail = f"the certificate is not trusted: {error.verify_message}; give its CA file, or ask for insecure"
        raise NoConnection(Trouble.TLS, detail) from None
    except (OSError, ValueError) as error:
        sock.close()
        if isinstance(error, TimeoutError) or time.monotonic() >= end:
            raise NoConnection(Trouble.TIMEOUT, "no TLS handshake in time") from None
        if isinstance(error, ConnectionResetError):
            raise NoConnection(Trouble.RESET, "reset during the TLS handshake") from None
        raise NoConnection(Trouble.TLS, f"no TLS: {_reason(error)}") from None
    finally:
        watch.cancel()
        watch.join()
        twin.close()


def _end(sock: socket.socket) -> None:
    with suppress(OSError):  # the peer was quicker
        sock.shutdown(socket.SHUT_RDWR)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _name(address: Any) -> str:
    return address if isinstance(address, str) else f"{address[0]} port {address[1]}"


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error)
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
