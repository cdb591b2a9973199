"""From an upstream xenapi.json to class files of our own.

The upstream file is a list of classes with their fields, messages and enums, every accessor written out. What
models/rules.py gives is left out of our files; a message that differs from its rule stands there as an explicit one.
Prose is not taken over. Several shapes of the same thing are understood, as releases of the file differ.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xenconform.models import notation
from xenconform.models import types as t
from xenconform.models.api import Api, Qualifier
from xenconform.models.check import fits
from xenconform.models.condense import condense
from xenconform.models.load import ANY_CLASS, ModelError

_QUALIFIERS = {"StaticRO": "RO/constructor", "DynamicRO": "RO/runtime"} | {q.value: q.value for q in Qualifier}
_KINDS = ("prototyped", "published", "extended", "changed", "deprecated", "removed")
_SESSION = "session ref"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Json = Mapping[str, Any]


def convert(document: Any, known: Api) -> list[dict[str, Any]]:
    """Return the class files of an upstream document.

    Args:
        document: the parsed xenapi.json: a list of classes, or {"classes": the list}.
        known: the model from which constructors are taken over where the class still has what they map.

    Raises:
        ModelError: every mistake found, a line each: class, field or message, the value, and the fix.
    """
    classes = document.get("classes") if isinstance(document, Mapping) else document
    if not isinstance(classes, list) or not classes:
        raise ModelError('xenapi.json: no list of classes; give [{"name": ...}, ...] or {"classes": [...]}')
    reader = _Reader(classes)
    files = [file for each in classes if (file := reader.class_file(each, known)) is not None]
    twice = [name for name, count in Counter(file["name"] for file in files).items() if count > 1]
    reader.problems += [f"class {name}: there twice; leave one out" for name in twice]
    if reader.problems:
        raise ModelError("\n".join(reader.problems))
    return files


class _Reader:
    """Reads classes and collects what is wrong with them."""

    def __init__(self, classes: list[Any]) -> None:
        self.problems: list[str] = []
        messages = [
            m for c in classes if isinstance(c, Mapping) for m in _list(c, "messages") if isinstance(m, Mapping)
        ]
        # A file that leaves the session out of every message means it in all but the logins.
        self.sessions_written = any(_starts_with_session(each) for each in messages)
        self.enums: dict[str, tuple[str, ...]] = {}
        for each in classes:
            if isinstance(each, Mapping):
                self.enums |= {name: tuple(values) for name, values in _enums(each)}

    def class_file(self, each: Any, known: Api) -> dict[str, Any] | None:
        """Return the class file, or None where no class can be read."""
        if not isinstance(each, Mapping) or not _is_name(each.get("name")):
            self.problems.append(
                f'class {str(each)[:60]!r}: no name; give each class a "name" of letters, digits and _'
            )
            return None
        cls, before = each["name"], len(self.problems)
        raw = [f for f in _list(each, "fields") if self._named(f, f"{cls}: field")]
        fields = [field for f in raw if (field := self._field(cls, f))]
        raw = [m for m in _list(each, "messages") if self._named(m, f"{cls}: message")]
        messages = [(message, m.get("implicit")) for m in raw if (message := self._message(cls, m))]
        for what, names in (("field", [f["name"] for f in fields]), ("message", [m["name"] for m, _ in messages])):
            twice = [name for name, count in Counter(names).items() if count > 1]
            self.problems += [f"{cls}.{name}: the {what} is there twice; leave one out" for name in twice]
        file = {
            "name": cls,
            "lifecycle": self._lifecycle(f"class {cls}", each),
            "implicit": [],
            "roles": {},
            "enums": {name: list(values) for name, values in _enums(each)},
            "fields": fields,
            "messages": [],
        }
        if len(self.problems) == before:
            self.problems += condense(file, messages, self.enums)
            constructors = _constructors(file, known)
            file |= {"constructors": constructors} if constructors else {}
        return file

    def _named(self, each: Any, where: str) -> bool:
        if isinstance(each, Mapping) and _is_name(each.get("name")):
            return True
        self.problems.append(f'{where} {str(each)[:60]!r}: no name; give it a "name" of letters, digits and _')
        return False

    def _field(self, cls: str, each: Json) -> dict[str, Any] | None:
        where = f"{cls}.{each['name']}"
        of = self.type(where, "type", each.get("type"))
        qualifier = _QUALIFIERS.get(str(each.get("qualifier")))
        if qualifier is None:
            self.problems.append(
                f"{where}: qualifier {each.get('qualifier')!r} is none; write RW, RO/constructor or RO/runtime"
            )
        life = self._lifecycle(where, each)
        if of is None or qualifier is None:
            return None
        field = {"name": each["name"], "type": str(of), "qualifier": qualifier}
        try:
            if each.get("default") is not None:
                field["default"] = _default(of, each["default"])
        except notation.NoDefault:
            pass
        except ValueError as error:
            self.problems.append(f"{where}: default {error}; correct it, or leave the default out")
        return field | {"lifecycle": life}

    def _message(self, cls: str, each: Json) -> dict[str, Any] | None:
        where = f"{cls}.{each['name']}"
        params = [self._param(where, each) for each in _list(each, "params")]
        result = self.type(where, "result", _result(each.get("result", "void")))
        if result is None or None in params:
            return None
        session = _starts_with_session(each) if self.sessions_written else "login" not in each["name"]
        errors = [str(e.get("name") if isinstance(e, Mapping) else e) for e in _list(each, "errors")]
        return {
            "name": each["name"],
            **({} if session else {"session": False}),
            "params": [list(each) for each in params[session and self.sessions_written :] if each],
            "result": str(result),
            **({"errors": errors} if errors else {}),
            "roles": [str(role) for role in _list(each, "roles")],
            "lifecycle": self._lifecycle(where, each),
        }

    def _param(self, where: str, param: Any) -> tuple[str, str] | None:
        """Return a parameter's name and type from {"name": ..., "type": ...} or [name, type]."""
        pair = (param.get("name"), param.get("type")) if isinstance(param, Mapping) else param
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not _is_name(pair[0]):
            self.problems.append(f'{where}: parameter {str(param)[:60]!r}: give it a "name" and a "type"')
            return None
        of = self.type(where, f"parameter {pair[0]}", pair[1])
        return None if of is None else (str(pair[0]), str(of))

    def type(self, where: str, what: str, text: Any) -> t.Type | None:
        """Return the type of this text; None, and a problem, where it is none or names an enum without values."""
        if text == f"{ANY_CLASS} record":
            return t.RecordOf(ANY_CLASS)
        try:
            of = t.parse(text if isinstance(text, str) else "", self.enums)
        except ValueError:
            self.problems.append(
                f"{where}: {what}: {text!r} is no type; write it like 'string', 'VM ref set' or '(int -> float) map'"
            )
            return None
        unknown = [name for name in re.findall(r"enum (\w+)", str(of)) if name not in self.enums]
        if unknown:
            self.problems.append(f"{where}: {what}: enum {unknown[0]} is declared nowhere; add it to a class's enums")
        return None if unknown else of

    def _lifecycle(self, where: str, each: Json) -> list[list[str]]:
        life = each.get("lifecycle")
        found = life.get("transitions") if isinstance(life, Mapping) else life
        pairs = [
            [str(one.get("transition")), str(one.get("release"))] if isinstance(one, Mapping) else [str(x) for x in one]
            for one in (found if isinstance(found, list) else [])
            if isinstance(one, Mapping) or (isinstance(one, list) and len(one) >= 2)
        ]
        wrong = [kind for kind, *_ in pairs if kind not in _KINDS]
        if wrong:
            self.problems.append(f"{where}: transition {wrong[0]!r} is none; write one of {', '.join(_KINDS)}")
        elif not pairs:
            self.problems.append(
                f"{where}: no lifecycle; give its transitions, like [{{'transition': 'published', 'release': 'rio'}}]"
            )
        return [pair[:2] for pair in pairs]


