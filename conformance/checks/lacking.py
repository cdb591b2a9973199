"""What a bench has no way to do unless the run says how."""

from __future__ import annotations

import socket

from xenconform.conformance.checks.judging import Unavailable


def no_restart() -> None:
    """Say that the server of a run cannot be restarted.

    Raises:
        Unavailable: always.
    """
    raise Unavailable("nobody said how to restart this server: give --restart-command")


def no_way_in(_seconds: float) -> socket.socket:
    """Raise Unavailable: no bare connection leads to the server of a run."""
    raise Unavailable("no bare connection leads to this server, such as through a proxy")
