"""The demo's server as a child process that never outlives the demo."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from shared import protocol

HOST = "127.0.0.1"
STARTS_WITHIN = 60.0  # seconds
STOPS_WITHIN = 15.0
_PR_SET_PDEATHSIG = 1


class ServerFailed(Exception):
    """The server did not start; the text says what is known."""


def free_port(port: int) -> int:
    """The port if nobody listens on it (0: any that is free). Raises OSError if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    folder: Path, port: int, meanwhile: Callable[[], None]
) -> Iterator[subprocess.Popen[bytes]]:
    """The server on that folder's data, from its first answer until the block ends.

    ``meanwhile`` is done while it starts.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GRIDLEDGER_")}
    command = [sys.executable, "-c", "from gridledger.cli import main; main()", "serve"]
    child = subprocess.Popen(
        [*command, "--data", str(folder), "--host", HOST, "--port", str(port)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    try:
        meanwhile()
        _wait(child, f"http://{HOST}:{port}{protocol.ENROL}")
        yield child
    finally:
        _end(child)


def _wait(child: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise ServerFailed(f"exit code {child.returncode}")
        with suppress(URLError, OSError):
            try:
                with urlopen(url, timeout=10):
                    return
            except HTTPError as answered:
                answered.close()
                return
        time.sleep(0.05)
    raise ServerFailed(f"no answer within {STARTS_WITHIN:.0f} s")


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_with_parent() -> None:
    """Ask the kernel to end the server too when the demo is killed, which it could not see."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
