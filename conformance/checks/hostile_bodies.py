"""Level 5, hostile documents: depth, length, broken text, what errors give away, and whether it all goes on.

Every request here is small enough for a server of any size; what is judged is what any sound server owes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

from xenconform.conformance.checks.bare import head, talk
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.hostile_leaks import NOWHERE, judge_silent
from xenconform.conformance.checks.hostile_scene import Scene, scene, succeeded, timed_out, turned_down
from xenconform.conformance.checks.hostile_texts import broken_text_elsewhere
from xenconform.conformance.checks.judging import Unavailable, describe, show
from xenconform.conformance.checks.malformed import malformed
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.codec import Param, codec_for
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import RefTo, Str

DEPTHS = (50, 400, 3_000)
LONG = (70_000, 600_000)
"""Bytes of long texts, names and numbers."""
HEAVY = (1_500_000, 5_000_000)
"""Bytes of bodies beyond what servers often take, by turns of the formats."""
HUGE = 999_999_999
"""An exponent: whoever writes such a number out has no end of figures."""
WIDE = 5_000
"""Members of wide sets and maps, and parameters, within what a small server reads."""


def depth_and_size_are_bounded(bench: Bench) -> None:
    """Deep and long documents are answered in bounded time. Source: good practice in security."""
    for fmt in bench.formats:
        with bench.judging("ROBUST-DEPTH-SIZE", "server", fmt) as judge, scene(bench, judge) as here:
            for what, body in _large(here):
                exchange = here.send(body)
                judge.true(not timed_out(exchange), f"{what} is answered in time", describe(exchange), exchange)
                slow = exchange.elapsed > here.patience + here.bench.client.deadline / 4
                judge.true(not slow, f"{what} takes no long time", f"{exchange.elapsed:.1f} s", exchange)
                here.judge_alive(judge, what, exchange)
                if turned_down(exchange):
                    now, seen = here.read()
                    judge.true(now == "xenconform", f"{what} is refused and writes nothing", show(now), exchange, seen)
                here.write("xenconform")


def _large(here: Scene) -> Iterator[tuple[str, bytes]]:
    marker = "DEEP"
    body = here.writing(marker)
    xml = here.fmt is Format.XMLRPC
    value = f"<value><string>{marker}</string></value>".encode() if xml else f'"{marker}"'.encode()
    nests = {
        "arrays": (b"<value><array><data>", b"</data></array></value>") if xml else (b"[", b"]"),
        "structs": (
            (b"<value><struct><member><name>a</name>", b"</member></struct></value>") if xml else (b'{"a":', b"}")
        ),
    }
    for depth in DEPTHS:
        for what, (begin, end) in nests.items():
            yield f"{depth:,} {what} in each other", body.replace(value, begin * depth + value + end * depth)
    deep = DEPTHS[-1] * 30
    if not xml:
        yield f"{deep:,} arrays that never end", body.partition(value)[0] + b"[" * deep
    for size in LONG:
        yield f"a text of {size:,} characters", here.writing("x" * size)
        number = b"9" * size
        yield (
            f"a number of {size:,} digits",
            body.replace(value, b"<value><int>%b</int></value>" % number if xml else number),
        )
        name = f"{here.obj.cls}.set_{here.field}".encode()
        yield f"a method's name of {size:,} characters", body.replace(name, name + b"x" * size)
        for mark in (b"_", b"."):
            what = f"a method's name of {size // 2:,} {mark.decode()!r}"
            yield what, body.replace(name, b"a%b" % mark * (size // 2))
    number = f"1e{HUGE}".encode()
    yield (
        f"a number with the exponent {HUGE:,}",
        body.replace(value, b"<value><double>%b</double></value>" % number if xml else number),
    )
    query = f"{'(' * DEPTHS[-1]}true{')' * DEPTHS[-1]}"
    asked: list[Param] = [(RefTo("session"), here.bench.client.session), (Str(), query)]
    yield (
        f"a query of {DEPTHS[-1]:,} brackets in each other",
        codec_for(here.fmt).encode_call(f"{here.obj.cls}.get_all_records_where", asked),
    )
    mark = b"&amp;" if xml else b"\\u0041"
    yield f"a text of {LONG[0]:,} marks", body.replace(marker.encode(), mark * LONG[0])
    yield "white space around a call", b" " * LONG[-1] + body
    heavy = HEAVY[here.bench.formats.index(here.fmt) % len(HEAVY)]
    yield f"a text of {heavy:,} characters", here.writing("x" * heavy)
    yield from _wide(here, value, body)


def _wide(here: Scene, value: bytes, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield documents that are wide: many parameters, many members; and deep ones in a record for a constructor."""
    xml = here.fmt is Format.XMLRPC
    if xml:
        member = "<member><name>k{0}</name><value>x</value></member>"
        members = "".join(member.format(n) for n in range(WIDE))
        struct = f"<value><struct>{members}</struct></value>".encode()
        array = b"<value><array><data>" + b"<value>x</value>" * WIDE + b"</data></array></value>"
        yield f"{WIDE:,} parameters too many", body.replace(b"</params>", b"<param><value>x</value></param>" * WIDE
                                                            + b"</params>")  # fmt: skip
    else:
        struct = json.dumps({f"k{n}": "x" for n in range(WIDE)}).encode()
        array = json.dumps(["x"] * WIDE).encode()
        yield f"{WIDE:,} parameters too many", body.replace(value, value + b',"x"' * WIDE)
    yield f"a struct of {WIDE:,} members", body.replace(value, struct)
    yield f"an array of {WIDE:,} members", body.replace(value, array)
    deep = _DEEP_XML if xml else _DEEP_JSON
    for depth in DEPTHS:
        record = deep[0] * depth + value + deep[1] * depth
        params: list[Param] = [(RefTo("session"), here.bench.client.session), (Str(), "DEEP")]
        create = codec_for(here.fmt).encode_call(f"{here.obj.cls}.create", params)
        yield f"a record of {depth:,} structs in each other", create.replace(value, record)


