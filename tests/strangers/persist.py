"""A stranger that can be restarted: its state goes through a file's worth of bytes, its sessions and sockets end.

A second socket lives on through restarts; a call to it restarts the server and returns when it serves again.
"""

from __future__ import annotations

import copy
import socket
import sys
import threading
from typing import Any

from strangers.values import Values

ASK = "import socket, sys; s = socket.create_connection(('127.0.0.1', {port})); sys.exit(s.recv(2) != b'ok')"


class Persist(Values):
    """What outlives a restart of a store; `stop_serving` and `serve` are the server's own."""

    lock: threading.RLock

    def serve(self) -> None:
        raise NotImplementedError

    def stop_serving(self) -> None:
        raise NotImplementedError

    def open_control(self) -> threading.Thread:
        """Listen for restarts; return the thread that does, which ends when `close_control` is called."""
        self.control = socket.create_server(("127.0.0.1", 0))
        return threading.Thread(target=self.watch_control, daemon=True)

    def close_control(self) -> None:
        self.control.shutdown(socket.SHUT_RDWR)
        self.control.close()

    @property
    def restart_command(self) -> str:
        """A shell command that restarts the server and ends when it serves again."""
        port = self.control.getsockname()[1]
        return f"{sys.executable} -I -c {chr(34)}{ASK.format(port=port)}{chr(34)}"

    def watch_control(self) -> None:
        while True:
            try:
                asked, _ = self.control.accept()
            except OSError:
                return
            with asked:
                self.restart()
                asked.sendall(b"ok")

    def restart(self) -> None:
        self.stop_serving()
        with self.lock:
            self.objects = self.load(self.kept(self.objects))
        self.serve()

    def kept(self, objects: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what is on the disk when the server ends."""
        gone = set() if "sessions_last" in self.tastes else {"session"}
        passing = gone | ({"task"} if "tasks_end" in self.tastes else set())
        return {cls: {} if cls in passing else copy.deepcopy(rows) for cls, rows in objects.items()}

    def load(self, objects: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the objects as the server that starts has them."""
        return {cls: {ref: self.revived(cls, ref, row) for ref, row in rows.items()} for cls, rows in objects.items()}

    def revived(self, _cls: str, _ref: str, row: dict[str, Any]) -> dict[str, Any]:
        """Return one object as it was read."""
        return row
