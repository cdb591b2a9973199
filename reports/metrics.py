"""metrics.txt: a run in numbers for dashboards, as OpenMetrics text: to be pushed, or picked up from a file."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, Info
from prometheus_client.openmetrics.exposition import generate_latest

from xenconform.models.levels import level_reached
from xenconform.models.results import Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.words import printable


def render_metrics(results: Results) -> str:
    """Return metrics.txt as text: the same for the same run."""
    registry, start = CollectorRegistry(), results.start
    about = Info("xenconform_run", "What was judged, and by what.", registry=registry)
    named = {"target": start.target, "release": start.release, "profile": start.profile, "version": start.version}
    about.info({name: printable(text) for name, text in {**named, "verdict": results.verdict.value}.items()})
    for name, told, value in (
        ("exit_code", "The exit code of the run.", results.verdict.exit_code),
        ("level", "The level that was reached, 0 for none.", level_reached(results)),
        ("calls", "Calls made.", results.calls),
        ("duration_seconds", "Seconds that the run took.", results.seconds),
        ("started_timestamp_seconds", "When it began.", _instant(start.started)),
    ):
        if value is not None:
            Gauge(f"xenconform_{name}", told, registry=registry).set(value)
    parts = Gauge("xenconform_parts", "Clauses x elements x formats.", ("clause", "verdict"), registry=registry)
    for each in results.clauses:
        for verdict in Verdict:
            parts.labels(printable(each.clause.id), verdict.value).set(each.counts[verdict])
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]  # the library has no type for it
    return text.decode("utf-8")


def _instant(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None  # a log of another version's making
