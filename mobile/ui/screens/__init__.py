"""One module and one .kv file per screen; ``ALL`` names each."""

from __future__ import annotations

from mobile.ui.page import Page
from mobile.ui.screens.about import AboutPage
from mobile.ui.screens.action import ActionPage
from mobile.ui.screens.conflict import ConflictPage
from mobile.ui.screens.enrol import EnrolPage
from mobile.ui.screens.feedback import FeedbackPage
from mobile.ui.screens.household import HouseholdPage
from mobile.ui.screens.ledger import LedgerPage
from mobile.ui.screens.me import MePage
from mobile.ui.screens.photo import PhotoPage
from mobile.ui.screens.pick import PickPage
from mobile.ui.screens.pin import PinPage
from mobile.ui.screens.problem import ProblemPage
from mobile.ui.screens.report import ReportPage
from mobile.ui.screens.round import RoundPage
from mobile.ui.screens.standing import StandingPage
from mobile.ui.screens.sync import SyncPage
from mobile.ui.screens.task import TaskPage
from mobile.ui.screens.visit import VisitPage
from mobile.ui.screens.visit_form import VisitFormPage

ALL: dict[str, type[Page]] = {
    "enrol": EnrolPage,
    "round": RoundPage,
    "household": HouseholdPage,
    "visit_form": VisitFormPage,
    "visit": VisitPage,
    "photo": PhotoPage,
    "report": ReportPage,
    "pick": PickPage,
    "ledger": LedgerPage,
    "problem": ProblemPage,
    "action": ActionPage,
    "task": TaskPage,
    "conflict": ConflictPage,
    "sync": SyncPage,
    "standing": StandingPage,
    "me": MePage,
    "pin": PinPage,
    "feedback": FeedbackPage,
    "about": AboutPage,
}
