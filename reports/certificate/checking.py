"""How a certificate is held against its folder, one step after another; each refuses with a reason of its own.

The order: the envelope and who signed it (`opened`), what it says (`read_statement`), the files (`check_files`), the
reports and the statement against what the log gives (`check_reports`, `check_statement`), and whether it holds for who
asks (`check_standing`). Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jsonschema import Draft202012Validator

from xenconform import __version__
from xenconform.models.extent import Limit
from xenconform.models.integrity import waivers_of
from xenconform.models.results import Overall, Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.certificate import CERTIFICATE
from xenconform.reports.certificate.dsse import PAYLOAD_TYPE, FormError, load_object, parse_envelope
from xenconform.reports.certificate.keys import key_id
from xenconform.reports.certificate.refusals import Reason, RefusedError
from xenconform.reports.certificate.statement import (
    PREDICATE_TYPE,
    SETTINGS,
    STATEMENT_TYPE,
    Certified,
    schema,
    statement_of,
)
from xenconform.reports.certificate.words import limit_text
from xenconform.reports.words import MEANING, printable
from xenconform.reports.write import RENDERERS

_ASK = "ask whoever certified for it anew"
_AGAIN = "take the folder as it was signed, or certify again"
_SHOWN = 3
"""Names that a refusal tells."""


def opened(text: bytes, trusted: Iterable[Ed25519PublicKey]) -> tuple[bytes, Ed25519PublicKey]:
    """Return what an envelope holds, and which of the trusted keys has signed it.

    Raises:
        RefusedError: ENVELOPE, or SIGNATURE.
    """
    try:
        envelope = parse_envelope(text)
    except FormError as why:
        raise RefusedError(Reason.ENVELOPE, f"{CERTIFICATE}: {why}", _ASK) from why
    keys = tuple(trusted)
    signer = envelope.signer(keys)
    if signer is None:
        ids = {key_id(each) for each in keys}
        named = [each.key_id for each in envelope.signatures]
        if ids & set(named):
            found = f"it is not what the key {_some(ids & set(named))} has signed: it was changed since"
        else:
            said = _some(each or "that tells no id" for each in named)
            found = f"it says to be signed by the key {said}; trusted is {_some(ids)}"
        raise RefusedError(Reason.SIGNATURE, found, "give the key of whom you trust, or take this for no certificate")
    if envelope.payload_type != PAYLOAD_TYPE:
        found = f"it holds {printable(envelope.payload_type)!r}, and {PAYLOAD_TYPE} is wanted"
        raise RefusedError(Reason.ENVELOPE, found, _ASK)
    return envelope.payload, signer


def read_statement(payload: bytes) -> dict[str, Any]:
    """Return the Statement that was signed, in the form that the schema describes.

    Raises:
        RefusedError: STATEMENT.
    """
    try:
        told = load_object(payload)
    except FormError as why:
        raise RefusedError(Reason.STATEMENT, f"what was signed: {why}", _ASK) from why
    for name, wanted in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if told.get(name) != wanted:
            found = f"its {name} is {printable(str(told.get(name)))[:80]!r}, and {wanted} is wanted"
            raise RefusedError(Reason.STATEMENT, found, _ASK)
    wrong = next(iter(sorted(Draft202012Validator(schema()).iter_errors(told), key=lambda each: each.json_path)), None)
    if wrong is not None:
        found = f"at {printable(wrong.json_path)}: {printable(wrong.message)[:200]}"
        raise RefusedError(Reason.STATEMENT, found, version_fix(told))
    names = [each["name"] for each in told["subject"]]
    strange = next((each for each in names if not _is_inside(each) or names.count(each) > 1), None)
    if strange is not None:
        raise RefusedError(Reason.STATEMENT, f"its subject {printable(strange)!r} names no file of the folder", _ASK)
    return told


def _is_inside(name: str) -> bool:
    """Whether a name is one of a file below a folder, in its plainest form."""
    path = PurePosixPath(name)
    return name == str(path) and not path.is_absolute() and ".." not in path.parts and name not in {".", CERTIFICATE}


def digests_of(statement: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of a statement's subjects, by name."""
    return {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}


