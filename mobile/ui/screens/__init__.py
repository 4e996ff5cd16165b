"""One module and one .kv file per screen; ``ALL`` names each.

A screen is loaded, with its rules, when it is first built: a start waits for the one it shows.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobile.ui.page import Page

ALL = {
    "enrol": "EnrolPage",
    "round": "RoundPage",
    "household": "HouseholdPage",
    "visit_form": "VisitFormPage",
    "visit": "VisitPage",
    "photo": "PhotoPage",
    "report": "ReportPage",
    "pick": "PickPage",
    "ledger": "LedgerPage",
    "problem": "ProblemPage",
    "action": "ActionPage",
    "task": "TaskPage",
    "conflict": "ConflictPage",
    "sync": "SyncPage",
    "standing": "StandingPage",
    "me": "MePage",
    "pin": "PinPage",
    "feedback": "FeedbackPage",
    "about": "AboutPage",
}


def page_class(name: str) -> type[Page]:
    """The screen of a name. For the Kivy thread only: it reads rules."""
    found: type[Page] = getattr(import_module(f"{__name__}.{name}"), ALL[name])
    return found
