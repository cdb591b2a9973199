"""The files of a raw case: for xenconform, for Python, and a line for a shell."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from pprint import pformat

from jinja2 import Environment, Template

from xenconform.models.rawcases import RawCase, to_json
from xenconform.reports.cases.naming import without_refs
from xenconform.reports.cases.save import write_files


@dataclass(frozen=True, slots=True)
class Scenery:
    """What a script needs besides the case.

    `cls` is the class of the object under test, `listing` a message that lists objects, `records` what constructors
    of records are given, by class; `path` and `content_type` are the format's own, `target` the server's URL, "" for
    none.
    """

    cls: str
    listing: str
    path: str
    content_type: str
    target: str = ""
    records: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def save_raw_case(case: RawCase, folder: Path, scenery: Scenery) -> str:
    """Write a case's files into the folder `cases` of a report folder, made if need be, and return their name.

    NAME.json is for `xenconform replay`, NAME.py stands by itself, NAME.sh sends the same bytes with curl, or nc where
    no body that is posted can say it.

    Raises:
        OSError: a file cannot be written.
    """
    case = replace(case, expected=without_refs(case.expected), actual=without_refs(case.actual))
    name = raw_case_name(case)
    texts = {".json": to_json(case), ".py": _script(case, name, scenery), ".sh": _shell(case, name, scenery)}
    write_files(folder, name, texts)
    return name


def raw_case_name(case: RawCase) -> str:
    """Return the name of a case's files: its clause, its cause and a few digits of its bytes."""
    digest = hashlib.sha256("\0".join((str(case.format), *case.pieces)).encode("utf-8", "surrogatepass")).hexdigest()[
        :8
    ]
    cause = re.sub(r"[^A-Za-z0-9]+", "_", case.cause).strip("_")[:50]
    return f"{case.clause}-{case.layer}-{cause}-{digest}"


@cache
def _template() -> Template:
    text = files("xenconform.reports").joinpath("cases", "raw_script.py.j2").read_text(encoding="utf-8")
    return Environment(keep_trailing_newline=True, autoescape=False).from_string(text)  # noqa: S701 - it is no page


def _script(case: RawCase, name: str, scenery: Scenery) -> str:
    def said(value: object) -> str:
        return pformat(value, width=116)

    return _template().render(
        title=f"{case.clause}: {case.cause}".replace("\\", "\\\\").replace('"', "'"),
        name=name,
        pieces=said(list(case.pieces)),
        end=said(case.end),
        drip=said(case.drip),
        path=said(case.path or scenery.path),
        content_type=said(case.content_type or scenery.content_type),
        owed=said(case.owed if case.clause == case.own_clause else "either"),
        shown=said(case.actual if case.clause == "ROBUST-NO-LEAK" else ""),
        expected=said(case.expected),
        actual=said(case.actual),
        object=said(scenery.cls),
        listing=said(scenery.listing),
        records=said({cls: dict(record) for cls, record in scenery.records.items()}),
        target=said(scenery.target),
        json_file=said(f"{name}.json"),
    )


def _shell(case: RawCase, name: str, scenery: Scenery) -> str:
    """Return a shell file: the script prints the bytes, with a session and objects, and curl or nc sends them."""
    comment = f"# {case.clause}: {case.cause}; expected: {case.expected}".replace("\n", " ")
    lines = [
        "#!/bin/sh",
        comment,
        "# Usage: XENCONFORM_PASSWORD=... sh THIS_FILE http://HOST[:PORT]",
        'URL="${1:?the URL}"',
    ]
    made = f'python3 "$(dirname "$0")/{name}.py" --print "$URL"'
    if case.end:
        lines += [
            'AT="${URL#*://}"; AT="${AT%%/*}"',
            'HOST="${AT%:*}"; PORT="${AT##*:}"',
            '[ "$PORT" = "$HOST" ] && PORT=80',
        ]
        lines += [f'{made} | nc -w 3 "$HOST" "$PORT"']
    else:
        kind = shlex.quote(f"Content-Type: {case.content_type or scenery.content_type}")
        path = shlex.quote(case.path or scenery.path)
        lines += [f'{made} | curl -sS -i -H {kind} --data-binary @- "${{URL%/}}"{path}', "echo"]
    return "\n".join(lines) + "\n"