_DEEP_XML = (b"<value><struct><member><name>name_label</name>", b"</member></struct></value>")
_DEEP_JSON = (b'{"name_label":', b"}")


def broken_text_is_not_altered(bench: Bench) -> None:
    """Text that is no Unicode, or that XML cannot carry, is refused or kept. Source: RFC 8259, section 8."""
    for fmt in bench.formats:
        with bench.judging("ROBUST-UNICODE", "server", fmt) as judge, scene(bench, judge) as here:
            for what, raw, kept in _broken(fmt):
                exchange = here.send(here.writing("BROKEN").replace(b"BROKEN", raw))
                over = fmt if fmt is not Format.XMLRPC else next((f for f in bench.formats if f is not fmt), fmt)
                seen = bench.call(over, f"{here.obj.cls}.get_{here.field}", here.obj.ref)
                outcome = seen.reply.outcome
                now = outcome.value if isinstance(outcome, Success) else ""
                if succeeded(exchange):
                    judge.true(now == kept, f"{what} is refused, or kept", _told(seen), exchange, seen)
                else:
                    judge.true(
                        now == "xenconform", f"{what} is refused and writes nothing", _told(seen), exchange, seen
                    )
                here.write("xenconform")
            broken_text_elsewhere(here, judge, list(_broken(fmt)))
            here.judge_alive(judge, "broken text")


def _told(exchange: Exchange) -> str:
    return describe(exchange)[:200]


def _broken(fmt: Format) -> Iterator[tuple[str, bytes, str | None]]:
    """Yield broken text as bytes inside a document, and what it is where it is kept; None where nothing may be kept."""
    for what, raw in {
        "a byte that starts no character": b"a\xffb",
        "a character that is cut": b"a\xc3b",
        "a continuation byte alone": b"a\x80b",
        "a slash that is written too long": b"a\xc0\xafb",
        "a surrogate in UTF-8": b"a\xed\xa0\x80b",
        "two surrogates in UTF-8": b"a\xed\xa0\xbd\xed\xb8\x80b",
        "a NUL of two bytes": b"a\xc0\x80b",
        "a character beyond the last": b"a\xf4\x90\x80\x80b",
    }.items():
        yield what, raw, None
    if fmt is Format.XMLRPC:
        for number in (0, 1, 8, 0x1F, 0xFFFE, 0xD800, 0x110000):
            yield f"a reference to character {number:#x}", f"a&#{number};b".encode(), None
        yield "a control character", b"a\x01b", None
        return
    for text in ("\\ud800", "\\udc00\\ud800", "\\udfff"):
        lone = text.encode().decode("unicode_escape")
        yield f"the lone surrogate {text}", f"a{text}b".encode(), f"a{lone}b"
    for number in (0, 1, 8, 0x1F):
        yield f"the escaped character {number:#x}", f"a\\u{number:04x}b".encode(), f"a{chr(number)}b"
    yield "a raw control character", b"a\x01b", "a\x01b"


