"""The floor of a request: Flask and gunicorn as the product runs them, and nothing else.

`python -m bench.bare FILE WORKERS` answers every POST with the bytes of the file.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

from flask import Flask, Response
from gunicorn.app.base import BaseApplication

from gridledger.commands.serve import THREADS


def main() -> None:
    """Serve until told to stop."""
    body, workers = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": f"127.0.0.1:{port}",
                "workers": workers,
                "threads": THREADS,
                "worker_class": "gthread",
                "keepalive": 15,
                "loglevel": "warning",
                "control_socket_disable": True,
                "when_ready": lambda _: print(f"http://127.0.0.1:{port} ready", flush=True),
            }.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            app = Flask("bare")

            @app.post("/api/v1/pull")
            def _answer() -> Response:
                response = Response(body, mimetype="application/x-ndjson")
                response.headers["Content-Encoding"] = "gzip"
                return response

            return app

    Server().run()


if __name__ == "__main__":
    main()
