"""When a door is due for a visit. Tasks may ask for more; this is the order of the round."""

from __future__ import annotations

from collections.abc import Collection

from mobile.core.views import Due

DAY_MS = 24 * 60 * 60 * 1000
VISIT_DAYS = 90
CARE_DAYS = 30
# A door is called due in the last sixth of its time, overdue after it.
SOON = 6
# A knock that nobody answered is a visit, but the door is still to be seen.
COUNTED_OUTCOMES = frozenset({"met", "refused", "no_change"})


def period_days(care_groups: Collection[str] | None, risk_level: str | None = None) -> int:
    """How many days may pass between two visits of a household."""
    return CARE_DAYS if care_groups or risk_level == "high" else VISIT_DAYS


def due_state(last_counted: int | None, now: int, days: int) -> Due:
    """Due, from the last visit that counts (Unix ms, None: there is none)."""
    if last_counted is None:
        return "never"
    age = now - last_counted
    if age >= days * DAY_MS:
        return "overdue"
    return "due" if age >= days * DAY_MS * (SOON - 1) // SOON else "ok"
