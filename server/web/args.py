"""Read what an address or a form holds, forgiving what a person may type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from flask import request

from server.web import words


def number(name: str) -> int:
    """A page number: at least 1."""
    text = request.args.get(name, "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def form_int(name: str) -> int:
    """A whole number of the form; -1 where there is none."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1


def one_of(value: str, allowed: Sequence[str], default: str = "") -> str:
    """The value, if it is allowed."""
    return value if value in allowed else default


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 < found.year < 2200 else None


def day_start(text: str) -> int | None:
    """When a day (2026-03-01) begins, in ms; None for no day."""
    found = _date(text)
    return words.start_of_day(found) if found else None


def day_end(text: str) -> int | None:
    """When the day after it begins, in ms; None for no day."""
    found = _date(text)
    return words.start_of_day(found + timedelta(days=1)) if found else None


def moment(text: str) -> int | None:
    """A local date and time (2026-03-01T18:00) in ms, None if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1970 < found.year < 2200:
        return None
    return int(found.replace(tzinfo=words.SHANGHAI).timestamp() * 1000)


def moment_text(ms: int | None) -> str:
    """What `moment` reads, for a form's field."""
    return f"{words.local(ms):%Y-%m-%dT%H:%M}" if ms is not None else ""
