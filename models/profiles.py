"""Profiles: what a target claims to be, and how it may be touched.

A profile is a TOML file; `reference` and `xapi` are shipped in models/data/profiles. The shape of the file is checked
by models/profile_shape.py, its names and values against the model by models/profile_check.py; for editors there is
models/data/schema/profile.schema.json, and a test shows that it and the code agree.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path as File
from typing import Any

from xenconform.models.calls import Format
from xenconform.models.profile_shape import Problem, problems_of
from xenconform.models.toml_lines import Path, line_of, lines
from xenconform.models.verdicts import Judgement, Verdict

SHIPPED = File(__file__).parent / "data" / "profiles"
"""Where the profiles that the package brings are."""


class ProfileError(ValueError):
    """A profile that cannot be used; its text has a line for each problem, with place and fix."""


class Scope(StrEnum):
    """Which objects of a target may be written."""

    OWN = "own"
    """Only those that the run has made."""
    RESTORE = "restore"
    """Others too, when they are put back as they were."""
    ALL = "all"
    """All, without care: a target that exists for the run alone."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What a field takes, beyond its type; the empty domain is the whole type.

    Values are as the file has them: text may be a template, "@CLASS" a reference (see data/exemplars.toml).
    `values` is complete, None where there is no list; `examples` are some values of those that `pattern` describes.
    `minimum`, `maximum` and `multiple_of` bound numbers. `fixed`: the exemplar's value and no other. `skip`: why the
    field is not tested at all, "" where it is.
    """

    values: tuple[object, ...] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    multiple_of: int | None = None
    pattern: str = ""
    examples: tuple[str, ...] = ()
    fixed: bool = False
    skip: str = ""

    @property
    def is_free(self) -> bool:
        """Whether every value of the field's type is in the domain."""
        return self == FREE


FREE = Domain()
"""The domain of a field that no profile speaks of."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A known failure that is accepted until a day: one clause, an element (`*` and `?` match), the failure it pins.

    `failure` must be part of what the server did; another failure of the same clause is not covered.
    """

    clause: str
    element: str
    failure: str
    reason: str
    link: str
    expires: date

    def covers(self, clause: str, element: str, actual: str) -> bool:
        """Whether a failure is the one that this waiver pins."""
        return clause == self.clause and fnmatchcase(element, self.element) and self.failure in actual

    def has_expired(self, today: date) -> bool:
        """Whether the last day of the waiver is past."""
        return today > self.expires


def waived(failure: Judgement, waivers: Iterable[Waiver], today: date) -> Judgement:
    """Return a failure as WAIVED, for its waiver's reason, if one pins it and has not expired; else as it is."""
    for waiver in waivers:
        if waiver.covers(failure.clause, failure.element, failure.actual) and not waiver.has_expired(today):
            why = f"{waiver.reason} ({waiver.link}, until {waiver.expires})"
            return replace(failure, verdict=Verdict.WAIVED, reason=why)
    return failure


@dataclass(frozen=True, slots=True)
class Profile:
    """What a target claims and how it may be touched.

    `exemplars`: class, then field or constructor parameter, to the value that overrides the base exemplar.
    `domains`: class, then field. `never`: full names of messages that are not called at all. `may_refuse`: classes
    whose constructor may fail with any error, and why. `known`: uuids of objects that no message lists, by class.
    `source` and `places` tell where a problem is, `digest` is the SHA-256 of the file's text in hexadecimal; they are
    no part of the profile's value.
    """

    name: str
    release: str
    formats: tuple[Format, ...]
    scope: Scope
    description: str = ""
    exemplars: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    domains: Mapping[str, Mapping[str, Domain]] = field(default_factory=dict)
    never: frozenset[str] = frozenset()
    may_refuse: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    source: str = field(default="", compare=False)
    places: Mapping[Path, int] = field(default_factory=dict, compare=False, repr=False)
    digest: str = field(default="", compare=False, repr=False)

    @staticmethod
    def load(name_or_path: str | File) -> Profile:
        """Return a shipped profile by name, or the one in a file.

        Raises:
            ProfileError: there is no such profile, the file is no TOML, or its shape is wrong.
        """
        return parse_profile(*_read(name_or_path))

    def domain(self, cls: str, name: str) -> Domain:
        """Return the domain of a field; every value of the type where the profile does not speak of it."""
        return self.domains.get(cls, {}).get(name, FREE)

    def line(self, path: Path) -> int:
        """Return the line of the profile's file that a path is on."""
        return line_of(self.places, path)


def shipped_profiles() -> tuple[str, ...]:
    """Return the names of the profiles that the package brings."""
    return tuple(sorted(file.stem for file in SHIPPED.glob("*.toml")))


def parse_profile(text: str, source: str) -> Profile:
    """Return the profile that a TOML text is; `source` names it in errors.

    Raises:
        ProfileError: the text is no TOML, or its shape is wrong; all problems are told at once.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        line = int(place[1]) if place else max(1, len(text.splitlines()))
        raise ProfileError(f"{source}:{line}: no TOML: {error}; see https://toml.io for its syntax") from None
    places = lines(text)
    if problems := problems_of(document):
        raise ProfileError(render(source, places, problems))
    return replace(_build(document, source, places), digest=sha256(text.encode()).hexdigest())


def render(source: str, places: Mapping[Path, int], problems: tuple[Problem, ...]) -> str:
    """Return problems as text, a line each, in the order of the file: `file:line: path: what is wrong; the fix`."""
    told = sorted((line_of(places, each.path), each.text(source, line_of(places, each.path))) for each in problems)
    return "\n".join(text for _, text in told)


def _read(name_or_path: str | File) -> tuple[str, str]:
    shipped = shipped_profiles()
    is_name = str(name_or_path) in shipped
    file = SHIPPED / f"{name_or_path}.toml" if is_name else File(name_or_path)
    try:
        return file.read_text("utf-8"), str(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        names = ", ".join(shipped)
        raise ProfileError(f"{name_or_path}: {reason}; give a TOML file, or one of the names {names}") from None


def _build(document: Mapping[str, Any], source: str, places: Mapping[Path, int]) -> Profile:
    return Profile(
        name=document["name"],
        release=document["release"],
        formats=tuple(Format(each) for each in document["formats"]),
        scope=Scope(document["scope"]),
        description=document.get("description", ""),
        exemplars=document.get("exemplars", {}),
        domains={
            cls: {name: _domain(table) for name, table in fields.items()}
            for cls, fields in document.get("domains", {}).items()
        },
        never=frozenset(document.get("never", ())),
        may_refuse=document.get("may_refuse", {}),
        known=document.get("known", {}),
        waivers=tuple(Waiver(**table) for table in document.get("waivers", ())),
        source=source,
        places=places,
    )


def _domain(table: Mapping[str, Any]) -> Domain:
    return Domain(
        values=tuple(table["values"]) if "values" in table else None,
        minimum=table.get("min"),
        maximum=table.get("max"),
        multiple_of=table.get("multiple_of"),
        pattern=table.get("pattern", ""),
        examples=tuple(table.get("examples", ())),
        fixed=table.get("fixed", False),
        skip=table.get("skip", ""),
    )
