"""The key files and the files of a report folder, for the commands that sign and verify."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from xenconform.conformance.suite.selection import whole
from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.api import Api
from xenconform.models.extent import limits_of
from xenconform.models.results import Overall, Results
from xenconform.reports.cases.save import FOLDER
from xenconform.reports.certificate import CERTIFICATE
from xenconform.reports.certificate.dsse import PAYLOAD_TYPE, render_envelope, sign
from xenconform.reports.certificate.keys import KeyFormError, key_id, load_private, load_public
from xenconform.reports.certificate.statement import Certified, render_statement
from xenconform.reports.write import LOG, RENDERERS, write_whole

PASSPHRASE_VARIABLE = "XENCONFORM_KEY_PASSPHRASE"  # noqa: S105 - the variable's name
NO_FILE = "no regular file"
"""The digest of what is no regular file: the same as that of no file."""

passphrase_option = click.option(
    "--key-passphrase-file",
    default="",
    metavar="FILE",
    help=f"File with the passphrase of the key; {PASSPHRASE_VARIABLE} works too.",
)


@dataclass(frozen=True, slots=True)
class Signing:
    """Whether a run is signed, and by which key."""

    key: Ed25519PrivateKey | None

    @classmethod
    def of(cls, key: str, passphrase_file: str, environment: Mapping[str, str]) -> Signing:
        """Return how the options say that a run is signed.

        Raises:
            ConfigError: the key cannot be used.
        """
        return cls(read_private(Path(key), passphrase_of(passphrase_file, environment)) if key else None)

    def check_room(self, folder: Path) -> None:
        """Make sure that a folder that is to be signed will hold files of the run alone.

        Raises:
            ConfigError: it holds another one, which nobody could vouch for.
        """
        others = sorted(files_of(folder)) if self.key is not None else []
        if others:
            raise ConfigError(f"--out {folder}: with --sign it may hold nothing else, and has {others[0]}; move it out")

    def sign(self, folder: Path, results: Results, api: Api) -> str:
        """Write the certificate of a folder, if it is to be signed; return what to tell of it, "" for nothing.

        A run without a verdict is not signed.

        Raises:
            OSError: a file cannot be read or written.
        """
        if self.key is None:
            return ""
        if results.verdict is Overall.INCOMPLETE:
            return "Not signed: the run has no verdict"
        ours = {name: path for name, path in files_of(folder).items() if is_of_a_run(name)}
        certified = Certified(results, limits_of(results.start, whole(api)), digests_of(ours))
        envelope = sign(render_statement(certified), PAYLOAD_TYPE, self.key)
        write_whole(folder / CERTIFICATE, render_envelope(envelope))
        return f"Signed as {folder / CERTIFICATE} by the key {key_id(self.key.public_key())}"


def is_of_a_run(name: str) -> bool:
    """Whether a file of a report folder is one that a run writes."""
    return name in {LOG, *RENDERERS} or name.startswith(f"{FOLDER}/")


def files_of(folder: Path) -> dict[str, Path]:
    """Return all that is in a report folder and below it, but folders and the certificate, by its name there.

    Links are not followed into other folders: each is one entry.
    """
    found: dict[str, Path] = {}
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*files, *links):
            path = Path(place) / name
            found[path.relative_to(folder).as_posix()] = path
    found.pop(CERTIFICATE, None)
    return dict(sorted(found.items()))


def digests_of(paths: Mapping[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of files, by name; of what is no regular file no digest, but `NO_FILE`.

    Raises:
        OSError: one cannot be read.
    """
    return {name: _digest(path) if path.is_file() else NO_FILE for name, path in paths.items()}


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def passphrase_of(file: str, environment: Mapping[str, str]) -> bytes:
    """Return the passphrase of a file, else of the environment, b"" where there is neither.

    Raises:
        ConfigError: the file cannot be read, or holds none.
    """
    if not file:
        return environment.get(PASSPHRASE_VARIABLE, "").encode(errors="surrogateescape")
    found = _read(Path(file), "--key-passphrase-file", "give a file that holds the passphrase").rstrip(b"\r\n")
    if not found:
        raise ConfigError(f"--key-passphrase-file {file}: it is empty; give a file that holds the passphrase")
    return found


def read_private(path: Path, passphrase: bytes) -> Ed25519PrivateKey:
    """Return the private key of a file.

    Raises:
        ConfigError: it cannot be read or used; the text never has any of it.
    """
    fix = f"give one of `xenconform keygen`, and its passphrase in {PASSPHRASE_VARIABLE} or --key-passphrase-file"
    try:
        return load_private(_read(path, "--sign", fix), passphrase)
    except KeyFormError as why:
        raise ConfigError(f"--sign {path}: {why}; {fix}") from why


def read_public(path: Path) -> Ed25519PublicKey:
    """Return the public key of a file.

    Raises:
        ConfigError: it cannot be read or used.
    """
    fix = "give the public key, the .pub file, of whoever certified"
    try:
        return load_public(_read(path, "--key", fix))
    except KeyFormError as why:
        raise ConfigError(f"--key {path}: {why}; {fix}") from why


def _read(path: Path, option: str, fix: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as why:
        raise ConfigError(f"{option} {path}: {why.strerror}; {fix}") from why
