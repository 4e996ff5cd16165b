"""The only bridge between worker threads and Kivy.

Work that touches the store or the network runs here; what it returns comes back on the Kivy
thread. ``quick`` work (reads, saves) never waits behind ``slow`` work (a sync, an enrolment).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from kivy.clock import Clock

log = logging.getLogger(__name__)

Then = Callable[[Any], None]
Failed = Callable[[Exception], None]


class Bridge:
    """Two lanes of one thread each; every call returns at once."""

    def __init__(self) -> None:
        self._quick = ThreadPoolExecutor(1, "store")
        self._slow = ThreadPoolExecutor(1, "sync")
        self._open = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether some work has not come back yet. For the Kivy thread only."""
        return self._open > 0

    def quick(
        self, work: Callable[[], Any], then: Then | None = None, failed: Failed | None = None
    ) -> None:
        """Do a read or a save; ``then(result)`` or ``failed(error)`` follows on the Kivy thread."""
        self._send(self._quick, work, then, failed)

    def slow(
        self, work: Callable[[], Any], then: Then | None = None, failed: Failed | None = None
    ) -> None:
        """Do what talks to the network."""
        self._send(self._slow, work, then, failed)

    def tell(self, what: Callable[..., None], *values: Any) -> None:
        """Called on a worker thread: run ``what(*values)`` on the Kivy thread."""
        Clock.schedule_once(lambda _: what(*values), 0)

    def close(self) -> None:
        """Finish what was begun, then end both threads; nothing comes back any more."""
        self._closed = True
        self._quick.shutdown(wait=True)
        self._slow.shutdown(wait=True, cancel_futures=True)

    def _send(
        self,
        lane: ThreadPoolExecutor,
        work: Callable[[], Any],
        then: Then | None,
        failed: Failed | None,
    ) -> None:
        def arrive(future: Future[Any]) -> None:
            self._open -= 1
            if self._closed:
                return
            error = future.exception()
            if error is None:
                if then:
                    then(future.result())
            elif failed and isinstance(error, Exception):
                failed(error)
            else:
                raise error

        if self._closed:
            return
        self._open += 1
        lane.submit(work).add_done_callback(
            lambda future: Clock.schedule_once(lambda _: arrive(future), 0)
        )
