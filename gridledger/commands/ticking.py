"""The embedded server does what is due by itself: a thread of its one process."""

from __future__ import annotations

import threading
from typing import Any

import structlog

log = structlog.get_logger()


def keep_ticking(app: Any, seconds: float, stop: threading.Event | None = None) -> threading.Thread:
    """Tick every so often until the process ends, or ``stop`` is set.

    A tick that fails is logged, and the next one tries again.
    """
    halted = stop or threading.Event()
    thread = threading.Thread(target=_loop, args=(app, seconds, halted), name="tick", daemon=True)
    thread.start()
    return thread


def _loop(app: Any, seconds: float, stop: threading.Event) -> None:
    from server.operations.tick import tick
    from server.storage.database import db

    while not stop.wait(seconds):
        with app.app_context():
            try:
                tick()
            except Exception:
                log.exception("the tick failed")
            finally:
                db.session.remove()
