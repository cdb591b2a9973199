"""What no log may show: passwords and session refs, and how they are hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from typing import Any

from xenconform.conformance.codec import Uncarriable, codec_for
from xenconform.models.calls import Breach, Failure, Format, Outcome, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import is_null_text
from xenconform.models.verdicts import Judgement

MASK = "********"
"""What a log shows in a password's place."""

_UTF8 = ("utf-8", "surrogatepass")
_PLAIN_WORD = re.compile(r"[A-Za-z_]*|.{0,7}", re.DOTALL)
_WIDE = ("utf-16-le", "utf-16-be")
_HEAD, _TELLING = 11, 18
"""So many characters of a session's ref are its kind and one more, and so many are a good part of it."""
_DISGUISES = ((b"\\", 0), (b"&", 0), (b"<!", 0), (b"<?", 1))
"""What a body needs to have if its values hold a text that its bytes do not show: escapes, comments, CDATA.

Each with where it is looked for from: `<?` behind the declaration, with which every XML reply begins.
"""


@dataclass(frozen=True, slots=True)
class _Secret:
    """One spelling of a secret, what to show in its place, and where it counts: anywhere, or as a word of its own."""

    text: str
    mask: str
    data: bytes
    data_mask: bytes
    word: re.Pattern[str] | None
    data_word: re.Pattern[bytes] | None

    @property
    def is_ref(self) -> bool:
        """Whether it is a session's ref that a part of may tell."""
        return self.mask != MASK and len(self.data) > _HEAD

    def hidden_in(self, said: bytes) -> bytes:
        """Return bytes with this spelling hidden."""
        masked = self.data_mask
        return self.data_word.sub(masked, said) if self.data_word else said.replace(self.data, masked)


ENDED_HIDDEN = 20
"""How many sessions that are over are still hidden."""


