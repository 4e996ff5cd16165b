"""How a request ends that brought no answer, and where an upload stands.

Apart from client.py, which alone needs what speaks HTTP: that is loaded when the phone first
talks to its server, not while the app starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class RequestFailed(Exception):
    """A request that brought no answer.

    ``code`` is one of protocol.REQUEST_CODES, or ``offline`` (no connection, cut, timeout),
    ``answer_invalid`` (something answered that is not this server: a captive portal).
    ``left``: whether anything may have left this phone; the server may then have acted on it.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        status: int = 0,
        errors: Mapping[str, Any] | None = None,
        wait_ms: int = 0,
        left: bool = True,
    ) -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail
        self.status = status
        self.errors = errors or {}
        self.wait_ms = wait_ms
        self.left = left


@dataclass(frozen=True)
class Upload:
    """Where an upload stands. ``url`` is None where there is nothing (more) to send."""

    url: str | None
    offset: int
    state: str
