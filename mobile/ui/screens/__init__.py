"""One module and one .kv file per screen; ``ALL`` names each."""

from __future__ import annotations

from mobile.ui.page import Page
from mobile.ui.screens.enrol import EnrolPage
from mobile.ui.screens.round import RoundPage

ALL: dict[str, type[Page]] = {
    "enrol": EnrolPage,
    "round": RoundPage,
}
