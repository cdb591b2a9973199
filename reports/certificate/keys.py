"""Ed25519 keys (RFC 8032) as files: private ones as PKCS #8 in PEM (RFC 5958, RFC 8410), public ones as SPKI in PEM.

Nothing here reads or writes a file. Every tool that takes PEM takes these: `openssl pkey`, cosign, in-toto.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


class KeyFormError(ValueError):
    """A text is no key that can be used; the message says why, and never has any of it."""


def new_key() -> Ed25519PrivateKey:
    """Return a new private key."""
    return Ed25519PrivateKey.generate()


def key_id(key: Ed25519PublicKey) -> str:
    """Return the id of a key: the SHA-256, in hexadecimal, of its SubjectPublicKeyInfo in DER."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def private_pem(key: Ed25519PrivateKey, passphrase: bytes = b"") -> bytes:
    """Return a private key as PEM, sealed where there is a passphrase."""
    sealed = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_private(pem: bytes, passphrase: bytes = b"") -> Ed25519PrivateKey:
    """Return the private key of a PEM text; the passphrase is passed over where the key is not sealed.

    Raises:
        KeyFormError: it holds no such key, or cannot be opened with this passphrase.
    """
    if b"PUBLIC KEY" in pem:
        raise KeyFormError("it is a public key, and signing needs the private one")
    sealed = b"ENCRYPTED" in pem
    if sealed and not passphrase:
        raise KeyFormError("it is sealed with a passphrase, and none was given")
    try:
        key = load_pem_private_key(pem, passphrase if sealed else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        what = "the passphrase does not open it" if sealed else "it is no private key in PEM form"
        raise KeyFormError(what) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFormError("it is a key of another kind than Ed25519")
    return key


def load_public(pem: bytes) -> Ed25519PublicKey:
    """Return the public key of a PEM text.

    Raises:
        KeyFormError: it holds no such key.
    """
    if b"PRIVATE KEY" in pem:
        raise KeyFormError("it is a private key, and whoever verifies needs the public one alone")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFormError("it is no public key in PEM form") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFormError("it is a key of another kind than Ed25519")
    return key
