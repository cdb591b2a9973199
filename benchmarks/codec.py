"""Microseconds of CPU a call of each codec's four parts: a small call, and the record of the class with most fields.

Run: python benchmarks/codec.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time_ns

from xenconform.conformance.codec import codec_for
from xenconform.models.api import Api
from xenconform.models.calls import Format, Success
from xenconform.models.types import DateTime, MapOf, RecordOf, RefTo, SetOf, Str, Type
from xenconform.models.values import Value, default_of

TARGET_NS = 200_000_000


def microseconds(do: Callable[[], object]) -> float:
    """Return the CPU time of one call, the best of three rounds."""
    do()
    count, best = 1, 0
    while best < TARGET_NS // 10:
        count *= 2
        best = _round(do, count)
    return min(best, _round(do, count), _round(do, count)) / count / 1000


def _round(do: Callable[[], object], count: int) -> int:
    start = process_time_ns()
    for _ in range(count):
        do()
    return process_time_ns() - start


def sample(of: Type) -> Value:
    """Return a value of a type as a server may write it."""
    match of:
        case RefTo():
            return "OpaqueRef:178a1d7a-523f-46e8-914a-a30112950321"
        case SetOf(RefTo()):
            return ("OpaqueRef:178a1d7a-523f-46e8-914a-a30112950321", "OpaqueRef:NULL")
        case MapOf(Str(), Str()):
            return {"vendor": "x", "platform-feature": "1"}
        case DateTime():
            return default_of(of)
        case _:
            return default_of(of)


def main() -> int:
    """Print a line for each format."""
    api = Api.load()
    cls = max(api.classes.values(), key=lambda each: len(each.fields))
    of = RecordOf(cls.name)
    record = {name: sample(field.type) for name, field in cls.fields.items()}
    params: list[tuple[Type | None, Value]] = [(Str(), "OpaqueRef:1"), (Str(), "OpaqueRef:2"), (Str(), "value")]
    print(f"µs a call; a {cls.name} record has {len(cls.fields)} fields")
    print(f"{'':10}{'encode call':>14}{'decode call':>14}{'encode record':>16}{'decode record':>16}")
    for over in Format:
        codec = codec_for(over)
        call = codec.encode_call("VM.set_name_label", params)
        reply = codec.encode_reply(Success(record), of, 1, api)
        assert codec.decode_reply(reply, of, 1, api).flaws == ()
        times = [
            microseconds(lambda: codec.encode_call("VM.set_name_label", params)),  # noqa: B023 - run at once
            microseconds(lambda: codec.decode_call(call)),  # noqa: B023 - run at once
            microseconds(lambda: codec.encode_reply(Success(record), of, 1, api)),  # noqa: B023 - run at once
            microseconds(lambda: codec.decode_reply(reply, of, 1, api)),  # noqa: B023 - run at once
        ]
        print(f"{over:10}{times[0]:14.1f}{times[1]:14.1f}{times[2]:16.1f}{times[3]:16.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
