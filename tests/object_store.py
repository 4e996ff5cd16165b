"""A real S3 server for the tests: `rclone serve s3` on a folder."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

KEY, SECRET = "gridledger", "gridledger-secret"


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """The port of a server whose buckets are the folders of ``folder``: there is "bucket"."""
    (folder / "bucket").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    rclone = str(Path(sys.executable).with_name("rclone"))
    command = [rclone, "serve", "s3", "--config", "/dev/null", "--addr", f"127.0.0.1:{port}",
               "--auth-key", f"{KEY},{SECRET}", str(folder)]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port)
            yield port
        finally:
            server.terminate()


def url(port: int, prefix: str = "photos") -> str:
    """GRIDLEDGER_BLOBS_URL of a place in its bucket."""
    return (
        f"s3://bucket/{prefix}?endpoint=http://127.0.0.1:{port}"
        f"&access_key_id={KEY}&secret_access_key={SECRET}"
    )


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except HTTPError as answered:
            answered.close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("rclone did not start")
