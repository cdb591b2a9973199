"""The API as data: classes, fields, messages, relations, errors, releases, and the view of any release.

`Api.load()` reads the model that the package ships (models/data); `Api.at(release)` narrows it. The accessor rules
that turn fields into implicit messages are in models/rules.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from xenconform.models.types import Type


class Qualifier(StrEnum):
    """Who writes a field: the server alone, the constructor alone, or any client."""

    RUNTIME = "RO/runtime"
    CONSTRUCTOR = "RO/constructor"
    RW = "RW"


class State(StrEnum):
    """Where a class, field or message stands in its life."""

    PROTOTYPED = "prototyped"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The state in the model's release and every transition: (kind, release name), oldest first.

    Kinds: prototyped, published, extended, changed, deprecated, removed.
    """

    state: State
    transitions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a class. `default` is a typed value; `has_default` tells an absent default from a None."""

    name: str
    type: Type
    qualifier: Qualifier
    lifecycle: Lifecycle
    default: object = None
    has_default: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a message; the session is not among them."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a class. `implicit` ones follow from the fields by models/rules.py.

    `takes_session` is false for login and its like. `field` and `verb` are set on accessors, implicit or explicit
    messages of the same shape (VM.set_appliance): verb is get, set, add, remove, add_to or remove_from.
    """

    cls: str
    name: str
    params: tuple[Parameter, ...]
    result: Type
    lifecycle: Lifecycle
    implicit: bool = False
    takes_session: bool = True
    errors: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    field: str = ""
    verb: str = ""

    @property
    def full_name(self) -> str:
        """The name on the wire: `VM.start`."""
        return f"{self.cls}.{self.name}"


@dataclass(frozen=True, slots=True)
class Constructor:
    """A message that makes an object of a class.

    `record` is true for the implicit create (one record parameter). Else `fields[i]` is the field that takes the
    i-th parameter's value, or "" where it maps onto none.
    """

    message: Message
    record: bool
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """A bound pair of fields, both ends published. The owner end is written; the derived end follows.

    `many_owner` is true where the owner field is a set (many-to-many).
    """

    owner_cls: str
    owner_field: str
    derived_cls: str
    derived_field: str
    many_owner: bool

    def __str__(self) -> str:
        return f"{self.owner_cls}.{self.owner_field}<->{self.derived_cls}.{self.derived_field}"


@dataclass(frozen=True, slots=True)
class ApiClass:
    """A class: fields and messages by name, in the model's order."""

    name: str
    fields: Mapping[str, Field]
    messages: Mapping[str, Message]
    lifecycle: Lifecycle
    enums: Mapping[str, tuple[str, ...]]
    constructors: tuple[Constructor, ...] = ()
    destructor: str = ""
    """The name of the message that ends an object: destroy, forget, or nothing."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release: the name used in lifecycles, and the product's name."""

    name: str
    product: str


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """An error code of the published list with the names of its parameters."""

    code: str
    params: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Api:
    """The API of one release. Mappings keep the model's order."""

    release: str
    classes: Mapping[str, ApiClass]
    relations: tuple[Relation, ...]
    errors: Mapping[str, ErrorCode]
    releases: tuple[Release, ...]

    @classmethod
    def load(cls, path: Path | None = None) -> Api:
        """Return the shipped model, or that of a directory of the same format; read once a process.

        Raises:
            ValueError: a file is missing or wrong; the message names it and the fix.
        """
        from xenconform.models.load import load  # noqa: PLC0415 - the loader makes the classes of this module

        return load(path)

    def message(self, full_name: str) -> Message | None:
        """Return the message of this name (`VM.start`), or None. `Async.VM.start` is no name of its own."""
        cls, _, name = full_name.partition(".")
        owner = self.classes.get(cls)
        return owner.messages.get(name) if owner else None

    def at(self, release: str) -> Api:
        """Return the API as of a release.

        What was first seen later is absent; states and transitions are those up to then.

        Args:
            release: its name in lifecycles (`stockholm`), its product (`Citrix Hypervisor 8.2`), the product's
                version (`8.2`), or a version of the API (`24.18`); where several match, the last of them.

        Raises:
            ValueError: no such release; the message lists the nearest names.
        """
        from xenconform.models.views import at  # noqa: PLC0415 - the view makes the classes of this module

        return at(self, release)
