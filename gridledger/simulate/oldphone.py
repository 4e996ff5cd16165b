"""A phone of another version, spoken by hand: what it pushes is taken for ever."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

import requests

from gridledger.simulate.record import Record
from shared import ids, protocol

VERSIONS = (1, 999)  # the first there was, and one that the server has never heard of
TIMEOUT = 60


class OldPhone:
    """It knows no more than the first version's required members, and keeps what it sent."""

    def __init__(self, server: str, user_id: str, record: Record) -> None:
        self.server, self.user_id, self._record = server, user_id, record
        self._token = self._device = ""
        self._texts: list[tuple[str, str]] = []
        self.answered = False

    def enrol(self, code: str) -> None:
        """Take an identity; after a restore the same one again."""
        request: dict[str, Any] = {"code": code, "name": "旧手机"}
        if self._device:
            request["device_id"] = self._device
        answer = requests.post(self.server + protocol.ENROL, json=request, timeout=TIMEOUT).json()
        self._token, self._device = answer["token"], answer["device_id"]

    def save(self, partition: str, household_id: str, numbers: Sequence[int]) -> None:
        """A visit as version 1 wrote it, and one with a field that this server does not know."""
        for more, number in zip(({}, {"mood": "good"}), numbers, strict=False):
            values = {
                "target_kind": "household", "target_id": household_id, "reason": "routine",
                "outcome": "met", "note": f"走访 {number}", "visited_at": 1_700_000_000_000, **more,
            }  # fmt: skip
            tx_id = ids.new_id()
            text = json.dumps(
                {
                    "id": tx_id, "author": self.user_id, "made_at": 1_700_000_000_000, "mono": 1,
                    "boot": "old", "scope": ["", 0],
                    "operations": [
                        {"op": "create", "kind": "visit", "id": ids.new_id(),
                         "partition": partition, "values": values}
                    ],
                }
            )  # fmt: skip
            self._texts.append((tx_id, text))
            self._record.add(tx_id, text)
            self.answered = False

    def push(self, version: int = VERSIONS[0]) -> bool:
        """Everything from the beginning; whether each got an answer. A stranger must enrol."""
        header = {
            "v": version, "epoch": "", "clock": {"wall": 0, "mono": 0, "boot": "old"},
            "waiting": {"transactions": len(self._texts), "photos": 0, "bytes": 0},
        }  # fmt: skip
        lines = [header, *([n, i, text] for n, (i, text) in enumerate(self._texts, 1))]
        try:
            response = requests.post(
                self.server + protocol.PUSH,
                data=gzip.compress("\n".join(json.dumps(line) for line in lines).encode()),
                headers={"Authorization": f"Bearer {self._token}", "Content-Encoding": "gzip",
                         "Content-Type": protocol.NDJSON},
                timeout=TIMEOUT,
            )  # fmt: skip
        except requests.RequestException:
            return False
        self.answered = response.status_code == 200 and len(response.json()["answers"]) == len(
            self._texts
        )
        return self.answered
