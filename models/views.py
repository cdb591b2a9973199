"""The API as of an earlier release, by the lifecycle of every class, field and message."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from itertools import chain

from xenconform.models.api import Api, ApiClass, Constructor, Lifecycle, Release
from xenconform.models.load import destructor_of, lifecycle_of

_VERSION = re.compile(r"\d+(\.\d+)*")


def find_release(releases: tuple[Release, ...], text: str) -> int:
    """Return the place of the release that `text` names: a name, a product or the start of a version.

    Of several that match equally well, the last. A name counts more than a product, a product more than its version,
    a whole version more than its start.

    Raises:
        ValueError: none matches; the message lists near ones.
    """
    wanted = text.strip().casefold()
    for matches in (_by_name, _by_product, _by_version, _by_version_start):
        found = [at for at, release in enumerate(releases) if matches(release, wanted)]
        if found:
            return found[-1]
    known = {name.casefold(): name for name in chain.from_iterable((r.name, r.product) for r in releases)}
    near = [known[name] for name in get_close_matches(wanted, known, n=5, cutoff=0.4)]
    hint = ", ".join(near or [releases[0].name, releases[-1].name])
    raise ValueError(f"no release {text!r}; near names: {hint}")


def _by_name(release: Release, wanted: str) -> bool:
    return release.name.casefold() == wanted


def _by_product(release: Release, wanted: str) -> bool:
    return release.product.casefold() == wanted


def _by_version(release: Release, wanted: str) -> bool:
    return wanted in _versions(release)


def _by_version_start(release: Release, wanted: str) -> bool:
    return bool(_VERSION.fullmatch(wanted)) and any(v.startswith(f"{wanted}.") for v in _versions(release))


def _versions(release: Release) -> set[str]:
    """Return the version in a product's name, with and without what follows it (`6.5 sp1`), and a numeric name."""
    found = {release.name} if _VERSION.fullmatch(release.name) else set()
    words = release.product.casefold().split()
    for at, word in enumerate(words):
        if _VERSION.fullmatch(word):
            found |= {" ".join(words[at:])}
    return found


@cache
def _places(releases: tuple[Release, ...]) -> Mapping[str, int]:
    return {release.name: at for at, release in enumerate(releases)}


def at(api: Api, release: str) -> Api:
    """Return the view of `api` as of a release; see `Api.at`."""
    last = find_release(api.releases, release)
    if last == len(api.releases) - 1:
        return api
    return _view(api, last)


def _view(api: Api, last: int) -> Api:
    places = _places(api.releases)
    classes = {name: seen for name, each in api.classes.items() if (seen := _class(each, places, last))}
    relations = tuple(
        relation
        for relation in api.relations
        if _has(classes, relation.owner_cls, relation.owner_field)
        and _has(classes, relation.derived_cls, relation.derived_field)
    )
    return replace(api, release=api.releases[last].name, classes=classes, relations=relations)


def without(api: Api, messages: Collection[str]) -> Api:
    """Return the view of `api` in which some messages, by their full names, are not there; fields and classes stay."""
    if not messages:
        return api
    classes = {
        name: replace(
            each,
            messages={n: m for n, m in each.messages.items() if m.full_name not in messages},
            constructors=tuple(c for c in each.constructors if c.message.full_name not in messages),
            destructor="" if f"{name}.{each.destructor}" in messages else each.destructor,
        )
        for name, each in api.classes.items()
    }
    return replace(api, classes=classes)


def _has(classes: Mapping[str, ApiClass], cls: str, field: str) -> bool:
    return cls in classes and field in classes[cls].fields


def _class(each: ApiClass, places: Mapping[str, int], last: int) -> ApiClass | None:
    """Return the class as of the release at the place `last`, or None if it was not there yet."""
    life = _lifecycle(each.lifecycle, places, last)
    if life is None:
        return None
    fields = {
        name: replace(field, lifecycle=seen)
        for name, field in each.fields.items()
        if (seen := _lifecycle(field.lifecycle, places, last))
    }
    messages = {
        name: replace(message, lifecycle=seen)
        for name, message in each.messages.items()
        if (seen := _lifecycle(message.lifecycle, places, last))
    }
    constructors = tuple(
        Constructor(
            messages[made.message.name], made.record, tuple(name if name in fields else "" for name in made.fields)
        )
        for made in each.constructors
        if made.message.name in messages
    )
    return replace(
        each,
        fields=fields,
        messages=messages,
        lifecycle=life,
        constructors=constructors,
        destructor=destructor_of(messages),
    )


def _lifecycle(life: Lifecycle, places: Mapping[str, int], last: int) -> Lifecycle | None:
    """Return the part of a lifecycle up to a release, or None if its first transition is later."""
    if life.transitions and places[life.transitions[0][1]] > last:
        return None
    return lifecycle_of([[kind, name] for kind, name in life.transitions if places[name] <= last])