def errors_give_nothing_away(bench: Bench) -> None:
    """Replies to bad input show no trace, path or session. Source: good practice in security."""
    for fmt in bench.formats:
        with bench.judging("ROBUST-NO-LEAK", "server", fmt) as judge, scene(bench, judge) as here:
            method = f"{here.obj.cls}.set_{here.field}".encode()
            bad = dict(malformed(fmt, here.listing, bench.client.session))
            for what, (old, new) in {
                "an unknown method": (method, method + b"_not"),
                "an unknown ref": (here.obj.ref.encode(), b"OpaqueRef:none"),
                "an unknown session": (bench.client.session.encode(), b"OpaqueRef:none"),
                "a number for a text": _number(fmt),
                "a very long text": (b"LEAK", b"x" * 20_000),
                "a format string": (b"LEAK", b"%s%n%x{0}{}${x}"),
                "a quote": (b"LEAK", b"';--"),
            }.items():
                bad[what] = here.writing("LEAK").replace(old, new)
            bad["a document of two bytes"] = b"<x" if fmt is Format.XMLRPC else b"{x"
            for what, exchange in _other_pages(here):
                judge_silent(judge, what, exchange)
            theirs = opened(bench, fmt)
            for what, body in bad.items():
                bench.call(fmt, here.listing, session=theirs)  # What is left of it in a buffer is not to be shown.
                exchange = here.send(body)
                if not succeeded(exchange):
                    judge_silent(judge, what, exchange)
                    shown = theirs.encode() in exchange.received
                    judge.true(not shown, f"the reply to {what} shows no other call", "it shows its session", exchange)
                if judge.failed:
                    break
            bench.call(fmt, "session.logout", session=theirs)


def _other_pages(here: Scene) -> Iterator[tuple[str, Exchange]]:
    """Yield replies that are no calls': to what goes nowhere, and to what does not post."""
    for path in (NOWHERE, "/../../etc/passwd"):
        yield f"a call to {path}", here.send(here.asking(), path)
    with suppress(Unavailable):
        for method in ("GET", "NONE"):
            request = head(here.bench, here.fmt, method=method, typed=False)
            yield f"a {method}", talk(here.bench, here.fmt, (request,), here.patience, half_close=True)


def _number(fmt: Format) -> tuple[bytes, bytes]:
    return (b"<string>LEAK</string>", b"<double>1.5</double>") if fmt is Format.XMLRPC else (b'"LEAK"', b"1.5")


def it_goes_on(bench: Bench) -> None:
    """After what is no call a good call is answered in its usual time. Source: RFC 9110."""
    for fmt in bench.formats:
        with bench.judging("ROBUST-ALIVE", "server", fmt) as judge, scene(bench, judge) as here:
            for what, body in malformed(fmt, here.listing, bench.client.session):
                exchange = here.send(body)
                judge.true(not timed_out(exchange), f"{what} is answered in time", describe(exchange), exchange)
                here.judge_alive(judge, what, exchange, body=body)
                if judge.failed:
                    break  # One is enough, and each takes its time.
            for what, raw, _ in () if judge.failed else _broken(fmt):
                body = here.writing("BROKEN").replace(b"BROKEN", raw)
                if not here.judge_alive(judge, what, here.send(body), body=body):
                    break


def refused_requests_change_nothing(bench: Bench) -> None:
    """A request that is turned down has written nothing. Source: error handling."""
    for fmt in bench.formats:
        with bench.judging("ROBUST-NO-EFFECT", "server", fmt) as judge, scene(bench, judge) as here:
            good = here.writing("written all the same")
            setter = f"{here.obj.cls}.set_{here.field}".encode()
            requests: dict[str, tuple[bytes, str | None]] = {
                "a call to no path of the API": (good, NOWHERE),
                "a call to a path with dots": (good, "/../../etc"),
                "a call in UTF-16": (good.decode().encode("utf-16"), None),
                "a call behind a byte order mark": (b"\xef\xbb\xbf" + good, None),
                "a call and one byte more": (good + b"!", None),
                "a call behind a NUL": (b"\0" + good, None),
                "a call with a NUL behind it": (good + b"\0", None),
                "a call cut in its last byte": (good[:-1], None),
                "a call with one parameter too many": (_one_more(fmt, good), None),
                "a call of a method nearly so named": (good.replace(setter, setter + b" "), None),
            }
            for what, (body, path) in requests.items():
                exchange = here.send(body, path)
                if not succeeded(exchange):
                    now, seen = here.read()
                    judge.true(now == "xenconform", f"{what} is refused and writes nothing", show(now), exchange, seen)
                here.write("xenconform")


def _one_more(fmt: Format, good: bytes) -> bytes:
    if fmt is Format.XMLRPC:
        return good.replace(b"</params>", b"<param><value>x</value></param></params>")
    return good.replace(b"],", b',"x"],', 1)


CHECKS: tuple[Check, ...] = (
    Check("ROBUST-ALIVE", per_server=it_goes_on),
    Check("ROBUST-NO-EFFECT", per_server=refused_requests_change_nothing),
    Check("ROBUST-NO-LEAK", per_server=errors_give_nothing_away),
    Check("ROBUST-DEPTH-SIZE", per_server=depth_and_size_are_bounded),
    Check("ROBUST-UNICODE", per_server=broken_text_is_not_altered),
)
