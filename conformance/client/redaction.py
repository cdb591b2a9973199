"""What no log may show: passwords and session refs, and how they are hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from xenconform.conformance.codec import Uncarriable, codec_for
from xenconform.models.calls import Breach, Failure, Format, Outcome, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import is_null_text

MASK = "********"
"""What a log shows in a password's place."""

_UTF8 = ("utf-8", "surrogatepass")
_Text = TypeVar("_Text", str, bytes)
_PLAIN_WORD = re.compile(r"[A-Za-z_]*|.{0,7}", re.DOTALL)


@dataclass(slots=True)
class Secrets:
    """Passwords and session refs, and everything said about them with them left out.

    A password shows as asterisks, the n-th session as SESSION-n, in each spelling that a wire format gives them. A
    secret that is a plain word or short (a password may be `password`) is hidden only where it stands as a word of
    its own, so that `login_with_password` stays readable.
    """

    sessions: list[str] = field(default_factory=list)
    _masks: dict[str, str] = field(default_factory=dict)
    _bytes: re.Pattern[bytes] | None = None
    _text: re.Pattern[str] | None = None

    def add_password(self, password: str) -> None:
        """Hide a password from now on; the empty one has nothing to hide."""
        if password:
            self._add(password, MASK)

    def add_session(self, session: str) -> None:
        """Hide a session ref from now on; the null ref is no secret."""
        if not is_null_text(session) and session not in self.sessions:
            self.sessions.append(session)
            self._add(session, f"SESSION-{len(self.sessions)}")

    def redact(self, said: _Text) -> _Text:
        """Return text or bytes with every secret hidden."""
        if self._bytes is None or self._text is None:
            return said
        if isinstance(said, bytes):
            return self._bytes.sub(lambda found: self._masks[found[0].decode(*_UTF8)].encode(*_UTF8), said)
        return self._text.sub(lambda found: self._masks[found[0]], said)

    def redact_value(self, value: Any) -> Any:
        """Return a value of the API with every secret in its texts hidden."""
        match value:
            case str():
                return self.redact(value)
            case bytes():
                return self.redact(value)
            case tuple() | list():
                return tuple(self.redact_value(each) for each in value)
            case Mapping():
                return {self.redact_value(key): self.redact_value(each) for key, each in value.items()}
            case _:
                return value

    def redact_exchange(self, exchange: Exchange) -> Exchange:
        """Return an exchange as a log may show it."""
        reply = exchange.reply
        flaws = tuple(
            replace(flaw, detail=self.redact(flaw.detail), where=self.redact(flaw.where)) for flaw in reply.flaws
        )
        return replace(
            exchange,
            args=self.redact_value(exchange.args),
            sent=self.redact(exchange.sent),
            received=self.redact(exchange.received),
            headers=tuple((name, self.redact(value)) for name, value in exchange.headers),
            reply=replace(reply, outcome=self._outcome(reply.outcome), flaws=flaws),
        )

    def _outcome(self, outcome: Outcome) -> Outcome:
        match outcome:
            case Success(value):
                return Success(self.redact_value(value))
            case Failure(code, params):
                return Failure(self.redact(code), self.redact_value(params))
            case Breach():
                return replace(outcome, detail=self.redact(outcome.detail))

    def _add(self, secret: str, mask: str) -> None:
        for spelling in _spellings(secret):
            self._masks.setdefault(spelling, mask)
        # The longest first: one secret may begin with another.
        patterns = [_pattern(each) for each in sorted(self._masks, key=len, reverse=True)]
        self._text = re.compile("|".join(patterns))
        self._bytes = re.compile("|".join(patterns).encode(*_UTF8))


def _pattern(spelling: str) -> str:
    escaped = re.escape(spelling)
    return rf"(?<!\w){escaped}(?!\w)" if _PLAIN_WORD.fullmatch(spelling) else escaped


def _spellings(secret: str) -> Iterable[str]:
    """Return how a secret may stand in text: as it is, and as each codec writes it into a call."""
    found = {secret}
    mark = "MARK"
    for over in Format:
        codec = codec_for(over)
        try:
            body = codec.encode_call("", [(Str(), secret)], 1).decode()
        except (Uncarriable, UnicodeError):
            continue
        head, _, tail = codec.encode_call("", [(Str(), mark)], 1).decode().partition(mark)
        found.add(body[len(head) : len(body) - len(tail)])
    return found
