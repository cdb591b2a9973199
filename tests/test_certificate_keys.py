"""Keys and envelopes: the forms that other tools read, and what is refused of them."""

from __future__ import annotations

import json
import stat
from base64 import b64decode, b64encode, urlsafe_b64encode
from pathlib import Path

import pytest
from certificate_folders import KEY, Folder, run
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_elliptic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as Independent
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined] # public, and not listed as such

from xenconform.conformance.cli.keygen import keygen
from xenconform.conformance.cli.signing import PASSPHRASE_VARIABLE, read_private, read_public
from xenconform.conformance.suite.settings import ConfigError
from xenconform.reports.certificate import CERTIFICATE
from xenconform.reports.certificate.dsse import PAYLOAD_TYPE, FormError, pae, parse_envelope, render_envelope, sign
from xenconform.reports.certificate.keys import key_id, load_private, private_pem, public_pem

RFC_8032 = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
"""The secret key of the first test of RFC 8032, section 7.1."""


def test_what_is_signed_is_that_of_the_protocols_example() -> None:
    """The pre-authentication encoding of DSSE's own example, protocol.md, section Test Vectors."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize(
    ("kind", "payload", "signature"),
    [
        (
            PAYLOAD_TYPE,
            b'{"_type":"https://in-toto.io/Statement/v1"}',
            "2WAfaHm5jluo0w+0rk8uVkluELJYWjSmU9x7EUzx+AyteDGJ4/nqyJXfmAUVFIAoQafWm7AxBZNw5M9ixNHiCA==",
        ),
        (
            PAYLOAD_TYPE,
            b"",
            "gSggCAaTLTYyRH6FIDBem6meyIynsYy8RTHVzwx9tnTb7Bg/1jMWnuVgI/gffqmbsC2VX5/jHfkkDqsj7CDbDg==",
        ),
        (
            "application/vnd.exämple+json",
            b'{"_type":"https://in-toto.io/Statement/v1"}',
            "xmSk/ug66ysT7ayhkCIjhAq42zgZXSsEWuzUaNL7w2eGAdF/NU6/fRXPtmfN+5DNSAs5/i2lUnHjbbjPsu0tAw==",
        ),
    ],
    ids=["statement", "empty", "type beyond ASCII"],
)
def test_signatures_are_those_of_the_protocols_vectors(kind: str, payload: bytes, signature: str) -> None:
    """With the key of RFC 8032 the signatures are those of DSSE's testvectors/vectors.json; lengths are of bytes."""
    (found,) = sign(payload, kind, RFC_8032).signatures
    assert b64encode(found.signature).decode() == signature


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_an_envelope_reads_back_as_it_was(payload: bytes, kind: str) -> None:
    """Rendered and parsed, an envelope is the same, also in the URL-safe alphabet, and its signer is found."""
    envelope = sign(payload, kind, KEY)
    text = render_envelope(envelope)
    assert parse_envelope(text.encode()) == envelope
    told = json.loads(text)
    told["payload"] = urlsafe_b64encode(payload).decode()
    told["signatures"] = [{"sig": urlsafe_b64encode(each.signature).decode()} for each in envelope.signatures]
    other = parse_envelope(json.dumps(told).encode())
    assert other.signer([RFC_8032.public_key(), KEY.public_key()]) == KEY.public_key()
    assert other.signer([RFC_8032.public_key()]) is None


@pytest.mark.parametrize(
    "broken",
    [
        b"[]",
        b"{",
        b'{"payloadType":"a","payload":"","signatures":[]}',
        b'{"payloadType":"a","payload":"","signatures":{}}',
        b'{"payloadType":1,"payload":"","signatures":[{"sig":""}]}',
        b'{"payloadType":"a","payload":"x","signatures":[{"sig":""}]}',
        b'{"payloadType":"a","payload":"QR==","signatures":[{"sig":""}]}',
        b'{"payloadType":"a","payload":"QQ==\\n","signatures":[{"sig":""}]}',
        b'{"payloadType":"a","payload":"","signatures":[{"sig":null}]}',
        b'{"payloadType":"a","payload":"","signatures":["x"]}',
        b'{"payloadType":"a","payload":"","payload":"","signatures":[{"sig":""}]}',
    ],
)
def test_what_is_no_envelope_is_an_error(broken: bytes) -> None:
    """A wrong kind, another base64 than the one of the bytes, and a member that is there twice are refused."""
    with pytest.raises(FormError):
        parse_envelope(broken)


