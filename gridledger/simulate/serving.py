"""The server under test: `gridledger serve` in processes of its own, to be killed at will."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from gridledger.demo.serving import HOST, ServerFailed, free_port
from gridledger.simulate.child import KILL, WORKERS
from shared import protocol

STARTS_WITHIN = 90.0  # seconds
_PR_SET_PDEATHSIG = 1


class Server:
    """The processes; ``folder`` gets their log, and the control files of `child`."""

    def __init__(self, folder: Path, data: Path, database_url: str) -> None:
        self.port = 0
        self._control = folder / "control"
        self._log = folder / "server.log"
        self._data, self._database_url = data, database_url
        self._child: subprocess.Popen[bytes] | None = None
        (self._control / WORKERS).mkdir(parents=True)

    def start(self) -> None:
        """Start it and wait for its first answer. Raises ServerFailed."""
        self.port = self.port or free_port(0)
        for old in (self._control / WORKERS).iterdir():
            old.unlink()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GRIDLEDGER_")}
        for kept in ("GRIDLEDGER_WORKERS", "GRIDLEDGER_PG_BIN", "GRIDLEDGER_BLOBS_URL"):
            if kept in os.environ:
                environment[kept] = os.environ[kept]
        environment["GRIDLEDGER_DATABASE_URL"] = self._database_url
        command = [sys.executable, "-m", "gridledger.simulate.child", str(self._control), "serve"]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [*command, "--data", str(self._data), "--host", HOST, "--port", str(self.port)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        self._wait()

    def kill(self) -> None:
        """SIGKILL to every process at once: the power is gone."""
        if self._child is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._child = None

    def kill_at_commit(self) -> Path:
        """The process that next commits receipts dies before it does; the file is gone then."""
        path = self._control / KILL
        path.touch()
        return path

    def kill_workers(self) -> int:
        """SIGKILL to every process that answers requests; others take their place. How many."""
        killed = 0
        parent = self._child.pid if self._child else 0
        for entry in list((self._control / WORKERS).iterdir()):
            entry.unlink()
            if int(entry.name) != parent:
                with suppress(ProcessLookupError):
                    os.kill(int(entry.name), signal.SIGKILL)
                    killed += 1
        return killed

    def log_tail(self) -> str:
        """The end of what it said."""
        if not self._log.exists():
            return ""
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def _wait(self) -> None:
        """Until it answers the one request that needs no sign-in and no database."""
        request = Request(f"http://{HOST}:{self.port}{protocol.PHOTOS}", method="OPTIONS")
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            assert self._child is not None
            if self._child.poll() is not None:
                raise ServerFailed(f"exit code {self._child.returncode}\n{self.log_tail()}")
            with suppress(URLError, OSError):
                try:
                    with urlopen(request, timeout=10):
                        return
                except HTTPError as answered:
                    answered.close()
                    return
            time.sleep(0.05)
        raise ServerFailed(f"no answer within {STARTS_WITHIN:.0f} s\n{self.log_tail()}")


def _end_with_parent() -> None:
    """Ask the kernel to end the server too when the simulation is killed."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
