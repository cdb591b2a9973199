"""The table of planted defects, and of what a conforming server may do otherwise than the reference server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wire_bench import Defect
from wire_defects import (
    JSON1,
    JSON2,
    XML,
    Clock,
    ForgetsToAsk,
    SessionsByFormat,
    TakesForRetries,
    as_version_1,
    backwards,
    bad_request,
    code_zero,
    int_as_text,
    json_members,
    keeps_sessions,
    later,
    lenient_with_json,
    refuses,
    refuses_native_ints,
    renamed,
    reply_changed,
    request_changed,
    results_changed,
    rounded,
    runs_notifications,
    short_float,
    silent_when_malformed,
    sub,
    succeeds_instead_of,
    typed_as_html,
    without,
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A defect, the classes to show it on, the clause that must catch it, the others that rightly do as well."""

    name: str
    clause: str
    cls: str
    defect: Callable[[], Defect]
    also: frozenset[str] = frozenset()


def _planted(name: str, clause: str, cls: str, defect: Defect, *also: str) -> Planted:
    return Planted(name, clause, cls, lambda: defect, frozenset(also))


def planted() -> Iterator[Planted]:
    """Every planted defect."""
    yield from _values()
    yield from _envelopes()
    yield from _calls()
    yield Planted(
        "sessions by format", "WIRE-SESSION-SHARED", "secret", SessionsByFormat, frozenset({"SESSION-LOGOUT"})
    )
    yield Planted("getters taken for retries", "SET-VALUE", "network", TakesForRetries)
    yield Planted("session not asked for", "SESSION-REQUIRED", "secret", ForgetsToAsk, frozenset({"SESSION-LOGOUT"}))
    yield _planted(
        "logout without effect", "SESSION-LOGOUT", "secret", keeps_sessions, "SESSION-REQUIRED", "WIRE-ARITY"
    )
    yield _planted(
        "any password will do",
        "SESSION-LOGIN",
        "secret",
        request_changed(lambda body: body.replace(b"password-not", b"password")),
    )


def _values() -> Iterator[Planted]:
    tagged = sub(r"(<name>Value</name><value>)(\d+)</value>", r"\1<i4>\2</i4></value>")
    yield _planted("ints as <i4>", "WIRE-INT-XML", "network", reply_changed(tagged, XML, to="get_MTU"))
    yield _planted(
        "ints through a double",
        "WIRE-INT-JSON",
        "VM",
        reply_changed(sub(r"\b\d{16}\b", rounded), JSON1, JSON2, to="VM."),
    )
    quoted = sub(r'"result":(\d+)', r'"result":"\1"')
    yield _planted("ints in two spellings", "WIRE-INT-JSON", "network", reply_changed(quoted, JSON2, to="get_MTU"))
    yield _planted("native ints refused", "WIRE-INT-REQUEST", "network", refuses_native_ints)
    six = sub(r"(<double>)([-+.e0-9]+)(</double>)", short_float)
    yield _planted("floats with six digits", "WIRE-FLOAT", "VM", reply_changed(six, XML, to="get_HVM"))
    nan = sub(r"(?<=<double>)(?i:nan|-?inf|-?infinity)(?=</double>)|(?<=[,\[])-?(?:NaN|Infinity)(?=[,\]])", "1.0")
    yield _planted("NaN becomes 1", "WIRE-FLOAT-SPECIAL", "VM", request_changed(nan))
    beyond = request_changed(sub(r"-?1e999", "2.5"))
    yield _planted("numbers beyond doubles become 2.5", "WIRE-FLOAT-SPECIAL", "VM", beyond)
    bools = sub(r"<boolean>(\d)</boolean>", r"<i4>\1</i4>")
    yield _planted("bools as ints", "WIRE-BOOL", "VM", reply_changed(bools, XML, to="get_"))
    hour = sub(r"(\d{8})T(\d\d)", later)
    yield _planted("local time", "WIRE-DATETIME", "VMSS", reply_changed(hour, JSON2, to="get_last"))
    padded = sub(r"(T\d\d:\d\d:\d\d)\.0+", r"\1.")
    yield _planted("fractions without zeros", "WIRE-DATETIME", "VMSS", reply_changed(padded, JSON1, to="get_last"))
    mark = sub(r'(set_name_description.*")\\ufeff', r"\1")
    yield _planted("a mark cut off a later text", "WIRE-STRING", "network", request_changed(mark))
    for name, change in {
        "& dropped": sub("&amp;", ""),
        "escaped twice": sub("&amp;", "&amp;amp;"),
        "white space cut": sub(r" </value>", "</value>"),
        "CR LF to LF": sub(r"&#13;|&#xD;|\r", ""),
    }.items():
        yield _planted(name, "WIRE-STRING", "network", reply_changed(change, XML, to="get_name"))
    astral = sub(r"(set_name.*)\\ud83d\\u[0-9a-f]{4}", r"\1?")
    yield _planted("astral dropped", "WIRE-STRING", "network", request_changed(astral), "WIRE-JSON-ID-ECHO")
    controls = request_changed(sub(r"\\u0000|\\u00[01][0-9a-f]", ""))
    yield _planted("controls dropped", "WIRE-STRING", "network", controls, "SESSION-LOGIN", "WIRE-METHOD-UNKNOWN")
    upper = sub(r">(destroy|restart)<", lambda found: found[0].upper())
    yield _planted("enums in capitals", "WIRE-ENUM", "VM", reply_changed(upper, XML, to="get_actions"))
    yield _planted("names outside the enum", "WIRE-ENUM", "tunnel", succeeds_instead_of("", to="no_such_value"))
    scalar = sub(r"<array><data>(<value>[^<]*</value>)</data></array>", r"\1")
    unwrapped = sub(r"<value><value>([^<]*)</value></value>", r"<value>\1</value>")
    yield _planted(
        "a set of one as a scalar", "WIRE-SET", "network", reply_changed(lambda b: unwrapped(scalar(b)), XML, to="tags")
    )
    nothing = sub(r'"result":\[\]', '"result":""')
    yield _planted("an empty set as text", "WIRE-SET", "network", reply_changed(nothing, JSON1, to="get_tags"))
    no_map = sub(r'"result":\{\}', '"result":[]')
    yield _planted("an empty map as array", "WIRE-MAP", "network", reply_changed(no_map, JSON2, to="get_other"))
    label = sub(r'("name_description":")', r"\1changed ")
    yield _planted(
        "a format shows another value", "WIRE-AGREE", "network", reply_changed(label, JSON2, to="get_record")
    )
    nil = sub(
        r"<value></value></member></struct>|<value/></member></struct>", "<value><nil/></value></member></struct>"
    )
    yield _planted("void as nil", "WIRE-VOID", "network", reply_changed(nil, XML, to="set_"))


