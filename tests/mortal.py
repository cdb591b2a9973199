"""A server, as a process of its own, that dies a while after a certain request.

`python mortal.py PORT PIDFILE [TEXT [SECONDS]]`

It answers that request and those that come in the meantime, so that whoever sent the last one is not to blame.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from turncoat import Turn, http, turncoat

DEADLY = sys.argv[3].encode() if len(sys.argv) > 3 and __name__ == "__main__" else b"hasOwnProperty"
"""What a deadly request holds: TEXT, where it is given."""
AFTER = float(sys.argv[4]) if len(sys.argv) > 4 and __name__ == "__main__" else 0.1
"""Seconds from its answer until it dies."""


def answer(turn: Turn) -> bool:
    """Answer as the sound server does."""
    turn.sock.sendall(http(turn.answer))
    if DEADLY in turn.raw:
        threading.Timer(AFTER, os._exit, (1,)).start()
    return not turn.answer.close


if __name__ == "__main__":
    with turncoat(answer, port=int(sys.argv[1])) as server:
        Path(sys.argv[2]).write_text(str(os.getpid()))
        server.stop.wait()
