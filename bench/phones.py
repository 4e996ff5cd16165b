"""Phones as the server sees them: what they send, made beforehand, and sent over HTTP."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from collections.abc import Iterable
from typing import Any

from bench.data import District, visit_values
from bench.server import Running
from bench.together import together
from shared import ids, protocol
from shared.operations import Operation, Transaction

MOST_BYTES = protocol.MAX_COMPRESSED - 64 * 1024  # as mobile.sync.push has it


def said() -> dict[str, Any]:
    """What a phone says of itself."""
    return {
        "app": "gridledger-phone/1",
        "clock": {"wall": time.time_ns() // 1_000_000, "mono": 1000, "boot": "bench"},
        "waiting": {"transactions": 0, "photos": 0, "bytes": 0},
    }


class PushingPhone:
    """One worker's phone that pushes visits of its own, numbered on."""

    def __init__(self, district: District, number: int) -> None:
        _, self.token, self.user, self.grid = district.phones[number]
        self.doors = district.doors[self.grid]
        self.dseq = 0

    def bodies(self, visits: int) -> list[bytes]:
        """The bodies of the pushes that carry so many new visits."""
        out = []
        for start in range(0, visits, protocol.PUSH_BATCH):
            size = min(protocol.PUSH_BATCH, visits - start)
            lines: list[Any] = [{"v": 1, "epoch": "", "confirmed": self.dseq, **said()}]
            for n in range(size):
                self.dseq += 1
                transaction = self._visit(self.doors[(start + n) % len(self.doors)])
                lines.append([self.dseq, transaction.id, transaction.to_text()])
            text = "\n".join(
                json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines
            )
            out.append(gzip.compress(text.encode(), 6, mtime=0))
        return out

    def _visit(self, door_id: str) -> Transaction:
        now = time.time_ns() // 1_000_000
        operation = Operation(
            "create", "visit", ids.new_id(), ids.grid_partition(self.grid),
            values=visit_values(door_id, now),
        )  # fmt: skip
        return Transaction(
            ids.new_id(), self.user, now, 1000, "bench", ("", 1), (operation,), "gridledger-phone/1"
        )


def post(
    connection: http.client.HTTPConnection, path: str, token: str, body: bytes, type_: str
) -> bytes:
    """One request on a connection that stays open; the body of the answer, as sent."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": type_, "Accept-Encoding": "gzip"}
    if type_ == protocol.NDJSON:
        headers["Content-Encoding"] = "gzip"
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {answer[:300]!r}")
    return answer


def push_all(running: Running, phones: Iterable[tuple[str, list[bytes]]]) -> float:
    """Every phone at once, each its bodies in their order; the seconds that took."""

    def one(token: str, bodies: list[bytes]) -> None:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=300)
        for body in bodies:
            answer = json.loads(post(connection, protocol.PUSH, token, body, protocol.NDJSON))
            results = {one["result"] for one in answer["answers"]}
            if results != {"applied"}:
                raise RuntimeError(f"not all applied: {answer['answers'][0]}")
        connection.close()

    return together(one, phones)
