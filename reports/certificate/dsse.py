"""The envelope of a signed statement: DSSE 1.0 (secure-systems-lab/dsse, protocol.md and envelope.md).

What is signed is the pre-authentication encoding of payload type and payload, never the JSON around them: so spaces,
the order of members and key ids may change and the signature still holds. Signatures are of Ed25519 (RFC 8032).
"""

from __future__ import annotations

import json
from base64 import b64decode as lenient_b64decode
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from xenconform.reports.certificate.keys import key_id

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The payload type of an in-toto Statement (in-toto attestation, envelope.md)."""


class FormError(ValueError):
    """What was read is not of the form that it must have; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature; `key_id` is a hint of whose it is, "" for none, and decides nothing."""

    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload of a type, with its signatures, at least one."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def signer(self, trusted: Iterable[Ed25519PublicKey]) -> Ed25519PublicKey | None:
        """Return the first key of those trusted that has signed this, None where none has.

        Every key is tried on every signature: a key id is not authenticated, and other tools give other ids.
        """
        signed = pae(self.payload_type, self.payload)
        for key in trusted:
            for each in self.signatures:
                try:
                    key.verify(each.signature, signed)
                except InvalidSignature:
                    continue
                return key
        return None


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the pre-authentication encoding of a payload and its type."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, key: Ed25519PrivateKey) -> Envelope:
    """Return an envelope of a payload that a key has signed."""
    signature = key.sign(pae(payload_type, payload))
    return Envelope(payload, payload_type, (Signature(key_id(key.public_key()), signature),))


def render_envelope(envelope: Envelope) -> str:
    """Return an envelope as JSON text, base64 by the standard alphabet."""
    told = {
        "payloadType": envelope.payload_type,
        "payload": b64encode(envelope.payload).decode(),
        "signatures": [
            {"keyid": each.key_id, "sig": b64encode(each.signature).decode()} for each in envelope.signatures
        ],
    }
    return json.dumps(told, indent=2) + "\n"


def parse_envelope(text: bytes) -> Envelope:
    """Return the envelope that a JSON text is; members that DSSE does not know are passed over.

    Raises:
        FormError: it is none; the message says what is wrong with it.
    """
    told = load_object(text)
    payload_type, listed = told.get("payloadType"), told.get("signatures")
    if not isinstance(payload_type, str):
        raise FormError("it has no payloadType")
    if not isinstance(listed, list) or not listed:
        raise FormError("it has no signatures")
    return Envelope(_bytes_of(told, "payload"), payload_type, tuple(_signature_of(each) for each in listed))


def load_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object that a text in UTF-8 is, in which no member is there twice.

    Raises:
        FormError: it is none.
    """
    try:
        told = json.loads(text.decode("utf-8"), object_pairs_hook=_once)
    except RecursionError:
        raise FormError("it is nested too deep") from None
    except ValueError as why:
        raise FormError(f"it is no JSON: {why}") from None
    if not isinstance(told, dict):
        raise FormError("it is no JSON object")
    return told


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise FormError("a member is there twice")
    return told


def _signature_of(told: object) -> Signature:
    if not isinstance(told, dict) or not isinstance(name := told.get("keyid", ""), str):
        raise FormError("a signature is no object with a sig")
    return Signature(name, _bytes_of(told, "sig"))


def _bytes_of(told: dict[str, Any], name: str) -> bytes:
    """Return the bytes that a member holds in base64, of the standard or the URL-safe alphabet, in their one form."""
    text = told.get(name)
    if isinstance(text, str):
        try:
            found = lenient_b64decode(text.translate(_STANDARD).encode("ascii"), validate=True)
        except ValueError:
            found = b""
        if text in {b64encode(found).decode(), urlsafe_b64encode(found).decode()}:
            return found
    raise FormError(f"its {name} is no base64")


_STANDARD = str.maketrans("-_", "+/")
