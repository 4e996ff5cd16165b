"""A phone that dies: acts and syncs in a process of its own, until SIGKILL at a chosen step.

`python -m gridledger.simulate.killed FOLDER STEP OFFSET SAVED ACTS`. A step is one statement of
SQLite, one request sent, or one answer received. What was saved before the end goes to the file
SAVED, each line on the disk before the next step, so that the store cannot forget it unnoticed.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import requests

from gridledger.simulate.actors import Handset, JumpingClock
from gridledger.simulate.plan import Act
from gridledger.simulate.record import Record
from mobile.storage.store import Store


def count_down(steps: int) -> None:
    """From now on every step counts; at the last one this process is gone."""
    left = steps

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    connect, send = Store._connect, requests.Session.send

    def connecting(store: Store) -> sqlite3.Connection:
        db = connect(store)
        db.set_trace_callback(step)
        return db

    def sending(session: requests.Session, request: Any, **more: Any) -> requests.Response:
        step()
        response = send(session, request, **more)
        step()
        return response

    Store._connect = connecting  # type: ignore[method-assign,assignment]
    requests.Session.send = sending  # type: ignore[method-assign,assignment]


def main() -> None:
    """Act, sync, and die; whoever comes to the end dies there."""
    folder, steps, offset, saved, acts = sys.argv[1:6]
    count_down(int(steps))
    record = Record()
    clock = JumpingClock(int(offset))
    phone = Handset("killed", Path(folder), "", None, record, clock)
    phone.take()
    known = set(record.saved)
    with Path(saved).open("a", encoding="utf-8") as file:
        for raw in json.loads(acts):
            phone.do(Act(**raw))
            for tx_id in set(record.saved) - known:
                file.write(json.dumps([tx_id, record.saved[tx_id].text]) + "\n")
                known.add(tx_id)
            file.flush()
            os.fsync(file.fileno())
    phone.sync()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
