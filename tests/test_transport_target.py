"""Addresses of servers."""

from __future__ import annotations

import pytest

from xenconform.models.calls import Format
from xenconform.models.target import Target, parse_target


@pytest.mark.parametrize(
    ("text", "target", "authority"),
    [
        ("http://a.example", Target("http", "a.example", 80), "a.example"),
        ("https://a.example:443/", Target("https", "a.example", 443), "a.example"),
        ("HTTPS://A.example:8443/x/y", Target("https", "a.example", 8443, path="/x/y"), "a.example:8443"),
        ("a.example", Target("https", "a.example", 443), "a.example"),
        ("a.example:8080", Target("https", "a.example", 8080), "a.example:8080"),
        ("a.example/api", Target("https", "a.example", 443, path="/api"), "a.example"),
        ("localhost", Target("http", "localhost", 80), "localhost"),
        ("127.0.0.1:8080", Target("http", "127.0.0.1", 8080), "127.0.0.1:8080"),
        ("10.0.0.1", Target("https", "10.0.0.1", 443), "10.0.0.1"),
        ("::1", Target("http", "::1", 80), "[::1]"),
        ("[::1]:8080", Target("http", "::1", 8080), "[::1]:8080"),
        ("2001:db8::1", Target("https", "2001:db8::1", 443), "[2001:db8::1]"),
        ("https://[fe80::1%eth0]:1", Target("https", "fe80::1%eth0", 1), "[fe80::1]:1"),
        ("http://bücher.example", Target("http", "xn--bcher-kva.example", 80), "xn--bcher-kva.example"),
        ("unix:///run/a%20b.sock", Target("unix", socket="/run/a b.sock"), "localhost"),
        ("http+unix://%2Frun%2Fa.sock", Target("unix", socket="/run/a.sock"), "localhost"),
        ("http+unix://%2Frun%2Fa.sock/x", Target("unix", socket="/run/a.sock", path="/x"), "localhost"),
    ],
)
def test_forms(text: str, target: Target, authority: str) -> None:
    """Each form that is documented names its target and the Host header to send."""
    assert parse_target(text) == target
    assert target.authority == authority
    if target.scheme != "unix" or target.path is None:
        assert parse_target(str(target)) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "http://:80",
        "ftp://a.example",
        "http://a.example:port",
        "http://a.example:70000",
        "http://a.example:0",
        "http://a b",
        "http://a.example/a b",
        "http://a.example/é",
        "http://a.example/\r\nX:y",
        "http://a.example/?q=1",
        "http://a.example/#f",
        "http://[::1",
        "http://[zz]/",
        "[[",
        "unix:relative",
        "unix://",
        "unix:///" + "x" * 200,
        "http+unix://relative",
    ],
)
def test_what_names_no_server_is_refused(text: str) -> None:
    """Everything else is a ValueError that says what to write or what is wrong with the text given."""
    with pytest.raises(ValueError, match=r"give|write|leave|most"):
        parse_target(text)


@pytest.mark.parametrize(
    "text", ["http://root:hunter2@a.example", "root:hunter2@a.example", "http://root:hunter2@a.example:port"]
)
def test_credentials_are_refused_and_not_repeated(text: str) -> None:
    """A password in the address is refused, and the error does not show it."""
    with pytest.raises(ValueError, match="address") as caught:
        parse_target(text)
    assert "hunter2" not in str(caught.value)


def test_paths() -> None:
    """A URL's own path is posted to; without one it is / for XML-RPC and /jsonrpc for both JSON formats."""
    bare, own = parse_target("http://a.example"), parse_target("http://a.example/own")
    assert [bare.path_for(each) for each in Format] == ["/", "/jsonrpc", "/jsonrpc"]
    assert [own.path_for(each) for each in Format] == ["/own"] * 3
