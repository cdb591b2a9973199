"""What a certificate says, in words for people: shared by what is shown where it holds and where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xenconform.models.events import RunStart
from xenconform.models.extent import Extent, Limit
from xenconform.models.levels import RESTARTED
from xenconform.models.profiles import Profile, shipped_profiles
from xenconform.models.results import Overall, Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.certificate.statement import applied_waivers
from xenconform.reports.words import headline, level, plural, printable

_SHOWN = 4
"""Names that a line tells."""


def limit_text(limit: Limit) -> str:
    """Return in what a run is not whole, in a few words."""
    match limit.extent:
        case Extent.KIND:
            return f"a run of {limit.names[0]}, which cannot show that a server conforms"
        case Extent.FAULT:
            return f"with the fault {limit.names[0]} switched on"
        case Extent.CLAUSES:
            return f"without {plural(len(limit.names), 'clause')}: {some(limit.names)}"
        case Extent.FORMATS:
            return f"without the format {some(limit.names)}"
        case Extent.CLASSES:
            return f"of the class {some(limit.names)} alone"


def some(names: Iterable[str]) -> str:
    """Return the first of some names, and how many more there are."""
    every = [printable(each) for each in names]
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN:,} more" if len(every) > _SHOWN else "")


def summary(results: Results, limits: Iterable[Limit]) -> str:
    """Return what a certificate that holds says, in one line."""
    parts = "; ".join(map(limit_text, limits))
    told = headline(results)
    if results.verdict is Overall.CONFORMANT and parts:
        return f"of what was run, {told}. It was no whole run: {parts}"
    return f"{told}. It was no whole run: {parts}" if parts else told


def named(results: Results) -> list[tuple[str, str]]:
    """Return what a certificate is of, name by name, the empty ones left out."""
    start = results.start
    rows = [
        ("target", start.target),
        ("certified", f"{start.started}, by xenconform {start.version}"),
        ("level", level(results)),
        ("release", f"{start.release} over {', '.join(start.formats)}"),
        ("profile", f"{start.profile}, {_profile(start)}"),
        ("tried", f"scope {start.scope}, budget {start.budget}, seed {start.seed}"),
    ]
    return [(name, printable(text)) for name, text in rows if text]


def remarks(results: Results) -> Iterator[str]:
    """Yield what a reader should know besides: waivers with their last days, and what is said nothing of."""
    for waiver, parts in applied_waivers(results).items():
        why = f"{printable(waiver.reason)} ({printable(waiver.link)})"
        yield (
            f"waived until {waiver.expires}: {waiver.clause} on {printable(waiver.element)} where it shows "
            f"{printable(waiver.failure)!r}, {plural(len(parts), 'part')}: {why}"
        )
    for name in sorted(RESTARTED - set(results.start.clauses)):
        yield f"{name} was not run: this says nothing of restarts"
    unmet = [each.clause.id for each in results.clauses if not each.clause.required and each.counts[Verdict.FAIL]]
    if unmet:
        yield f"SHOULD clauses not met: {some(unmet)}"


def _profile(start: RunStart) -> str:
    """Return whether a profile is one that comes with this version, else its digest, by which it can be told."""
    if start.profile in shipped_profiles() and Profile.load(start.profile).digest == start.profile_digest:
        return "as shipped"
    return f"a file of its own, SHA-256 {start.profile_digest[:16] or 'unknown'}"
