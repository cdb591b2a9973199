"""The kinds of value that level 1 judges: which fields have them, which clause judges them, which values are hard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from xenconform.models import types as t
from xenconform.models.api import ApiClass, Field
from xenconform.models.calls import Format
from xenconform.models.types import Type
from xenconform.models.values import Value
from xenconform.strategies.boundary import LARGE, MANY, boundaries, numbered
from xenconform.strategies.texts import INNER, LONG_PLAIN, LONGEST, TEXTS

SHORT_TEXTS = tuple(text for text in TEXTS if text not in {LONG_PLAIN, LONGEST})
ALL_TEXTS = "\x7c".join(SHORT_TEXTS)
"""Every short text in one: where this comes back, so do its parts, their ends aside."""
NEAR: tuple[tuple[str, ...], ...] = (
    ("", "xc"),
    ("case", "CASE", "Case"),
    ("space", " space", "space ", "sp ace"),
    ("\u00e9", "e\u0301"),
    ("0", "00", "0.0"),
    ("ss", "\u00df", "fi", "\ufb01"),
    ("i", "I", "\u0130", "\u0131"),
    ("a", "a\n", "\ta", "a\u00a0"),
    ("$id", "$type", "@type", "__jsonclass__", "__proto__", "constructor", "length", "$key", "a.b", "a", "a,b"),
    ("Status", "Value", "ErrorDescription", "faultCode", "jsonrpc", "result", "error", "id", "key", "value", "name"),
    tuple("k" * size for size in (63, 64, 127, 128, 254, 255, 256, 257, 511, 512, 513, 1025)),
)
"""Texts that are easily taken for each other, the empty one first: as members of a set and as keys of a map."""
MARKED = ("a&b", "a&amp;b", "<k>", '"', "\\", "\\u0041", "a/b", "%41")
"""Texts that a format writes in another way than others, as keys of a map: names of members may be written apart."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value. `clauses` are those over XML-RPC and over JSON; `types` the types that make a field of it.

    `at_top`: only a field whose own type it is counts, not one that has it inside. `by_value`: reading a field tells
    little of the rule, a value must make the way there and back. `one_by_one`: each value is looked at in the record
    too, not only those that hold many. `listing`: the message that shows a class's references in a value of this kind,
    or its objects' values of it in one reply; `lookups` others, each with what it looks for.
    `hard` gives batches: each batch is one value, and the single values
    behind it, to be tried alone when the batch fails.
    """

    clauses: tuple[str, str]
    types: tuple[type, ...]
    hard: Callable[[Type], Sequence[Batch]]
    at_top: bool = False
    by_value: bool = True
    one_by_one: bool = False
    listing: str = "get_all_records"
    lookups: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    def clause(self, fmt: Format) -> str:
        """Return the clause over a format."""
        return self.clauses[fmt is not Format.XMLRPC]

    @property
    def messages(self) -> frozenset[str]:
        """The messages of a class, by name, that are asked besides its fields."""
        return frozenset({self.listing, *(name for name, _ in self.lookups)})

    def has(self, field: Field) -> bool:
        """Whether a field is of this kind."""
        return isinstance(field.type, self.types) if self.at_top else any(map(self._is, parts(field.type)))

    def fields(self, of: ApiClass) -> Iterator[Field]:
        """Return the fields of this kind that a class has."""
        return (field for field in of.fields.values() if self.has(field))

    def _is(self, of: Type) -> bool:
        return isinstance(of, self.types)


@dataclass(frozen=True, slots=True)
class Batch:
    """A value to write, and the plainer values of which it is made. `refusable`: a server may turn it down anyhow."""

    value: Value
    singles: tuple[Value, ...] = ()
    refusable: bool = False


def holds_longest(value: Value) -> bool:
    """Whether a value is one of the longest texts, or a set or map with one."""
    match value:
        case dict():
            return any(map(holds_longest, value.values()))
        case tuple():
            return any(map(holds_longest, value))
        case _:
            return value in {LONG_PLAIN, LONGEST} if isinstance(value, str) else False


def parts(of: Type) -> Iterator[Type]:
    """Yield a type and the types inside it."""
    yield of
    match of:
        case t.SetOf(item) | t.Option(item):
            yield from parts(item)
        case t.MapOf(key, item):
            yield from parts(key)
            yield from parts(item)
        case _:
            return


def hard_texts(of: Type) -> Sequence[Batch]:
    """Return hard text in a field of a type: one text at a time, or many in a set or map."""
    match of:
        case t.Str():
            return (Batch(ALL_TEXTS, SHORT_TEXTS), *(Batch(text) for text in TEXTS if text not in INNER))
        case t.SetOf(t.Str()):
            # Never a set of one, nor the empty text: how sets of them travel is WIRE-SET's business.
            members = tuple(("xc", text) for text in SHORT_TEXTS if text)
            return (Batch(SHORT_TEXTS[1:], members), Batch(("xc", LONGEST)))
        case t.MapOf(t.Str(), item):
            return _text_maps(item)
        case t.MapOf(t.Enum(_, names), t.Str()):
            return tuple(Batch(dict.fromkeys(names[:1], text)) for text in (ALL_TEXTS, *SHORT_TEXTS[::5], LONGEST))
        case _:
            return ()


def _text_maps(item: Type) -> Sequence[Batch]:
    """Return maps with every text as a key, and, where values are text, as a value; the empty key may be refused."""
    keys = tuple(text for text in SHORT_TEXTS if text)
    plain = (numbered(item, 1) or (None,))[0]
    if plain is None:
        return ()
    batches = [Batch(dict.fromkeys(keys, plain), tuple({key: plain} for key in keys))]
    if isinstance(item, t.Str):
        singles = tuple({"key": text} for text in SHORT_TEXTS)
        batches.append(Batch({f"k{at}": text for at, text in enumerate(SHORT_TEXTS)}, singles))
        batches.append(Batch({"key": LONGEST}))
    return batches


def hard_plain(of: Type) -> Sequence[Batch]:
    """Return the boundary values of a type, one at a time."""
    return tuple(Batch(value) for value in boundaries(of))


def sizes(of: Type) -> Sequence[Batch]:
    """Return plain sets or maps of every size that matters: none, one, two, many; and members that are much alike."""
    match of:
        case t.SetOf(item):
            members = [_members(item, size) for size in _counts(item)]
            empty = (Batch(("",)), *_near(lambda texts: tuple(dict.fromkeys(texts)))) if isinstance(item, t.Str) else ()
            return (*map(Batch, dict.fromkeys(members)), *empty)
        case t.MapOf(key, item):
            values = numbered(item, 2)
            if not values:
                return ()
            keys = dict.fromkeys(_members(key, size) for size in _counts(key))
            alike: Sequence[Batch] = ()
            if isinstance(key, t.Str):
                marked = tuple({text: values[0]} for text in MARKED)
                alike = (
                    *_near(lambda texts: dict.fromkeys(texts, values[0])),
                    Batch(dict.fromkeys(MARKED, values[0]), marked),
                )
            return (*(Batch(_paired(each, item, values)) for each in keys), *alike)
        case _:
            return ()


def _counts(member: Type) -> list[int]:
    """Return the sizes that a set of such members can have; none comes last, as it takes all away."""
    most = len(numbered(member, LARGE))
    return [*sorted({1, 2, min(MANY, most), most}), 0]


def _members(of: Type, size: int) -> tuple[Value, ...]:
    """Return so many members, or keys, of a type. Texts are numbers, but where they are most.

    From nothing on they are the places of an array, which a server may take a map for whose keys they all are; two are
    counted from one, as arrays are elsewhere. What guesses types takes texts that are all figures for numbers.
    """
    if not isinstance(of, t.Str) or size == LARGE:
        return numbered(of, size)
    first = 1 if size == 2 else 0
    return tuple(str(number) for number in range(first, first + size))


def _paired(keys: Sequence[Value], of: Type, values: Sequence[Value]) -> dict[Value, Value]:
    """Return a map with keys; where they and the values are text, each is its own value."""
    own = isinstance(of, t.Str) and all(isinstance(key, str) for key in keys)
    return {key: key if own else values[at % len(values)] for at, key in enumerate(keys)}


def _near(made: Callable[[Sequence[str]], Value]) -> Sequence[Batch]:
    """Return texts that are much alike: those with the empty text by themselves, as it may be refused as a key."""
    empty, others = NEAR[0], NEAR[1:]
    every = made([text for texts in others for text in texts])
    return (Batch(made(empty), refusable=isinstance(made(empty), dict)), Batch(every, tuple(map(made, others))))


def names(of: Type) -> Sequence[Batch]:
    """Return every name of the enum in a type: one at a time, and all at once in sets and map keys."""
    match of:
        case t.Enum(_, values):
            return tuple(Batch(value) for value in values)
        case t.SetOf(t.Enum(_, values)):
            # Never a set of one: that it travels as a set is WIRE-SET's business.
            return (Batch(values), *(Batch(values[at : at + 2]) for at in range(0, len(values) - 1, 2)))
        case t.MapOf(t.Enum(_, values), t.Str()):
            return (Batch(dict.fromkeys(values, "x"), tuple({value: "x"} for value in values)),)
        case _:
            return ()


def _same(clause: str) -> tuple[str, str]:
    return (clause, clause)


STRING = Kind(_same("WIRE-STRING"), (t.Str,), hard_texts)
INT = Kind(("WIRE-INT-XML", "WIRE-INT-JSON"), (t.Int,), hard_plain, one_by_one=True)
FLOAT = Kind(_same("WIRE-FLOAT"), (t.Float,), hard_plain, one_by_one=True)
BOOL = Kind(_same("WIRE-BOOL"), (t.Bool,), hard_plain, by_value=False)
DATETIME = Kind(_same("WIRE-DATETIME"), (t.DateTime,), hard_plain, one_by_one=True)
ENUM = Kind(_same("WIRE-ENUM"), (t.Enum,), names, by_value=False)
SET = Kind(_same("WIRE-SET"), (t.SetOf,), sizes, at_top=True, by_value=False, listing="get_all",
           lookups=(("get_by_name_label", ("xenconform-no-such",)),))  # fmt: skip
MAP = Kind(_same("WIRE-MAP"), (t.MapOf,), sizes, at_top=True, by_value=False)
