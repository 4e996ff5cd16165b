"""Logs: one JSON object a line on stderr, without tokens, codes, names or bodies in them."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

SECRET = frozenset({"token", "password", "code", "authorization", "cookie", "text", "note"})


def configure(level: int = logging.INFO) -> None:
    """Set structlog up once per process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _hide,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _hide(_logger: Any, _method: str, event: Any) -> Any:
    for name in SECRET & set(event):
        event[name] = "***"
    return event
