"""The query language of get_all_records_where, as a small parser over records.

    query   = term (("and" | "or") term)*        evaluated from the left
    term    = "not" term | "(" query ")" | "true" | "false" | operand "=" operand
    operand = "field" string | string

A field's name doubles each underscore (`name__label`). Values are compared as text. Source: observed on live servers.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from functools import lru_cache

from xenconform.models.api import Api, Message, Parameter
from xenconform.models.types import MapOf, RecordOf, RefTo, Str
from xenconform.models.values import Value

_TOKEN = re.compile(r'\s*(?:([()=])|(and|or|not|true|false|field)\b|"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\')')


DEPTH = 100
"""How deep a query may be nested."""


def matches(query: str, record: Mapping[str, Value]) -> bool:
    """Whether a record satisfies a query.

    Raises:
        ValueError: the query is not in the language or nests too deep, or names a field that the record does not have.
    """
    parser = _Parser(query, record)
    answer = parser.query()
    if parser.tokens:
        raise ValueError(f"text after the end of the query: {parser.tokens[0][1]!r}")
    return answer


def where_message(api: Api, full_name: str) -> Message | None:
    """Return `C.get_all_records_where` for a class that has get_all_records, published or not; None for other names."""
    cls, _, name = full_name.partition(".")
    all_records = api.message(f"{cls}.get_all_records") if name == "get_all_records_where" else None
    if all_records is None:
        return None
    result = MapOf(RefTo(cls), RecordOf(cls))
    return Message(
        cls, name, (Parameter("expr", Str()),), result, all_records.lifecycle, implicit=True, roles=all_records.roles
    )


def as_text(value: Value) -> str:
    """Return a value as a query compares it: a boolean as `true` or `false`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Parser:
    def __init__(self, query: str, record: Mapping[str, Value]) -> None:
        self.tokens = deque(_tokens(query))
        self.record = record
        self.depth = 0

    def take(self, kind: str) -> str:
        if not self.tokens or self.tokens[0][0] != kind:
            found = self.tokens[0][1] if self.tokens else "the end"
            raise ValueError(f"expected {kind} in the query, found {found!r}")
        return self.tokens.popleft()[1]

    def next_is(self, kind: str) -> bool:
        return bool(self.tokens) and self.tokens[0][0] == kind

    def query(self) -> bool:
        answer = self.term()
        while self.next_is("and") or self.next_is("or"):
            kind = self.tokens.popleft()[0]
            right = self.term()
            answer = (answer and right) if kind == "and" else (answer or right)
        return answer

    def term(self) -> bool:
        if self.next_is("not") or self.next_is("("):
            self.depth += 1
            if self.depth > DEPTH:
                raise ValueError(f"a query that is nested over {DEPTH} deep")
            answer = self.nested()
            self.depth -= 1
            return answer
        if self.next_is("true") or self.next_is("false"):
            return self.tokens.popleft()[0] == "true"
        left = self.operand()
        self.take("=")
        return left == self.operand()

    def nested(self) -> bool:
        if self.next_is("not"):
            self.take("not")
            return not self.term()
        self.take("(")
        answer = self.query()
        self.take(")")
        return answer

    def operand(self) -> str:
        if not self.next_is("field"):
            return self.take("string")
        self.take("field")
        name = self.take("string").replace("__", "_")
        if name not in self.record:
            raise ValueError(f"no field {name!r}")
        return as_text(self.record[name])


@lru_cache(maxsize=8)
def _tokens(query: str) -> tuple[tuple[str, str], ...]:
    """Return the tokens of a query; it is asked of one record after another."""
    found, at = [], 0
    query = query.rstrip()
    while at < len(query):
        token = _TOKEN.match(query, at)
        if token is None:
            raise ValueError(f"not in the query language at character {at}: {query[at : at + 20]!r}")
        at = token.end()
        sign, word, double, single = token.groups()
        if sign or word:
            found.append((sign or word, sign or word))
        else:
            found.append(("string", re.sub(r"\\(.)", r"\1", double if double is not None else single)))
    return tuple(found)
