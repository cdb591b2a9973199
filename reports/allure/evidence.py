"""What shows a finding: the telling exchange as it was on the wire, a saved case, a shell line that sends it again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from allure_commons.model2 import ATTACHMENT_PATTERN, Attachment, Parameter
from allure_commons.types import AttachmentType

from xenconform.models.exchange import Exchange
from xenconform.models.results import Part, Results
from xenconform.models.verdicts import Judgement
from xenconform.reports.allure.ids import id_of
from xenconform.reports.causes import pattern_of
from xenconform.reports.page.commands import curl_of
from xenconform.reports.page.units import duration
from xenconform.reports.words import printable

SHOWN = 10
"""Findings of one cause that have their exchanges attached; the others name them by their numbers in the log."""
BODY = 200_000
"""Bytes of a body that are attached; the log has all of it."""
SCRIPTS = {".json": AttachmentType.JSON, ".svg": AttachmentType.SVG}


@dataclass(slots=True)
class Evidence:
    """The attachments of a run, by the names of their files, as they are asked for."""

    results: Results
    run: UUID
    files: dict[str, bytes] = field(default_factory=dict)
    _seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def of(self, part: Part, judged: Judgement) -> tuple[list[Parameter], list[Attachment]]:
        """Return what a finding names, and what is attached to it."""
        named = [("exchange in run.jsonl", ", ".join(str(each) for each in judged.exchanges))]
        if judged.calls:
            named.append(("first seen", f"call {judged.calls:,}, {duration(judged.seconds)} into the run"))
        telling = self.results.exchanges.get(judged.exchanges[-1]) if judged.exchanges else None
        if telling is not None:
            named += _head(telling)
        cause = (part.clause.id, pattern_of(judged.expected or judged.reason), pattern_of(judged.actual))
        self._seen[cause] += 1
        attached: list[Attachment] = []
        if self._seen[cause] <= SHOWN:
            attached = list(self._attached(part, judged, telling))
        elif telling is not None:
            named.append(("not attached", f"as {SHOWN} findings of this cause have theirs; run.jsonl has these too"))
        return [Parameter(name=name, value=printable(text)) for name, text in named if text], attached

    def _attached(self, part: Part, judged: Judgement, telling: Exchange | None) -> Iterator[Attachment]:
        key = f"{part.clause.id}\0{part.label}\0{self._seen.total()}"
        if telling is not None:
            wire = f"{telling.message} over {telling.format}"
            yield from self._body(key, f"request: {wire}", telling.sent)
            yield from self._body(key, f"reply: HTTP {telling.status}", telling.received)
        saved = self.results.cases.get(judged.case)
        for suffix, text in (saved.files if saved else {}).items():
            kind = SCRIPTS.get(suffix, AttachmentType.TEXT)
            yield self._add(key, f"case {judged.case}{suffix}", text.encode(errors="backslashreplace"), kind)
        if telling is not None and saved is None and (shell := curl_of(telling, self.results.start.target)):
            yield self._add(key, "curl, to send it again", shell.encode(), AttachmentType.TEXT)

    def _body(self, key: str, name: str, body: bytes) -> Iterator[Attachment]:
        if len(body) > BODY:
            yield self._add(key, f"{name}, the first {BODY:,} of {len(body):,} bytes", body[:BODY], AttachmentType.TEXT)
        elif body:
            yield self._add(key, name, body, kind_of(body))

    def _add(self, key: str, name: str, content: bytes, kind: AttachmentType | None) -> Attachment:
        """Keep a file. Each attachment has one of its own: Allure shows what two share at the first alone."""
        extension = kind.extension if kind else "bin"
        file = ATTACHMENT_PATTERN.format(prefix=id_of(self.run, key, name), ext=extension)
        self.files[file] = content
        return Attachment(
            name=printable(name), source=file, type=kind.mime_type if kind else "application/octet-stream"
        )


def _head(exchange: Exchange) -> Iterator[tuple[str, str]]:
    yield "reply", f"HTTP {exchange.status}, {len(exchange.received):,} bytes" if exchange.status else "none came"
    yield "time", duration(exchange.elapsed)
    yield "headers of the reply", "\n".join(f"{name}: {text}" for name, text in exchange.headers)


def kind_of(body: bytes) -> AttachmentType | None:
    """Return as what a body is shown, None where it is no text."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if text.lstrip().startswith(("<?xml", "<method")):
        return AttachmentType.XML
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return AttachmentType.TEXT
    return AttachmentType.JSON
