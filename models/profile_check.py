"""Whether a profile and the model agree: names of classes, fields and messages, and the types of values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from xenconform.models import types as t
from xenconform.models.api import Api, Qualifier
from xenconform.models.exemplars import typed
from xenconform.models.profile_shape import Problem, hint
from xenconform.models.profiles import Domain, Profile, ProfileError, render
from xenconform.models.toml_lines import Path
from xenconform.models.types import Type


def check_profile(profile: Profile, api: Api) -> Profile:
    """Return the profile when everything that it names is in the model.

    Give the whole model, not the view of an earlier release: a profile may speak of what its release does not have.

    Raises:
        ProfileError: a class, field, parameter or message that the model does not have, or a value that is not of
            the field's type; all problems are told at once, each with line and fix.
    """
    if problems := problems_with(profile, api):
        raise ProfileError(render(profile.source or profile.name, profile.places, problems))
    return profile


def problems_with(profile: Profile, api: Api) -> tuple[Problem, ...]:
    """Return everything in a profile that the model contradicts; empty when nothing does."""
    return (
        *_exemplars(profile, api),
        *_domains(profile, api),
        *_never(profile, api),
        *_classes(("may_refuse",), profile.may_refuse, api),
        *_classes(("known",), profile.known, api),
    )


def writable(api: Api, cls: str) -> Mapping[str, Type]:
    """Return the types of what a constructor of the class may be given: fields of a record, or parameters."""
    found = {
        each.name: each.type for each in api.classes[cls].fields.values() if each.qualifier is not Qualifier.RUNTIME
    }
    for constructor in api.classes[cls].constructors:
        if not constructor.record:
            found |= {each.name: each.type for each in constructor.message.params}
    return found


def _classes(path: Path, tables: Mapping[str, object], api: Api) -> Iterator[Problem]:
    for cls in tables:
        if cls not in api.classes:
            yield Problem((*path, cls), "no class of the API", hint(cls, api.classes))


def _exemplars(profile: Profile, api: Api) -> Iterator[Problem]:
    yield from _classes(("exemplars",), profile.exemplars, api)
    for cls, table in profile.exemplars.items():
        places = writable(api, cls) if cls in api.classes else {}
        for name, raw in table.items() if places else ():
            path: Path = ("exemplars", cls, name)
            if name in places:
                yield from _typed(path, places[name], raw)
            else:
                yield Problem(path, f"no constructor of {cls} takes it", hint(name, places))


def _domains(profile: Profile, api: Api) -> Iterator[Problem]:
    yield from _classes(("domains",), profile.domains, api)
    for cls, table in profile.domains.items():
        fields = api.classes[cls].fields if cls in api.classes else {}
        for name, domain in table.items() if fields else ():
            path: Path = ("domains", cls, name)
            if name in fields:
                yield from _domain(path, fields[name].type, domain)
            else:
                yield Problem(path, f"{cls} has no such field", hint(name, fields))


def _domain(path: Path, of: Type, domain: Domain) -> Iterator[Problem]:
    for raw in domain.values or ():
        yield from _typed((*path, "values"), of, raw)
    for text in domain.examples:
        yield from _typed((*path, "examples"), of, text)
        filled = str(typed(t.Str(), text, 1))
        if domain.pattern and not re.fullmatch(domain.pattern, filled):
            yield Problem((*path, "examples"), f'"{filled}" does not match the pattern', "mend one of the two")
    bounds = {"min": domain.minimum, "max": domain.maximum, "multiple_of": domain.multiple_of}
    for key, bound in bounds.items():
        if bound is None:
            continue
        if not isinstance(of, t.Int | t.Float):
            yield Problem((*path, key), f"a bound of a field of type {of}", "write values = [...] instead")
        elif isinstance(of, t.Int) and not isinstance(bound, int):
            yield Problem((*path, key), f"expected an int, got {bound}", f"write {key} = {int(bound)}")


def _typed(path: Path, of: Type, raw: object) -> Iterator[Problem]:
    try:
        typed(of, raw, 1)
    except ValueError as error:
        yield Problem(path, str(error), f"write a value of type {of}")


def _never(profile: Profile, api: Api) -> Iterator[Problem]:
    names = {each.full_name for cls in api.classes.values() for each in cls.messages.values()}
    for name in sorted(profile.never - names):
        yield Problem(("never",), f"no message {name} in the API", hint(name, names))
