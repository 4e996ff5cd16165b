"""What becomes of the demo's problems: each story is a road through the ledger. Pure data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    """A road through the ledger and how many of 150 problems take it.

    ``road`` names the actions after the report. ``age`` is how many days ago the last of them
    was taken, from .. to. ``late``: its deadline has passed. ``handled``: its body has an account.
    ``again``: the how-manieth of the same thing at the same place. ``fresh``: so many of its last
    steps, the report counted, were taken this morning, so that the clocks still run.
    """

    name: str
    count: int
    road: str
    age: tuple[float, float]
    late: bool = False
    handled: bool | None = None
    again: int = 0
    fresh: int = 0


_WORKED = "register dispatch accept progress"
_ASKED = f"{_WORKED} request_closure"
_CLOSED = f"{_ASKED} close"

STORIES: tuple[Story, ...] = (
    Story("reported today", 8, "", (0.0, 1), fresh=1),
    Story("reported", 2, "", (0.0, 2.5)),
    Story("registered today", 6, "register", (0.0, 1), fresh=2),
    Story("registered", 2, "register", (0.0, 3)),
    Story("rejected", 6, "reject", (2, 60)),
    Story("merged", 4, "merge", (1, 30)),
    Story("unmerged", 1, "merge unmerge dispatch", (1, 6)),
    Story("dispatched today", 8, "register dispatch", (0.0, 1), fresh=3),
    Story("dispatched", 2, "register dispatch", (0.0, 3)),
    Story("dispatched late", 4, "register dispatch remind", (3, 6), late=True),
    Story("returned", 2, "register dispatch return", (0.2, 3), handled=True),
    Story(
        "dispatched again", 2, "register dispatch return dispatch accept", (0.5, 5), handled=True
    ),
    Story("accepted", 8, "register dispatch accept", (0.0, 4)),
    Story("in progress", 10, _WORKED, (0.0, 5)),
    Story("in progress late", 5, f"{_WORKED} remind progress", (2, 8), late=True),
    Story("supervised", 3, f"{_WORKED} supervise progress", (1, 6), late=True),
    Story("extended", 2, f"{_WORKED} extend progress", (1, 5)),
    Story("whistle", 2, "register dispatch whistle accept progress", (0.5, 6)),
    Story("suspension asked", 2, f"{_WORKED} request_suspend", (0.2, 3)),
    Story("suspended", 5, f"{_WORKED} request_suspend approve_suspend", (3, 25)),
    Story("resumed", 2, f"{_WORKED} request_suspend approve_suspend resume progress", (1, 6)),
    Story("to verify", 9, _ASKED, (0.0, 3)),
    Story("redone", 3, f"{_ASKED} redo progress", (0.5, 4)),
    Story("closed", 22, _CLOSED, (1, 70)),
    Story("closed and called", 14, f"{_CLOSED} callback_good", (2, 70)),
    Story("closed after redo", 3, f"{_ASKED} redo progress request_closure close", (3, 50)),
    Story("reopened today", 2, f"{_CLOSED} callback_bad", (0.2, 1), fresh=1),
    Story("reopened", 1, f"{_CLOSED} callback_bad", (0.2, 6)),
    Story("recurred", 2, f"{_CLOSED} callback_good reopen dispatch", (0.5, 6)),
    Story(
        "closed twice", 2, f"{_CLOSED} callback_bad dispatch accept request_closure close", (3, 40)
    ),
    Story("archived", 6, f"{_CLOSED} callback_good archive", (1, 12)),
    Story("came first", 1, f"{_CLOSED} callback_good", (45, 50), again=1),
    Story("came again", 1, f"{_CLOSED} callback_good", (14, 18), again=2),
    Story("comes back", 1, _WORKED, (0.5, 3), again=3),
    Story("on the spot", 12, "SPOT", (0.1, 85)),
)

# Days that pass before an action, from .. to; what is not named takes about a day.
DELAYS: dict[str, tuple[float, float]] = {
    "register": (0.1, 0.9),
    "reject": (0.2, 1.2),
    "dispatch": (0.05, 0.6),
    "accept": (0.02, 0.25),
    "return": (0.2, 0.9),
    "progress": (0.5, 2.0),
    "request_closure": (0.5, 3.0),
    "close": (0.3, 1.2),
    "callback_good": (1.0, 3.0),
    "callback_bad": (1.0, 3.0),
    "archive": (45.0, 60.0),
    "reopen": (4.0, 12.0),
    "resume": (5.0, 12.0),
}


def deck() -> list[Story]:
    """Every story as often as it is told among 150 problems."""
    return [story for story in STORIES for _ in range(story.count)]
