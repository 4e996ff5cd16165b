"""A complaint or suggestion as its author sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeedbackRow:
    """``sent``: the server has it. ``answer`` is "" until it was answered."""

    id: str
    kind: str
    text: str
    anonymous: bool
    made_at: int
    sent: bool
    answer: str
    answered_at: int | None
