"""`xenconform serve`: the reference server."""

from __future__ import annotations

from pathlib import Path

import click

from xenconform.conformance.reference.faults import find
from xenconform.conformance.reference.run import Settings
from xenconform.conformance.reference.run import serve as run
from xenconform.conformance.reference.users import read_users

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port to listen on; 0 takes any."
)
@click.option("--unix", type=click.Path(path_type=Path), help="Listen on a unix socket at this path instead.")
@click.option("--tls", type=(_FILE, _FILE), metavar="CERT KEY", help="Serve HTTPS with this certificate and key (PEM).")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="Keep every write in this file.")
@click.option("--users", type=_FILE, help="Users who may log in: TOML or JSON, name to {password, roles}.")
@click.option("--seed", type=int, default=0, show_default=True, help="Makes the uuids and refs of a new world.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Switch on a fault: `xenconform faults list`.")
@click.option("--until-eof", is_flag=True, help="Stop too when standard input, which must be a pipe, ends.")
def serve(  # noqa: PLR0913 - one parameter an option, as click passes them
    *,
    host: str,
    port: int,
    unix: Path | None,
    tls: tuple[Path, Path] | None,
    state: Path | None,
    users: Path | None,
    seed: int,
    faults: tuple[str, ...],
    until_eof: bool,
) -> None:
    """Run the reference server until it is stopped by SIGTERM or ctrl-C.

    Without --users: root, and a user of each role, named like the role; every password is "password".
    """
    try:
        chosen = tuple(map(find, faults))
        known = read_users(users) if users else None
        settings = Settings(
            host=host,
            port=port,
            unix=unix,
            tls=tls,
            state=state,
            users=known,
            seed=seed,
            faults=chosen,
            until_eof=until_eof,
        )
        run(settings, click.echo)
    except (OSError, ValueError) as why:
        raise click.UsageError(str(why)) from why