def _list(each: Json, key: str) -> Sequence[Any]:
    found = each.get(key)
    return found if isinstance(found, list) else []


def _enums(each: Json) -> Iterator[tuple[str, list[str]]]:
    for one in _list(each, "enums"):
        if isinstance(one, Mapping) and _list(one, "values"):
            yield str(one.get("name")), [str(v.get("name") if isinstance(v, Mapping) else v) for v in one["values"]]


def _starts_with_session(message: Json) -> bool:
    """Whether the first parameter is the session that the call is made in; `self` is the session that it is about."""
    params = _list(message, "params")
    first = params[0] if params else ()
    words = tuple(first.values()) if isinstance(first, Mapping) else tuple(first) if isinstance(first, list) else ()
    return _SESSION in words and "self" not in words


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and bool(_NAME.fullmatch(text))


def _result(found: Any) -> Any:
    """Return the type's text of a result: text alone, [type, words] or {"type": text}."""
    if isinstance(found, list):
        return found[0] if found else "void"
    return found.get("type", "void") if isinstance(found, Mapping) else found


def _default(of: t.Type, found: Any) -> Any:
    """Return a default as JSON; text is in the published notation, anything else JSON already."""
    value = notation.parse_default(of, found) if isinstance(found, str) else found
    if not fits(of, value):
        raise ValueError(f"{found!r} is no value of the type {of}")
    return value


def _constructors(file: Json, known: Api) -> list[dict[str, Any]]:
    """Return the known model's constructors of this class whose message and fields it still has, of the same types."""
    if file["name"] not in known.classes:
        return []
    types = {field["name"]: field["type"] for field in file["fields"]}
    params = {message["name"]: [text for _, text in message["params"]] for message in file["messages"]}
    found = []
    for made in known.classes[file["name"]].constructors:
        takes = params.get(made.message.name)
        fits = takes is not None and len(takes) == len(made.fields)
        if fits and all(types.get(name, text) == text for name, text in zip(made.fields, takes or (), strict=True)):
            names = [name if name in types else "" for name in made.fields]
            found.append({"message": made.message.name, "fields": names})
    return found


def releases_of(files: Sequence[Json], known: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the releases, oldest first: the known ones, and those that the files' lifecycles name besides.

    Args:
        files: class files.
        known: name and product of each release known already, oldest first.

    Raises:
        ModelError: a lifecycle names a release that is neither known nor a version, so that its place is not known.
    """
    order = list(known)
    named = {release for file in files for life in _lifecycles(file) for _, release in life}
    unknown = sorted(named - {name for name, _ in order})
    wrong = [name for name in unknown if not _VERSION.fullmatch(name)]
    if wrong:
        raise ModelError(
            f"release {wrong[0]!r} is none that is known; write one of releases.json, or a version like 24.18.0"
        )
    for name in unknown:
        later = [at for at, (each, _) in enumerate(order) if _VERSION.fullmatch(each) and _number(each) > _number(name)]
        order.insert(later[0] if later else len(order), (name, f"XAPI {name}"))
    return [{"name": name, "product": product} for name, product in order]


_VERSION = re.compile(r"\d+(\.\d+)*")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _lifecycles(file: Json) -> Iterator[list[list[str]]]:
    yield file["lifecycle"]
    for each in (*file["fields"], *file["messages"]):
        yield each["lifecycle"]
