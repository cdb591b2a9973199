"""What a server said against what it may say: refs to handles, and whether an outcome is one that is expected.

Law: objects that the case did not make count only where they are wanted. Other clients, and the server itself, have
objects too; they may stand in any set or map of references that is compared here, and an object of the case that should
not be there, or should, is seen all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping

from xenconform.models.api import Api
from xenconform.models.calls import Breach, Call, Outcome, Success
from xenconform.models.cases import Expect, Wanted
from xenconform.models.refusals import refuses_null
from xenconform.models.types import Enum, MapOf, RecordOf, RefTo, SetOf, Type
from xenconform.models.values import Handle, Ref, UuidOf, Value, is_null_text, map_refs, null, same


def inward(api: Api, of: Type, value: Value, handles: Mapping[Ref, Handle]) -> Value:
    """Return a value with Handles for the refs that `handles` knows, null handles for null, other refs left as text."""

    def turn(cls: str, ref: Ref) -> Handle | Ref:
        if is_null_text(ref):
            return null(cls)
        known = handles.get(ref)
        return known if known is not None and known.cls == cls else ref

    return _turned(api, of, value, turn)


def outward(value: Value, ref_of: Callable[[Handle], Ref], uuid_of: Callable[[Handle], str]) -> Value:
    """Return a value with the server's refs in place of Handles, and uuids in place of UuidOf, wherever they stand."""
    match value:
        case Handle():
            return ref_of(value)
        case UuidOf(handle):
            return uuid_of(handle)
        case tuple():
            return tuple(outward(each, ref_of, uuid_of) for each in value)
        case dict():
            return {outward(key, ref_of, uuid_of): outward(each, ref_of, uuid_of) for key, each in value.items()}
        case _:
            return value


def handles_in(value: Value) -> Iterator[Handle]:
    """Yield the objects that a value names, null left out; those whose uuid it names too."""
    match value:
        case Handle():
            if not value.is_null:
                yield value
        case UuidOf(handle):
            yield handle
        case tuple():
            for each in value:
                yield from handles_in(each)
        case dict():
            yield from handles_in(tuple(value))
            yield from handles_in(tuple(value.values()))


def in_enums(of: Type, value: Value) -> bool:
    """Whether every text of a value that stands for one of an enum is one; records are not looked into."""
    match of:
        case Enum(_, values):
            return value in values
        case SetOf(item):
            return all(in_enums(item, each) for each in value)
        case MapOf(key, item):
            return all(in_enums(key, k) and in_enums(item, v) for k, v in value.items())
        case _:
            return True


def _turned(api: Api, of: Type, value: Value, turn: Callable[[str, Ref], Handle | Ref]) -> Value:
    match of:
        case RecordOf(cls):
            fields = api.classes[cls].fields
            return {n: _turned(api, fields[n].type, v, turn) if n in fields else v for n, v in value.items()}
        case MapOf(key, RecordOf() as item):
            return {map_refs(key, k, turn): _turned(api, item, v, turn) for k, v in value.items()}
        case _:
            return map_refs(of, value, turn)


def allows(api: Api, call: Call, expect: Expect, outcome: Outcome, known: Container[Handle]) -> bool:
    """Whether an outcome of a call is one that is expected, or the refusal of a null ref that it was given to act on.

    Arguments are as of `meets`; the refusal counts only where the call might have succeeded.
    """
    message = api.message(call.message)
    if expect.wanted is not Wanted.NOTHING and message is not None and refuses_null(message, outcome):
        return True
    return meets(api, expect, outcome, known)


def meets(api: Api, expect: Expect, outcome: Outcome, known: Container[Handle]) -> bool:
    """Whether an outcome, its refs turned inward, is one that is expected; a Breach never is.

    Args:
        api: tells the fields of records.
        expect: what is expected.
        outcome: what came.
        known: the handles of the objects that were made here, those that are gone too.
    """
    if isinstance(outcome, Breach):
        return False
    if not isinstance(outcome, Success):
        return expect.fails_with(outcome.code)
    match expect.wanted:
        case Wanted.NOTHING:
            return False
        case Wanted.ANY:
            return True
        case Wanted.NEW:
            return isinstance(outcome.value, str)
        case Wanted.VALUE:
            return fits(api, expect.type, expect.value, outcome.value, known)


def fits(api: Api, of: Type, want: Value, got: Value, known: Container[Handle]) -> bool:
    """Whether a value is the wanted one: by type, only known objects counting, records for the wanted members only."""
    match of:
        case RefTo():
            return bool(want == got)
        case SetOf(RefTo()):
            wanted_refs = frozenset(each for each in want if isinstance(each, Handle))
            return wanted_refs == frozenset(ref for ref in got if ref in wanted_refs or _counts(ref, known))
        case MapOf(RefTo(), item):
            seen = {key: each for key, each in got.items() if key in want or _counts(key, known)}
            return want.keys() == seen.keys() and all(fits(api, item, v, seen[k], known) for k, v in want.items())
        case RecordOf(cls):
            fields = api.classes[cls].fields
            return all(name in got and fits(api, fields[name].type, v, got[name], known) for name, v in want.items())
        case _:
            return same(of, want, got)


def differing(api: Api, cls: str, want: Mapping[str, Value], got: Value, known: Container[Handle]) -> tuple[str, ...]:
    """Return the members of a wanted record that a record does not have or has otherwise."""
    fields = api.classes[cls].fields
    return tuple(
        name for name, v in want.items() if name not in got or not fits(api, fields[name].type, v, got[name], known)
    )


def _counts(ref: Value, known: Container[Handle]) -> bool:
    return isinstance(ref, Handle) and ref in known
