"""Fixes of the position: which one may be written down."""

from __future__ import annotations

from typing import NamedTuple

FRESH_SECONDS = 60.0
WORST_METRES = 500.0


class Fix(NamedTuple):
    """A position (WGS-84), how exact it is in metres, and when it came (monotonic seconds)."""

    lat: float
    lng: float
    accuracy: float
    at: float


def usable(fix: Fix | None, now: float) -> dict[str, float] | None:
    """The fix as a record keeps it; None for none, an old one, or one that says nothing."""
    if fix is None or now - fix.at > FRESH_SECONDS or fix.accuracy > WORST_METRES:
        return None
    return {
        "lat": round(fix.lat, 6), "lng": round(fix.lng, 6), "accuracy": round(fix.accuracy, 1),
    }  # fmt: skip
