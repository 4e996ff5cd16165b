"""What the app was opened with: the link of an enrolment code that another app has read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from android import activity
from kivy.clock import Clock

from mobile.android.main_activity import main_activity


def opened_with(then: Callable[[str], None]) -> str:
    """The link of the start, "" without one; ``then(link)`` for those that come later."""

    def came(intent: Any) -> None:
        link = intent.getDataString()
        if link:
            Clock.schedule_once(lambda _: then(link), 0)

    activity.bind(on_new_intent=came)
    intent = main_activity().getIntent()
    return (intent.getDataString() if intent is not None else None) or ""
