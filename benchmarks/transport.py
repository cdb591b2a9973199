"""What one small POST costs: SocketTransport, http.client and requests against a trivial server in its own process.

Run with `python benchmarks/transport.py [CALLS]`. Prints the median of five rounds, in microseconds a call: the CPU
time of this process, which is what the transport costs, and the time on the clock, the server and both wake-ups
included.
"""

from __future__ import annotations

import asyncio
import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import requests

from xenconform.conformance.transport import HttpReply, RequestsTransport, SocketTransport
from xenconform.models.target import parse_target

REPLY_BODY = b'{"jsonrpc":"2.0","result":"OpaqueRef:1","id":1}'
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(REPLY_BODY),
    REPLY_BODY,
)
BODY = b'{"jsonrpc":"2.0","method":"VM.get_uuid","params":["OpaqueRef:s","OpaqueRef:v"],"id":1}'
ROUNDS = 5


class Server(asyncio.Protocol):
    """Answers whatever comes with the same reply: each request here is one segment."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer at the end of each body."""
        if data.endswith(b"}"):
            self.transport.write(REPLY)


async def serve() -> None:
    """Listen on a free port, print it, and serve until the parent closes our input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def measured(post: Callable[[], object], calls: int) -> tuple[float, float]:
    """Return the microseconds of CPU and of the clock that a call takes."""
    for _ in range(100):
        post()
    cpu, clock = [], []
    for _ in range(ROUNDS):
        cpu_start, start = time.process_time(), time.perf_counter()
        for _ in range(calls):
            post()
        cpu.append((time.process_time() - cpu_start) / calls * 1e6)
        clock.append((time.perf_counter() - start) / calls * 1e6)
    return statistics.median(cpu), statistics.median(clock)


def posts(port: int) -> dict[str, Callable[[], object]]:
    """Return a function that posts once, for each way to do it."""
    target = parse_target(f"http://127.0.0.1:{port}")
    sockets, wrapped = SocketTransport(target), RequestsTransport(target)
    plain = http.client.HTTPConnection("127.0.0.1", port)
    session = requests.Session()
    session.trust_env = False
    headers = {"Content-Type": "application/json"}

    def by_http_client() -> bytes:
        plain.request("POST", "/jsonrpc", BODY, headers)
        return plain.getresponse().read()

    def checked(transport: SocketTransport | RequestsTransport) -> None:
        result = transport.post("/jsonrpc", BODY, "application/json", 10.0)
        assert isinstance(result, HttpReply), result

    return {
        "SocketTransport": lambda: checked(sockets),
        "http.client": by_http_client,
        "requests": lambda: session.post(f"{target}/jsonrpc", data=BODY, headers=headers, timeout=10).content,
        "RequestsTransport": lambda: checked(wrapped),
    }


def main() -> None:
    """Start the server, measure each way, print the table."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
        return
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - ourselves
        assert server.stdout is not None
        assert server.stdin is not None
        print(f"{'':20}{'CPU µs':>10}{'clock µs':>10}")
        for name, post in posts(int(server.stdout.readline())).items():
            cpu, clock = measured(post, calls)
            print(f"{name:20}{cpu:10.1f}{clock:10.1f}")
        server.stdin.close()


if __name__ == "__main__":
    main()
