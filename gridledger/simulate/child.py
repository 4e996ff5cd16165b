"""The simulated server's process: `gridledger serve`, with a place where it can be killed.

`python -m gridledger.simulate.child CONTROL serve ...`. A file ``kill`` in the control folder makes
the next process that is about to commit receipts die there, by SIGKILL, with all it has written.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from server.storage import direct

KILL, WORKERS = "kill", "workers"


def watch(control: Path) -> None:
    """Note which processes speak to the database, and die where the file asks for it."""

    @event.listens_for(Engine, "connect")
    def _connected(_connection: Any, _record: Any) -> None:
        (control / WORKERS / str(os.getpid())).touch()

    here = threading.local()  # a request is served by one thread, from its first row to its commit

    def written(statement: str, _given: Any) -> None:
        if statement.startswith("INSERT INTO receipt"):
            here.receipts = True

    direct.listeners.append(written)  # what goes by the driver itself, as on PostgreSQL

    @event.listens_for(Engine, "before_cursor_execute")
    def _executing(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        written(statement, given)

    @event.listens_for(Engine, "rollback")
    def _rolled_back(_connection: Any) -> None:
        here.receipts = False

    @event.listens_for(Engine, "commit")
    def _committing(_connection: Any) -> None:
        receipts, here.receipts = getattr(here, "receipts", False), False
        if receipts and _claimed(control):
            os.kill(os.getpid(), signal.SIGKILL)


def _claimed(control: Path) -> bool:
    """Whether this process is the one to die: a file can be taken away once."""
    try:
        (control / KILL).unlink()
    except FileNotFoundError:
        return False
    return True


def main() -> None:
    """Set the trap, then be `gridledger`."""
    control = Path(sys.argv[1])
    sys.argv = ["gridledger", *sys.argv[2:]]
    watch(control)
    from gridledger.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
