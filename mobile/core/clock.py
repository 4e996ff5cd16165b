"""The phone's clocks. No rule decides by them: they are told to the server and shown."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """``wall``: Unix ms. ``mono``: ms of a clock that never jumps, within ``boot``."""

    def wall(self) -> int: ...

    def mono(self) -> int: ...

    @property
    def boot(self) -> str: ...


def _read_boot() -> str:
    """The kernel's boot id; a fresh one per start of the app where there is none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or str(uuid.uuid4())
    except (OSError, ValueError):
        return str(uuid.uuid4())


@dataclass(frozen=True)
class SystemClock:
    """The clocks of the machine."""

    boot: str = field(default_factory=_read_boot)

    def wall(self) -> int:
        """Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def mono(self) -> int:
        """Milliseconds since some moment within this boot."""
        return time.monotonic_ns() // 1_000_000
