"""Where the phone is, by plyer.gps; only while a form is open and the worker allows it."""

from __future__ import annotations

import logging
import time
from typing import Any

from android.permissions import Permission, check_permission, request_permissions
from plyer import gps

from mobile.core.fixes import Fix, usable
from mobile.ui.ports import Position

EVERY_MS, EVERY_METRES = 2000, 5
log = logging.getLogger(__name__)


class AndroidLocator:
    """The port `Locator` of a phone. Without a permission: no position, no complaint."""

    def __init__(self) -> None:
        self._fix: Fix | None = None
        self._on = False
        self._asked = False

    def listen(self, on: bool) -> None:
        """Start or stop; the permission is asked for the first time it is needed."""
        if on == self._on:
            return
        if not on:
            self._on = False
            gps.stop()
        elif check_permission(Permission.ACCESS_FINE_LOCATION):
            self._start()
        elif not self._asked:
            self._asked = True
            wanted = [Permission.ACCESS_FINE_LOCATION, Permission.ACCESS_COARSE_LOCATION]
            request_permissions(wanted, lambda _, grants: any(grants) and self._start())

    def position(self) -> Position | None:
        """The last fix, if it is fresh and fine enough."""
        return usable(self._fix, time.monotonic())

    def _start(self) -> None:
        try:
            gps.configure(on_location=self._moved)
            gps.start(minTime=EVERY_MS, minDistance=EVERY_METRES)
        except Exception:  # no receiver, or it is switched off: as normal as no fix
            log.info("no position on this phone", exc_info=True)
            return
        self._on = True

    def _moved(self, **found: Any) -> None:
        self._fix = Fix(found["lat"], found["lon"], found.get("accuracy", 0.0), time.monotonic())
