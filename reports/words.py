"""Words that every report shares: the headline, the settings, and raw bodies made fit to be shown."""

from __future__ import annotations

from xenconform.models.levels import level_reached, levels_of, short_of
from xenconform.models.results import Overall, Results
from xenconform.models.verdicts import Verdict

MEANING = {
    Overall.CONFORMANT: "every required part that applies was tested and passed",
    Overall.NOTHING_FOUND: "hostile input showed no breach of a required rule; certify tells if it conforms",
    Overall.NOT_CONFORMANT: "required clauses failed",
    Overall.INCOMPLETE: "this run gives no verdict on the server",
    Overall.UNTESTED_PARTS: "nothing required failed, but required parts were not tested",
}
"""What each verdict says, in a few words."""


def plural(number: int, noun: str) -> str:
    """Return the number with its noun: `1 finding`, `2,000 findings`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def headline(results: Results) -> str:
    """Return the verdict with its meaning, and what lies behind it, in one line without the target."""
    verdict = results.verdict
    failed = [each.clause.id for each in results.clauses if each.clause.required and each.counts[Verdict.FAIL]]
    if verdict is Overall.INCOMPLETE:
        seen = f"; {plural(len(failed), 'required clause')} failed until then" if failed else ""
        return f"{MEANING[verdict]}: {results.problem}{seen}"
    if verdict is Overall.NOT_CONFORMANT:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return f"{plural(len(failed), 'required clause')} failed: {', '.join(failed[:3])}{more}"
    unmet = sum(each.counts[Verdict.FAIL] > 0 for each in results.clauses)
    return MEANING[verdict] + (f"; {plural(unmet, 'SHOULD clause')} not met" if unmet else "")


def totals(results: Results) -> dict[Verdict, int]:
    """Return how many parts came out how; a clause that was not run counts as one untested part."""
    sums = {verdict: sum(each.counts[verdict] for each in results.clauses) for verdict in Verdict}
    sums[Verdict.UNTESTED] += sum(not each.parts for each in results.clauses)
    return sums


def settings(results: Results) -> list[tuple[str, str]]:
    """Return what was run, name by name, the empty ones left out."""
    start = results.start
    rate = f" ({results.calls / results.seconds:,.0f} a second)" if results.seconds else ""
    named = [
        ("level", level(results)),
        ("target", start.target),
        ("release", start.release),
        ("profile", start.profile),
        ("scope", start.scope),
        ("budget", start.budget),
        ("formats", ", ".join(start.formats)),
        ("seed", str(start.seed)),
        ("calls", f"{results.calls:,}{rate}"),
        ("time", f"{results.seconds:.1f} s"),
        ("xenconform", start.version),
        ("judged again", rejudged(results)),
        ("replaced", "names and addresses of hosts" if start.redacted else ""),
    ]
    return [(name, printable(text)) for name, text in named if text]


def rejudged(results: Results) -> str:
    """Return of which log this is another judgement; "" of a run that asked a server."""
    of = results.start.rejudged
    return f"from the log with the SHA-256 {of.sha256}, made by xenconform {of.version}" if of else ""


def level(results: Results) -> str:
    """Return the level that is reached and what keeps the next from being met; "" for a run that reaches none."""
    if short_of(results):
        return ""
    reached, levels = level_reached(results), levels_of(results)
    said = f"{reached} of {len(levels)}"
    if reached == len(levels):
        return said
    above = levels[reached]
    more = f" and {len(above.because) - 3} more" if len(above.because) > 3 else ""
    return f"{said}; {above.number}, {above.name}, is {above.standing}: {', '.join(above.because[:3])}{more}"


def printable(text: str) -> str:
    """Return the text with line ends kept and every other unprintable character as its escape.

    What a server sends reaches terminals and files, so no control sequence of its making may.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def body_text(body: bytes, limit: int) -> str:
    """Return a body as printable text of at most `limit` characters, with a note of the bytes that are left out."""
    text = printable(body[: 4 * limit].decode(errors="backslashreplace").replace("\r\n", "\n"))
    if len(text) <= limit and len(body) <= 4 * limit:
        return text
    return f"{text[:limit]} … [{len(body):,} bytes in all]"