@dataclass(slots=True)
class Secrets:
    """Passwords and session refs, and everything said about them with them left out.

    A password shows as asterisks, the n-th session as SESSION-n, in each spelling that a wire format gives them. A
    secret that is a plain word or short (a password may be `password`) is hidden only where it stands as a word of
    its own, so that `login_with_password` stays readable.
    """

    sessions: list[str] = field(default_factory=list, repr=False)
    _known: tuple[_Secret, ...] = field(default=(), repr=False)
    _numbered: int = 0
    _ended: list[str] = field(default_factory=list, repr=False)

    def add_password(self, password: str) -> None:
        """Hide a password from now on; the empty one has nothing to hide."""
        if password:
            self._add(password, MASK)

    def add_session(self, session: str) -> None:
        """Hide a session ref from now on; the null ref is no secret."""
        if not is_null_text(session) and session not in self.sessions:
            self.sessions.append(session)
            self._numbered += 1
            self._add(session, f"SESSION-{self._numbered}")

    def end_session(self, session: str) -> None:
        """Note that a session is over and no secret any more: it is hidden until some more have ended.

        A run opens thousands; to look for each of them in every exchange would make it slower and slower.
        """
        if session not in self.sessions or session in self._ended:
            return
        self._ended.append(session)
        if len(self._ended) > ENDED_HIDDEN:
            gone = self._ended.pop(0)
            self.sessions.remove(gone)
            spellings = set(_spellings(gone))
            self._known = tuple([each for each in self._known if each.text not in spellings])

    def as_now(self) -> Secrets:
        """Return what is hidden now, for what is to be hidden later: it learns and forgets nothing any more."""
        return Secrets(_known=self._known)

    def redact(self, said: str) -> str:
        """Return text with every secret hidden."""
        for each in self._known:
            if each.text in said:  # a search is far cheaper than a pattern, and mostly there is nothing to hide
                said = each.word.sub(each.mask, said) if each.word else said.replace(each.text, each.mask)
        return said

    def redact_bytes(self, said: bytes) -> bytes:
        """Return bytes with every secret hidden."""
        for each in self._known:
            if each.data in said:
                said = each.hidden_in(said)
        return said

    def redact_by_hand(self, said: bytes) -> bytes:
        """Return a body that was made by hand, or a reply to one, with every secret hidden.

        Such a body may be cut within a session's ref, which then shows as SESSION-1[:20], its first 20 characters, or
        spell its kind oddly, so that SESSION-1[10:] shows what is behind it, or be in UTF-16.
        """
        for each in self._known:  # the longest first: one may be a part of another
            said = each.hidden_in(said)
            for coding in _WIDE:
                said = said.replace(each.text.encode(coding, "surrogatepass"), each.mask.encode(coding))
            kind, colon, own = each.data.partition(b":") if each.is_ref else (b"", b"", b"")
            if len(own) >= _TELLING:
                said = said.replace(own, b"%b[%d:]" % (each.data_mask, len(kind + colon)))
        for each in self._known:  # then what is cut: a ref without dashes begins as the ref does
            said = _without_cut(said, each) if each.is_ref else said
        return said

    def words_by_hand(self, said: str) -> str:
        """Return text from a reply to what was made by hand, with every secret hidden."""
        return self.redact_by_hand(said.encode(*_UTF8)).decode(*_UTF8)

    def redact_value(self, value: Any, *, by_hand: bool = False) -> Any:
        """Return a value of the API with every secret in its texts hidden."""
        hide = partial(self.redact_value, by_hand=by_hand)
        match value:
            case str():
                return self.words_by_hand(value) if by_hand else self.redact(value)
            case tuple() | list():
                return tuple(hide(each) for each in value)
            case Mapping():
                return {hide(key): hide(each) for key, each in value.items()}
            case _:
                return value

    def redact_judgement(self, judgement: Judgement) -> Judgement:
        """Return a judgement as a log may show it: its words may quote what the server said."""
        if not (judgement.expected or judgement.actual or judgement.reason):
            return judgement
        told = (judgement.expected, judgement.actual, judgement.reason)
        expected, actual, reason = map(self.words_by_hand, told)
        return replace(judgement, expected=expected, actual=actual, reason=reason)

    def redact_exchange(self, exchange: Exchange) -> Exchange:
        """Return an exchange as a log may show it."""
        by_hand = not exchange.message
        hide, words = (self.redact_by_hand, self.words_by_hand) if by_hand else (self.redact_bytes, self.redact)
        reply, received = exchange.reply, hide(exchange.received)
        outcome = reply.outcome
        disguised = any(received.find(each, start) >= 0 for each, start in _DISGUISES)
        if disguised or received != exchange.received or isinstance(outcome, Breach):
            # Else it has no more to hide than the bytes that it was read from.
            outcome = self._outcome(outcome, by_hand=by_hand)
        flaws = tuple([replace(flaw, detail=words(flaw.detail), where=words(flaw.where)) for flaw in reply.flaws])
        return replace(
            exchange,
            args=self.redact_value(exchange.args),
            sent=hide(exchange.sent),
            received=received,
            headers=tuple([(name, self.redact(value)) for name, value in exchange.headers]),
            reply=replace(reply, outcome=outcome, flaws=flaws),
        )

    def _outcome(self, outcome: Outcome, *, by_hand: bool) -> Outcome:
        hide = partial(self.redact_value, by_hand=by_hand)
        match outcome:
            case Success(value):
                return Success(hide(value))
            case Failure(code, params):
                return Failure(hide(code), hide(params))
            case Breach():
                return replace(outcome, detail=hide(outcome.detail))

    def _add(self, secret: str, mask: str) -> None:
        known = {each.text for each in self._known}
        more = [_secret(spelling, mask) for spelling in _spellings(secret) if spelling not in known]
        # One secret may begin with another.
        self._known = tuple(sorted([*self._known, *more], key=lambda each: -len(each.text)))


def _without_cut(said: bytes, secret: _Secret) -> bytes:
    """Hide the beginnings of a ref: at the end of some bytes those that tell it from the kind, elsewhere long ones."""
    at = said.find(secret.data[:_HEAD])
    while at >= 0:
        rest = said[at : at + len(secret.data)]
        shown = sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(rest, secret.data, strict=False)))
        mask = b""
        if shown < len(secret.data) and (at + shown == len(said) or shown >= _TELLING):
            mask = b"%b[:%d]" % (secret.data_mask, shown)
            said = said[:at] + mask + said[at + shown :]
        at = said.find(secret.data[:_HEAD], at + max(1, len(mask)))
    return said


def _secret(spelling: str, mask: str) -> _Secret:
    word = rf"(?<!\w){re.escape(spelling)}(?!\w)" if _PLAIN_WORD.fullmatch(spelling) else None
    data = spelling.encode(*_UTF8)
    return _Secret(
        spelling,
        mask,
        data,
        mask.encode(),
        re.compile(word) if word else None,
        re.compile(word.encode(*_UTF8)) if word else None,
    )


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
