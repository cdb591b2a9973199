"""Schemathesis on the OpenAPI description of the JSON-RPC endpoint, with all its standard checks.

It is given what it cannot know: a session, and the references that there are, by the formats of the description. The
coverage phase tries valid and invalid requests, the fuzzing and the stateful phase valid ones; links lead it from new
objects to what can be called on them. Failures are told apart by check, kind, operation, whether the request was valid,
and the part of the schema; the values in their texts differ from run to run. Its runs do not repeat call by call, even
with a seed; of a sound server it says nothing about valid requests, and that is what counts.
"""

from __future__ import annotations

from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
from kills_common import PATIENCE, Run, Spent, Subject, Wire
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from xenconform.models.api import Api
from xenconform.models.openapi import DATETIME_FORMAT, SESSION_FORMAT, describe
from xenconform.models.types import NULL_REF, refs_in

_POSITIVE = {"mode": "positive"}


def schemathesis_run(subject: Subject, run: Run) -> None:
    """Run the phases of Schemathesis one after another."""
    api = Api.load()
    _give_formats(subject, run, api)
    config = _config(subject, run, len(api.classes[subject.cls].messages))
    document = _without_suicide(describe(api, [subject.cls]))
    stream = from_schema(schemathesis.openapi.from_dict(document, config=config)).execute()
    numbers: dict[str, int] = {}

    def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG001 - found by their names
        try:
            run.count()
        except Spent:
            stream.stop()
            raise requests.exceptions.Timeout from None
        numbers.setdefault(case.id, run.calls)

    schemathesis.hook(before_call)
    try:
        for event in stream:
            if isinstance(event, events.ScenarioFinished):
                _note(event, run, numbers)
            if run.over:
                stream.stop()
    finally:
        schemathesis.hooks.unregister_all()


def _give_formats(subject: Subject, run: Run, api: Api) -> None:
    wire = Wire(subject, run)
    wire.login()
    schemathesis.openapi.format(SESSION_FORMAT, st.just(wire.session))
    schemathesis.openapi.format(DATETIME_FORMAT, st.sampled_from(["20240101T12:00:00Z", "19700101T00:00:00Z"]))
    of = api.classes[subject.cls]
    types = [param.type for message in of.messages.values() for param in message.params]
    types += [each.type for each in of.fields.values()]
    named = {subject.cls}.union(*map(refs_in, types))
    for cls in api.classes:
        listed = cls in named and "get_all" in api.classes[cls].messages
        refs = wire.refs(cls) if listed else []
        schemathesis.openapi.format(f"xenapi-ref-{cls}", st.sampled_from([*refs, NULL_REF]))


def _config(subject: Subject, run: Run, operations: int) -> SchemathesisConfig:
    each = max(5, run.budget.calls // (3 * operations))
    return SchemathesisConfig.from_dict(
        {
            "seed": run.budget.seed,
            "base-url": subject.url.rstrip("/"),
            "max-time": max(1, round(run.budget.seconds)),
            "continue-on-failure": True,
            "request-timeout": PATIENCE,
            "suppress-health-check": ["all"],
            "generation": {"no-shrink": True, "database": "none", "max-examples": each},
            "phases": {
                "coverage": {"unexpected-methods": []},
                "fuzzing": {"generation": {**_POSITIVE, "max-examples": each}},
                "stateful": {"generation": {**_POSITIVE, "max-examples": each}},
            },
        }
    )


def _without_suicide(document: dict[str, Any]) -> dict[str, Any]:
    """Return the description without the messages that end the tool's own session."""
    kept = {path: item for path, item in document["paths"].items() if not path.endswith("logout")}
    return {**document, "paths": kept}


def _note(event: events.ScenarioFinished, run: Run, numbers: dict[str, int]) -> None:
    """Keep what the checks of a finished scenario found."""
    for case_id, nodes in event.recorder.checks.items():
        for node in nodes:
            if node.failure_info is None or case_id not in numbers:
                continue
            failure, case = node.failure_info.failure, event.recorder.cases[case_id].value
            mode = case.meta.generation.mode.value if case.meta else "unknown"
            path = "/".join(map(str, getattr(failure, "schema_path", None) or ()))
            # Invalid requests have the same failures with any operation here: refusals travel with status 200, and a
            # call that does not say 2.0 gets a reply of 1.0.
            where = "any operation" if mode == "negative" else f"{case.operation.label} {path}".strip()
            key = f"{node.name} {type(failure).__name__} {mode} {where}"
            run.report(key, f"{failure.title}: {failure.message}", numbers[case_id])
