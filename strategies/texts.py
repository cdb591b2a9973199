"""Hand-chosen texts: markup, escapes, white space, forms and cases of letters, words of other types, lengths."""

from __future__ import annotations

LONG_TEXT = 64 * 1024
"""The length of the longest text, in bytes of UTF-8."""

_STRETCH = "\u20ac\U0001f600\u65e5\u00e9\u672c\u8a9e\u2603"
_STRETCHES = "x" * 9 + _STRETCH * (LONG_TEXT // len(_STRETCH.encode()) - 1)
LONGEST = _STRETCHES + "z" * (LONG_TEXT - len(_STRETCHES.encode()))
"""A text of that length. Nothing but characters of two, three and four bytes, 21 bytes to a stretch, so that some lie
across the edges of whatever pieces a server reads or writes it in, be they of 512 bytes or of 16 KiB."""

LONG_PLAIN = "x" * LONG_TEXT
"""A text as long, of as many characters: the first number that 16 bits do not hold."""

TEXTS: tuple[str, ...] = (
    "",
    "a",
    " ",
    "   ",
    " leading",
    "trailing ",
    "two  spaces",
    "\t",
    "tab\tinside",
    "\n",
    "line\nfeed",
    "carriage\rreturn",
    "both\r\nends",
    "\r\n",
    '"double"',
    "'single'",
    "back\\slash",
    "\\",
    "\\n",
    "x&",
    "<",
    ">",
    # What is escaped, with letters and with white space on both sides of it.
    "a<b&c < d\t&\n> ' \" \\ e",
    "]]>",
    "<![CDATA[x]]>",
    "<!-- x -->",
    "&amp;",
    "&lt;",
    "&#65;",
    "%2F",
    "%00",
    "a/b/../c",
    "{}",
    '{"a": [1, null]}',
    "[]",
    "<value><int>1</int></value>",
    "<?xml version='1.0'?>",
    "0",
    "00",
    "-1",
    "1.0",
    "1e3",
    "true",
    "false",
    "null",
    "None",
    "NULL",
    "OpaqueRef:NULL",
    "case",
    "CASE",
    "i",
    "I",
    "\u0130",
    "\u00df",
    "\u00e9",
    "e\u0301",
    "\u212b",
    "\u00c5",
    "\ufb01",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u202eabc\u202c",
    "\u65e5\u672c\u8a9e",
    "\U0001f600",
    "a\U0001f468\u200d\U0001f469\u200d\U0001f467b",
    "\U0010fffd",
    "zero\u200bwidth",
    "\ufeffmark",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u2029",
    "\ufffd",
    "\ue000",
    "\ud7ff",
    "x" * 255,
    "x" * 256,
    "x" * 257,
    "\u00e9" * 256,
    "&&",
    "a,b;c|d",
    "%s%n%%",
    "$1 ${x}",
    "\\u0041",
    "2024-07-01T10:00:00+02:00",
    "20240701T10:00:00Z",
    "12:30",
    "yes",
    "~",
    "NaN",
    # What forms of the web escape, characters of one byte that are letters elsewhere, and a mark at either end.
    "a+b",
    "+1",
    "%41",
    "a%20b",
    "\u0080\u0093\u009f",
    "a\u0085b",
    "mark\ufeff",
    "\u20ac\u201c\u00ff\u0100",
    "\u07ff\u0800\U00010000",
    LONG_PLAIN,
    LONGEST,
)

INNER: frozenset[str] = frozenset({
    "two  spaces", "tab\tinside", "line\nfeed", "carriage\rreturn", "both\r\nends", "a<b&c < d\t&\n> ' \" \\ e",
    "a/b/../c",
    "\u202eabc\u202c", "a\U0001f468\u200d\U0001f469\u200d\U0001f467b", "zero\u200bwidth", "a,b;c|d", "$1 ${x}",
    "%s%n%%", "a+b", "a%20b", "a\u0085b", "\u20ac\u201c\u00ff\u0100", "\u07ff\u0800\U00010000", "\u0080\u0093\u009f",
})  # fmt: skip
"""Texts of which nothing is hard but what stands inside them, wherever that is: they need not be tried alone."""

EDGES: tuple[str, ...] = (
    " lead\t", "\ttab ", "\nline\r\n", "\r\nlines\n", "\ufeffmark\u3000", "\u00a0wide\ufeff", '"double"', "'single'",
    "\\back\\", "<angle>", "&and&", "%41+",
)  # fmt: skip
"""Texts with hard characters at both ends, where servers are known to cut, trim and unquote."""