def _envelopes() -> Iterator[Planted]:
    status = sub("<value>Success</value>", "<value>OK</value>")
    yield _planted("Status OK", "WIRE-XML-ENVELOPE", "network", reply_changed(status, XML, to="network.get_uuid"))
    no_error = json_members(without("error"))
    yield _planted(
        "no error member", "WIRE-JSON1-ENVELOPE", "network", reply_changed(no_error, JSON1, to="network.get_uuid")
    )
    zero = json_members(code_zero)
    yield _planted("error code 0", "WIRE-JSON2-ENVELOPE", "network", reply_changed(zero, JSON2, to="network.get_uuid"))
    one = json_members(as_version_1)
    yield _planted(
        "2.0 answered as 1.0",
        "WIRE-JSON-VERSION",
        "network",
        reply_changed(one, JSON2, to="get_all"),
        "WIRE-JSON2-ENVELOPE",
    )
    yield _planted(
        "any version will do",
        "WIRE-JSON-VERSION",
        "network",
        request_changed(sub('"jsonrpc": ?"3.0"', '"jsonrpc": "2.0"')),
    )
    yield _planted("replies typed as HTML", "WIRE-XML-CONTENT-TYPE", "secret", typed_as_html)
    text = sub(r'"id": ?(\d+)', r'"id":"\1"')
    yield _planted("ids as text", "WIRE-JSON-ID-ECHO", "secret", reply_changed(text, JSON2, to="get_all"))
    doubles = sub(r'(?<="id":)\d{16}', rounded)
    yield _planted("ids through a double", "WIRE-JSON-ID-ECHO", "secret", reply_changed(doubles, JSON1, to="get_all"))
    yield _planted("notifications run", "WIRE-JSON-NO-NOTIFICATION", "secret", request_changed(runs_notifications))


def _calls() -> Iterator[Planted]:
    yield _planted(
        "unknown methods succeed", "WIRE-METHOD-UNKNOWN", "network", succeeds_instead_of("MESSAGE_METHOD_UNKNOWN")
    )
    yield _planted(
        "another code", "WIRE-METHOD-UNKNOWN-CODE", "network", renamed("MESSAGE_METHOD_UNKNOWN", "NO_METHOD")
    )
    extra = sub(r'<param><value><string>extra</string></value></param>|,"extra"', "")
    yield _planted("extra parameters ignored", "WIRE-ARITY", "network", request_changed(extra), "WIRE-ARITY-CODE")
    yield _planted("another code", "WIRE-ARITY-CODE", "network", renamed("MESSAGE_PARAMETER_COUNT_MISMATCH", "COUNT"))
    loose = sub(r"<boolean>1</boolean>", "<string>1</string>")
    yield _planted("bools taken as text", "WIRE-TYPE", "secret", request_changed(loose, XML))
    yield _planted("another code", "WIRE-TYPE-CODE", "network", renamed("FIELD_TYPE_ERROR", "INTERNAL_ERROR"))
    yield _planted("trailing garbage taken", "WIRE-MALFORMED", "secret", lenient_with_json)
    yield _planted(
        "no answer to what is malformed",
        "WIRE-MALFORMED",
        "secret",
        silent_when_malformed,
        "WIRE-JSON-NO-NOTIFICATION",
        "WIRE-JSON-VERSION",
    )


def choices() -> Iterator[tuple[str, str, tuple[str, ...], Callable[[], Defect]]]:
    """What the documents leave open, with a class and the clauses to show it on, none for all."""
    writing = ("WIRE-STRING", "WIRE-SET", "WIRE-VOID", "WIRE-MAP")
    string = sub(r"<value>([^<]*)</value>", r"<value><string>\1</string></value>")
    yield "strings with their tag", "VM", (), lambda: reply_changed(string, XML)
    yield "ints as text in JSON", "VM", (), lambda: results_changed(int_as_text)
    yield "sets in another order", "network", (), lambda: results_changed(backwards)
    yield "malformed documents get 400", "secret", (), lambda: bad_request
    whole = sub(r"(T\d\d:\d\d:\d\d)\.\d+", r"\1")
    yield "clocks of whole seconds", "VMSS", ("WIRE-DATETIME",), lambda: reply_changed(whole)
    yield "time goes on", "host_metrics", (), Clock
    yield "a domain of its own", "network", writing, lambda: refuses("network.set_name_label", "INVALID_VALUE")
    yield "a licence is missing", "network", writing, lambda: refuses("network.set_tags", "LICENSE_RESTRICTION")