def check_files(signed: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Hold the files of a folder against those that were signed, both by name with their digests.

    Raises:
        RefusedError: MISSING, CHANGED, or ADDED; all of the files that are so are counted.
    """
    changed = [name for name, digest in signed.items() if found.get(name, digest) != digest]
    missing = [name for name in signed if name not in found]
    added = [name for name in found if name not in signed]
    if missing:
        raise RefusedError(Reason.MISSING, f"{_some(missing)}, which was signed", "take the whole folder")
    if changed:
        raise RefusedError(Reason.CHANGED, f"{_some(changed)} is not as it was signed", _AGAIN)
    if added:
        raise RefusedError(Reason.ADDED, f"{_some(added)}, which nobody signed", "move it out of the folder")


def check_reports(results: Results, texts: Mapping[str, str]) -> None:
    """Hold the reports, by name, against those that the log gives.

    Raises:
        RefusedError: REPORTS.
    """
    for name, render in RENDERERS.items():
        if texts.get(name) != render(results):
            raise RefusedError(Reason.REPORTS, f"{name} is not what run.jsonl gives", _fix_of(results))


def check_statement(statement: Mapping[str, Any], certified: Certified) -> None:
    """Hold a statement against the one that the log gives; members that this version does not know mean nothing to it.

    Raises:
        RefusedError: VERDICT; the text names the first member that differs, with both values.
    """
    wanted: Any = statement_of(certified)
    for path, told, due in _unlike(statement, wanted, ""):
        found = f"{path} is {_short(told)} in the certificate, and the log gives {_short(due)}"
        raise RefusedError(Reason.VERDICT, found, _fix_of(certified.results))


def _unlike(told: Any, due: Any, path: str) -> Iterable[tuple[str, Any, Any]]:
    if isinstance(told, Mapping) and isinstance(due, Mapping):
        for name in due:
            yield from _unlike(told.get(name), due.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(told, list) and isinstance(due, list) and len(told) == len(due):
        for at, pair in enumerate(zip(told, due, strict=True)):
            yield from _unlike(*pair, f"{path}[{at}]")
    elif told != due or isinstance(told, bool) is not isinstance(due, bool):
        yield path, told, due


def check_standing(certified: Certified, day: date, *, partial: bool) -> None:
    """Refuse what does not hold for whoever asks: a run without a verdict, an expired waiver, a part of a run.

    Args:
        certified: the run, and in what it is not whole.
        day: the day on which it is to hold.
        partial: whether a run that is not whole may hold.

    Raises:
        RefusedError: UNFINISHED, WAIVER, or PARTIAL.
    """
    results = certified.results
    if results.verdict is Overall.INCOMPLETE:
        raise RefusedError(Reason.UNFINISHED, f"{MEANING[results.verdict]}: {printable(results.problem)}", _AGAIN)
    expired = {part: last for part, last in _waived_until(results).items() if last < day}
    if expired:
        last = min(expired.values())
        found = f"waived until {last}, and {day} is later: {_some(part for part in expired if expired[part] == last)}"
        raise RefusedError(Reason.WAIVER, found, "certify again without the waiver, or with one that was renewed")
    if certified.limits and not partial:
        raise RefusedError(Reason.PARTIAL, limits_text(certified.limits), "certify whole, or give --allow-partial")


def _waived_until(results: Results) -> dict[str, date]:
    """Return the last day on which each waived part holds: it needs a waiver for each of its failures."""
    until: dict[str, date] = {}
    for part in results.parts(Verdict.WAIVED):
        days = [max(each.expires for each in waivers_of(results.start, judged)) for judged in part.because]
        until[f"{part.clause.id} {part.label}"] = min(days)
    return until


def limits_text(limits: Iterable[Limit]) -> str:
    """Return in what a run is not whole, in one line."""
    return "; ".join(printable(limit_text(each)) for each in limits)


def _some(names: Iterable[str]) -> str:
    every = [printable(each) for each in names]
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _short(value: Any) -> str:
    text = printable(repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fix_of(results: Results) -> str:
    return _version_text(results.start.version)


def version_fix(statement: Mapping[str, Any]) -> str:
    """Return what to do where this version cannot read a statement: perhaps it is of another version."""
    try:
        described = {each["name"]: each for each in statement["predicate"]["configuration"]}
        return _version_text(str(described[SETTINGS]["annotations"]["version"]))
    except (KeyError, TypeError):
        return _ASK


def _version_text(version: str) -> str:
    """Return what to do where this version reads another verdict: perhaps another version has written it."""
    if version == __version__:
        return _AGAIN
    return f"this is xenconform {__version__}: verify with the version that certified, {printable(version)}"
