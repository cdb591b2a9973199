"""`xenconform keygen`: a pair of keys to sign certificates with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from xenconform.conformance.cli.signing import PASSPHRASE_VARIABLE, passphrase_of, passphrase_option
from xenconform.conformance.suite.settings import ConfigError
from xenconform.reports.certificate.keys import key_id, new_key, private_pem, public_pem

USAGE = 2
PUBLIC = ".pub"
"""What is put behind the private key's name for the public one."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@passphrase_option
def keygen(path: Path, key_passphrase_file: str) -> None:
    """Make a private key at PATH, which only you can read, and its public key at PATH.pub.

    Keys are of Ed25519, in PEM form. With a passphrase, from the environment or a file, the private one is sealed.
    Nothing is ever overwritten. Exit codes: 0 made, 2 wrong usage.
    """
    key = new_key()
    public = path.with_name(f"{path.name}{PUBLIC}")
    try:
        passphrase = passphrase_of(key_passphrase_file, os.environ)
        _write_new(public, public_pem(key.public_key()), 0o644)
        try:
            _write_new(path, private_pem(key, passphrase), 0o600)
        except ConfigError:
            public.unlink()
            raise
    except ConfigError as why:
        click.echo(f"xenconform: {why}", err=True)
        sys.exit(USAGE)
    sealed = "sealed with the passphrase" if passphrase else f"not sealed: {PASSPHRASE_VARIABLE} was empty"
    click.echo(f"private key {path}, {sealed}; whoever has it signs in your name")
    click.echo(f"public key  {public}; give it to whoever verifies")
    click.echo(f"key id      {key_id(key.public_key())}")


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that was not there, of a mode from its first byte on.

    Raises:
        ConfigError: it is there, or cannot be written.
    """
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise ConfigError(f"{path}: it is there already, and no key is overwritten; give another name") from None
    except OSError as why:
        raise ConfigError(f"{path}: {why.strerror}; give a file in a folder that can be written") from why
    with os.fdopen(made, "wb") as file:
        file.write(content)