def test_another_tool_verifies_a_certificate(tmp_path: Path) -> None:
    """securesystemslib, which in-toto and TUF are built on, finds the envelope signed by the key, and by no other."""
    folder = Folder(tmp_path / "out").write(list(run().lines()))
    told = json.loads((folder.path / CERTIFICATE).read_text())
    assert told["payloadType"] == "application/vnd.in-toto+json"
    hint = told["signatures"][0]["keyid"]
    envelope = Independent.from_dict(told)
    public = KEY.public_key()
    accepted = envelope.verify([SSlibKey.from_crypto(public, keyid=hint)], threshold=1)
    assert (list(accepted), hint) == ([hint], key_id(public))
    with pytest.raises(VerificationError):
        envelope.verify([SSlibKey.from_crypto(RFC_8032.public_key(), keyid=hint)], threshold=1)
    envelope.payload += b" "
    with pytest.raises(VerificationError):
        envelope.verify([SSlibKey.from_crypto(public, keyid=hint)], threshold=1)


def made(path: Path, *options: str, **environment: str) -> Result:
    return CliRunner(env={PASSPHRASE_VARIABLE: None, **environment}).invoke(keygen, [str(path), *options])


def test_keygen_makes_a_pair_that_only_the_owner_can_sign_with(tmp_path: Path) -> None:
    """The private key is PKCS #8 that nobody else can read, the public one lies beside, and its id is told."""
    path = tmp_path / "vendor"
    done = made(path)
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    public = read_public(tmp_path / "vendor.pub")
    assert read_private(path, b"").public_key() == public
    assert key_id(public) in done.output
    assert b64decode(path.read_text().splitlines()[1])[-32:].hex() not in done.output


def test_keygen_overwrites_nothing(tmp_path: Path) -> None:
    """Where either file is there already, nothing is written and nothing of it changes."""
    made(tmp_path / "a")
    before = (tmp_path / "a").read_bytes(), (tmp_path / "a.pub").read_bytes()
    assert made(tmp_path / "a").exit_code == 2
    assert before == ((tmp_path / "a").read_bytes(), (tmp_path / "a.pub").read_bytes())
    (tmp_path / "b").write_text("mine")
    done = made(tmp_path / "b")
    assert (done.exit_code, "no key is overwritten" in done.output) == (2, True)
    assert ((tmp_path / "b").read_text(), (tmp_path / "b.pub").exists()) == ("mine", False)
    assert "No such file" in made(tmp_path / "nowhere" / "c").output


@pytest.mark.parametrize("way", ["environment", "file"])
def test_a_passphrase_seals_the_private_key(way: str, tmp_path: Path) -> None:
    """With a passphrase from the environment or a file the key opens by it alone; it is never told."""
    (tmp_path / "pass").write_text("Geheimnis 7\n")
    options = ("--key-passphrase-file", str(tmp_path / "pass")) if way == "file" else ()
    done = made(tmp_path / "k", *options, **({} if options else {PASSPHRASE_VARIABLE: "Geheimnis 7"}))
    assert (done.exit_code, "Geheimnis" in done.output) == (0, False)
    assert b"ENCRYPTED PRIVATE KEY" in (tmp_path / "k").read_bytes()
    assert read_private(tmp_path / "k", b"Geheimnis 7").public_key() == read_public(tmp_path / "k.pub")
    for wrong, told in ((b"", "none was given"), (b"Geheimnis 8", "does not open it")):
        with pytest.raises(ConfigError, match=told):
            read_private(tmp_path / "k", wrong)


def test_an_empty_passphrase_file_seals_nothing(tmp_path: Path) -> None:
    """A file of which a passphrase was to come and that has none is wrong usage, before a key is made."""
    (tmp_path / "pass").write_text("\n")
    assert made(tmp_path / "k", "--key-passphrase-file", str(tmp_path / "pass")).exit_code == 2
    assert not (tmp_path / "k").exists()


def test_a_key_of_another_kind_is_told(tmp_path: Path) -> None:
    """The other half of a pair, another algorithm, a certificate and a text are refused, each with what it is."""
    elliptic = new_elliptic(SECP256R1())
    private = elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = elliptic.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path = tmp_path / "key"
    for content, told in (
        (public_pem(KEY.public_key()), "is a public key"),
        (private, "another kind than Ed25519"),
        (b"nothing", "no private key in PEM form"),
        (b"\x00\xff", "no private key in PEM form"),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=f"--sign .*key: .*{told}"):
            read_private(path, b"")
    for content, told in (
        (private_pem(KEY), "is a private key"),
        (public, "another kind than Ed25519"),
        (b"nothing", "no public key in PEM form"),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=f"--key .*key: .*{told}"):
            read_public(path)
    assert load_private(private_pem(KEY), b"left over").public_key() == KEY.public_key(), "a passphrase too many"
