"""Part of every script of a case: its command line and its exit code. See `script.py`.

What is above the line of equal signs goes to the head of a script, what is below it to its end.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from xenconform.reports.cases.runtime_server import CannotRunError, DefectError, Server

# ======================================================================================================================
# Part 3 of what every such script has: the command line and the exit code.

SHOWS, DOES_NOT_SHOW, CANNOT_RUN = 1, 0, 2


def main(steps: Callable[[Server], None], url: str, repeats: int) -> int:
    """Run the steps on the server that the command line names, and return the exit code."""
    parser = argparse.ArgumentParser(description="Exit code: 1 the defect shows, 0 it does not, 2 cannot be run.")
    parser.add_argument("url", nargs="?" if url else None, default=url, help="http(s)://HOST[:PORT] or unix:///PATH")
    parser.add_argument("--insecure", action="store_true", help="accept any TLS certificate")
    said = parser.parse_args()
    try:
        user = os.environ.get("XENCONFORM_USER") or "root"
        password = os.environ.get("XENCONFORM_PASSWORD")
        if password is None:
            password = getpass.getpass(f"Password of {user}: ")
        server = Server(said.url, user, password, said.insecure)
        server.streams = repeats == 1
        for _ in range(repeats):
            server.told.clear()
            try:
                steps(server)
            finally:
                server.clean_up()
    except DefectError as why:
        return ended(server.told, f"The defect shows: {why}", SHOWS)
    except CannotRunError as why:
        return ended([], f"The case cannot be run here: {why}", CANNOT_RUN)
    except Exception:  # noqa: BLE001 - Python's own exit code for it would say that the defect shows
        return ended([], traceback.format_exc(), CANNOT_RUN)
    tries = f" in {repeats} tries" if repeats > 1 else ""
    return ended(server.told, f"The defect does not show{tries}.", DOES_NOT_SHOW)


def ended(told: Sequence[str], text: str, code: int) -> int:
    """Print what was told of the last try and how it ended; return the exit code."""
    sys.stdout.write("".join(told) + f"\n{text}\n")
    return code
