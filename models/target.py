"""Where a server is: the address a person gives, taken apart once."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from xenconform.models.calls import Format

_PORTS = {"http": 80, "https": 443}
_SOCKET_PATH_MAX = 107
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9.])?")
_PATH = re.compile(r"/[!-~]*")
_FORMS = "give http://HOST[:PORT][/PATH], https://HOST[:PORT][/PATH], HOST[:PORT] or unix:///PATH/TO/SOCKET"


@dataclass(frozen=True, slots=True)
class Target:
    """A server's address.

    `scheme` is http, https or unix. `host` is a name or an IP address without brackets and `port` is set for http and
    https; `socket` is the file of a unix socket. `path` is the URL's own path, or None where none was given.
    """

    scheme: str
    host: str = ""
    port: int = 0
    socket: str = ""
    path: str | None = None

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.socket}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path or ''}"

    @property
    def authority(self) -> str:
        """The value of the Host header: no default port, IPv6 in brackets without its zone, localhost for a socket.

        Source: RFC 9110, section 7.2; RFC 6874, section 1 (a zone is of this node alone).
        """
        if self.scheme == "unix":
            return "localhost"
        host = self.host.partition("%")[0]
        host = f"[{host}]" if ":" in host else host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def path_for(self, format: Format) -> str:  # noqa: A002 - the project's word for the three wire formats
        """Return the path to post to: the URL's own where one was given, else / for XML-RPC and /jsonrpc for JSON."""
        if self.path is not None:
            return self.path
        return "/" if format is Format.XMLRPC else "/jsonrpc"


def parse_target(text: str) -> Target:
    """Return the target that `text` names.

    Forms: `http://host[:port][/path]`, `https://…`, `host`, `host:port`, `unix:///path/to.sock`,
    `http+unix://%2Fpath%2Fto.sock[/path]`. Without a scheme it is http where the host is this machine itself
    (localhost, 127.0.0.0/8, ::1) and https everywhere else. A path of `/` alone counts as none.

    Raises:
        ValueError: the text names no server; the message says what is wrong and what to write. A password that
            stands in the text is not repeated.
    """
    text = text.strip()
    if not text.isprintable():  # urlsplit would drop some of these without a word
        raise ValueError(f"control characters in the address {_masked(text)!r}: {_FORMS}")
    if text.startswith("unix:"):
        return _unix(text, unquote(text.removeprefix("unix:").removeprefix("//")), None)
    if not _SCHEME.match(text):
        text = _with_scheme(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"not the address of a server: {_masked(text)!r} ({error}); {_FORMS}") from None
    if "@" in parts.netloc:
        raise ValueError(
            f"credentials in the address {_masked(text)!r}: leave them out and give --user and --password-file",
        )
    if parts.query or parts.fragment:
        raise ValueError(f"a query or fragment in the address {text!r}: leave out what follows the path")
    path = _path(text, parts.path)
    if parts.scheme == "http+unix":
        return _unix(text, unquote(parts.netloc), path)
    if parts.scheme not in _PORTS:
        raise ValueError(f"unknown scheme in {text!r}: {_FORMS}")
    if port == 0:
        raise ValueError(f"port 0 in the address {text!r}: give a port from 1 to 65535")
    return Target(parts.scheme, _host(text, parts.hostname or ""), port or _PORTS[parts.scheme], path=path)


def is_loopback(host: str) -> bool:
    """Whether a host, a name or an IP address without brackets, is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _with_scheme(text: str) -> str:
    """Put the scheme before an address that has none; brackets around an IPv6 address that lacks them."""
    if _is_ipv6(text):
        text = f"[{text}]"
    host = urlsplit(f"//{text}").hostname if text.count("[") == text.count("]") else None
    return f"{'http' if is_loopback(host or '') else 'https'}://{text}"


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _host(text: str, host: str) -> str:
    if ":" in host:
        if _is_ipv6(host):
            return host
        raise ValueError(f"not an IPv6 address in {text!r}: write it like http://[2001:db8::1]:80")
    try:
        plain = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        plain = ""
    if not _HOST.fullmatch(plain):
        raise ValueError(f"no host in {text!r}: {_FORMS}")
    return plain


def _path(text: str, path: str) -> str | None:
    if path in {"", "/"}:
        return None
    if not _PATH.fullmatch(path):
        raise ValueError(f"characters that a path cannot carry in {text!r}: write them as %XX")
    return path


def _unix(text: str, socket: str, path: str | None) -> Target:
    if not socket.startswith("/") or "\0" in socket:
        raise ValueError(f"no absolute path of a socket in {text!r}: write it like unix:///run/server.sock")
    size = len(os.fsencode(socket))
    if size > _SOCKET_PATH_MAX:
        raise ValueError(f"the path of the socket in {text!r} has {size} bytes: {_SOCKET_PATH_MAX} is the most")
    return Target("unix", socket=socket, path=path)


def _masked(text: str) -> str:
    """Return the address with what stands before its last @ hidden."""
    head, at, tail = text.rpartition("@")
    return f"{head.partition('://')[0]}://***@{tail}" if at else text
