"""What a request costs the sender: `portal.http` on httpx, beside the same module on its successor httpx2.

    python -m bench.http_clients [--requests 10000] [--json]

Each library runs in a process of its own, which puts it in httpx's place before `portal.http` is imported: what is
measured is the program's own way of sending, with each answer read whole. The server is another process that answers
201 at once. CPU is that of the sender's whole process, threads included; the best of three rounds, taken in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

LIBRARIES: Final = ("httpx", "httpx2")
THREADS: Final = (1, 4)
_ROUNDS: Final = 3
_ROOT: Final = Path(__file__).parents[1]
_ANSWER: Final = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n"
    b'{"id": "om-1", "version": "01"}'
)
_BODY: Final = json.dumps(
    {
        "externalId": "A" * 32, "instrument": "phq-9", "loinc": "44261-6", "score": 14, "administeredOn": "2026-03-02",
        "status": "final", "items": [{"linkId": str(number), "value": 1} for number in range(1, 10)],
    }
).encode()  # fmt: skip


class _Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._got = b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        _, end, body = self._got.partition(b"\r\n\r\n")
        if end and len(body) >= len(_BODY):
            self._got = b""
            self._transport.write(_ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _send(library: str, url: str, requests: int, threads: int) -> dict[str, float]:
    """Microseconds of CPU for each request, and requests per second."""
    sys.modules["httpx"] = importlib.import_module(library)
    from portal.http import exchange, make_client

    headers = {"Content-Type": "application/json", "Idempotency-Key": "5f0c9d2e-0000-0000-0000-000000000000"}

    def work(count: int) -> None:
        with make_client() as client:
            for _ in range(count):
                assert exchange(client, "POST", url, headers=headers, content=_BODY).status == 201

    work(200)
    workers = [threading.Thread(target=work, args=(requests // threads,)) for _ in range(threads)]
    cpu, wall = time.process_time(), time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_us": cpu / requests * 1e6, "per_second": requests / wall}


def measured(requests: int) -> dict[str, float]:
    """The best of all rounds for each library and number of threads."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.http_clients", "--serve"], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    )
    figures: dict[str, float] = {}
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1/patients/P1/outcome-measures"
        for _ in range(_ROUNDS):
            for threads in THREADS:
                for library in LIBRARIES:
                    one = _child(library, url, requests, threads)
                    cpu, speed = f"{library}_{threads}_cpu_us", f"{library}_{threads}_per_second"
                    figures[cpu] = min(figures.get(cpu, 1e9), one["cpu_us"])
                    figures[speed] = max(figures.get(speed, 0.0), one["per_second"])
    finally:
        server.kill()
        server.wait()
    for threads in THREADS:
        figures[f"ratio_{threads}_cpu"] = figures[f"httpx2_{threads}_cpu_us"] / figures[f"httpx_{threads}_cpu_us"]
    return figures


def _child(library: str, url: str, requests: int, threads: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.http_clients", "--send", library, url, str(requests), str(threads)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{library} ended with {done.returncode}:\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Print the table; with `--json` the figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--send", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.serve:
        asyncio.run(_serve())
    elif given.send:
        library, url, requests, threads = given.send
        print(json.dumps(_send(library, url, int(requests), int(threads))))
    else:
        figures = measured(given.requests)
        print(f"{'threads':>8}{'':4}{'httpx CPU':>14}{'httpx2 CPU':>14}{'ratio':>8}{'httpx/s':>10}{'httpx2/s':>10}")
        for threads in THREADS:
            old, new = (figures[f"{library}_{threads}_cpu_us"] for library in LIBRARIES)
            speeds = [figures[f"{library}_{threads}_per_second"] for library in LIBRARIES]
            print(
                f"{threads:8}{'':4}{old:11.0f} us{new:11.0f} us{figures[f'ratio_{threads}_cpu']:8.2f}"
                f"{speeds[0]:10.0f}{speeds[1]:10.0f}"
            )
        if given.json:
            print(json.dumps({"bench": "http_clients", "figures": figures, "goals": {}}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
