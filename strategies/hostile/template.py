"""The little language of hostile cases: text with names in ⟦ ⟧, which becomes bytes.

    ⟦session⟧        what a name stands for at this moment, of this format
    ⟦hex:ff fe⟧      these bytes
    ⟦1000*[⟧         the text behind the star, so many times; itself without ⟦ ⟧
    ⟦size:name⟧      how many bytes a name stands for, in decimal digits
    ⟦utf16:name⟧     what a name stands for, in another encoding: any that Python knows

Text itself is written in UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

Names: TypeAlias = Mapping[str, bytes]
_PLACE: Final = re.compile("⟦([^⟦⟧]*)⟧")
_TIMES: Final = re.compile(r"(\d+)\*(.*)", re.DOTALL)
MOST: Final = 64 * 2**20
"""The most bytes that a template may become."""


def expand(text: str, names: Names) -> bytes:
    """Return the bytes that a template stands for.

    Raises:
        ValueError: a place names nothing, or the whole would be over `MOST` bytes.
    """
    made: list[bytes] = []
    end = 0
    for place in _PLACE.finditer(text):
        made += [text[end : place.start()].encode(), _fill(place[1], names)]
        end = place.end()
    made.append(text[end:].encode())
    if sum(map(len, made)) > MOST:
        raise ValueError(f"the template {text[:60]!r} becomes over {MOST} bytes")
    return b"".join(made)


def templated(data: bytes, names: Names) -> str:
    """Return a template that becomes these bytes again, in which names stand for what is theirs, the longest first."""
    known = {value: name for name, value in sorted(names.items(), reverse=True) if value}
    cut = re.compile(b"(" + b"|".join(map(re.escape, sorted(known, key=len, reverse=True))) + b")") if known else None
    parts = cut.split(data) if cut else [data]
    return "".join(f"⟦{known[part]}⟧" if part in known else _as_text(part) for part in parts)


def _as_text(data: bytes) -> str:
    """Return bytes as text, and what is no text, or would be a place, by its digits."""
    text = data.decode("utf-8", "surrogateescape")
    return re.sub("[⟦⟧\ud800-\udfff]+", lambda odd: f"⟦hex:{_bytes(odd[0]).hex()}⟧", text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def places(text: str) -> frozenset[str]:
    """Return the names that a template uses."""
    found = set()
    for place in _PLACE.findall(text):
        if _TIMES.fullmatch(place):
            continue
        how, colon, name = place.partition(":")
        if how != "hex":
            found.add(name if colon else how)
    return frozenset(found)


def _fill(place: str, names: Names) -> bytes:
    if times := _TIMES.fullmatch(place):
        if int(times[1]) * len(times[2]) > MOST:
            raise ValueError(f"⟦{place[:40]}⟧ becomes over {MOST} bytes")
        return int(times[1]) * times[2].encode()
    how, colon, name = place.partition(":")
    if how == "hex":
        return bytes.fromhex(name)
    wanted = name if colon else how
    if wanted not in names:
        raise ValueError(f"⟦{place}⟧ names nothing; known are {', '.join(sorted(names))}")
    return _ways(how)(names[wanted]) if colon else names[wanted]


def _ways(how: str) -> Callable[[bytes], bytes]:
    if how == "size":
        return lambda data: b"%d" % len(data)
    try:
        "".encode(how)
    except LookupError:
        raise ValueError(f"⟦{how}:…⟧: neither size, hex nor an encoding") from None
    return lambda data: data.decode().encode(how)
