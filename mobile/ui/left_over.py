"""What a tap has kept and may still be taken back: made final, at the latest at the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobile.sync.phone import VisitDraft
from mobile.ui.ticking_off import DONE, save_done

if TYPE_CHECKING:
    from mobile.sync.phone import Phone

NO_CHANGE = "no_change:"  # the key of a draft: nothing has changed behind this door


def save_no_change(phone: Phone, key: str) -> None:
    """Turn a kept "no change" into a visit, once. Runs on a worker thread."""
    kept = phone.draft(key)
    if kept is None:
        return
    draft = phone.new_visit(key.removeprefix(NO_CHANGE))
    values = {name: value for name, value in draft.values.items() if name != "concern_tags"}
    values |= {"outcome": "no_change", "visited_at": kept.values["visited_at"]}
    phone.save_visit(VisitDraft(values, (), draft.grid), key)


def save_left_over(phone: Phone) -> None:
    """What a killed app had not made final yet. Runs on a worker thread."""
    for draft in phone.drafts():
        if draft.key.startswith(NO_CHANGE):
            save_no_change(phone, draft.key)
        elif draft.key.startswith(DONE):
            save_done(phone, draft.key)
