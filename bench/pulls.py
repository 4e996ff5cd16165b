"""What the pull benchmarks share: requests as phones send them, asked over HTTP in turns."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from typing import Any

from bench.phones import post, said
from bench.result import Result, best, peak_rss, tell
from bench.server import Running, Site, bare, serving
from shared import protocol

RUNS, REQUESTS = 5, 60


def request(cursors: dict[str, list[Any]], epoch: str) -> bytes:
    """The body of a pull by a phone that holds these partitions."""
    body = {"v": 1, "epoch": epoch, "scope_rev": 1, "partitions": cursors, "photos": [], **said()}
    return json.dumps(body).encode()


def ask(running: Running, token: str, body: bytes) -> bytes:
    """One pull; the answer as sent."""
    connection = http.client.HTTPConnection(running.host, running.port, timeout=300)
    try:
        return post(connection, protocol.PULL, token, body, "application/json")
    finally:
        connection.close()


def unpacked(answer: bytes) -> list[dict[str, Any]]:
    """The lines of an answer."""
    return [json.loads(line) for line in gzip.decompress(answer).splitlines()]


def rate(running: Running, token: str, body: bytes, requests: int = REQUESTS) -> float:
    """How many such requests one phone gets answered in a second, one after the other."""
    connection = http.client.HTTPConnection(running.host, running.port, timeout=300)
    start = time.perf_counter()
    for _ in range(requests):
        post(connection, protocol.PULL, token, body, "application/json")
    taken = time.perf_counter() - start
    connection.close()
    return requests / taken


def against_bare(
    found: Site, running: Running, name: str, unit: str, token: str, body: bytes
) -> Result:
    """A pull beside a bare Flask view that answers the same bytes."""
    answer = ask(running, token, body)
    with bare(answer, len(running.workers)) as floor_server, peak_rss(*running.workers) as peak:
        rate(running, token, body, 20)
        rate(floor_server, token, body, 20)
        value, floor = best(
            RUNS, lambda: rate(running, token, body), lambda: rate(floor_server, token, body)
        )
        tell(f"{name} on {found.name}: {len(answer):,} bytes, {1000 / value:.2f} ms")
        return Result(name, found.name, value, unit, floor, peak())


__all__ = ["against_bare", "ask", "rate", "request", "serving", "unpacked"]
