"""Findings of the fuzzer are made small here, and their cases written into the report folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.raw import raw_case
from xenconform.conformance.fuzz.sending import Sender
from xenconform.conformance.fuzz.shrinking import Shrinker
from xenconform.conformance.fuzz.stage import Stage
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.conformance.suite.settings import Settings
from xenconform.models.exemplars import Need, constructor_of, exemplar
from xenconform.models.rawcases import RawCase
from xenconform.models.values import Value
from xenconform.reports.cases import Scenery, save_raw_case
from xenconform.strategies.hostile.template import places


@dataclass(frozen=True, slots=True)
class CaseWriter:
    """Makes findings small and writes their cases into a report folder."""

    settings: Settings
    folder: Path
    smaller: Shrinker

    def __call__(self, wrong: Wrong, attempt: Attempt, sender: Sender) -> str:
        """Write a finding's case and return the name of its files."""
        stage, fmt = sender.stage, attempt.format
        attempt = self.smaller(wrong, attempt, sender)
        case = raw_case(wrong, attempt, stage)
        names = stage.names(fmt)
        scenery = Scenery(
            stage.obj.cls,
            stage.listing,
            names["path"].decode(),
            names["type"].decode(),
            str(self.settings.target or ""),
            _records(stage, case),
        )
        return save_raw_case(case, self.folder, scenery)


def _records(stage: Stage, case: RawCase) -> dict[str, dict[str, object]]:
    """Return what constructors of the objects that a case names are given, as far as that is plain text and truth."""
    api, profile = stage.bench.api, stage.bench.profile
    found: dict[str, dict[str, object]] = {}
    for name in frozenset[str]().union(*map(places, case.pieces)):
        cls = stage.obj.cls if name == "ref" else name.partition("ref.")[2]
        constructor = constructor_of(api, profile, cls) if cls in api.classes else None
        if constructor is None or not constructor.record:
            continue
        record = exemplar(api, profile, cls, 1, tag="xenconform", constructor=constructor)
        plain = {key: _plain(value) for key, value in record.items()}
        if None not in plain.values():
            found[cls] = plain
    return found


def _plain(value: Value) -> object:
    """Return a value as Python's own XML-RPC client takes it, None where it is more than plain."""
    match value:
        case bool() | float():
            return value
        case int():
            return str(value)
        case Need():
            return None
        case str():
            return value
        case tuple():
            return [] if not value else None
        case dict():
            return dict(value) if all(isinstance(each, str) for pair in value.items() for each in pair) else None
        case _:
            return None
