"""Where a saved transaction is now. Exactly one place each: the promise of the sync screen."""

from __future__ import annotations

from collections.abc import Iterable

from mobile.core.views import Place
from shared import protocol

# What a person has to look at comes before what goes by itself.
_URGENCY: tuple[Place, ...] = (
    "returned", "held", "conflict", "waiting", "sent", "applied", "settled",
)  # fmt: skip


def place_of(
    result: str | None, *, was_sent: bool, conflict_open: bool = True, settled: bool = False
) -> Place:
    """The place of a transaction, from the server's answer (None: there is none yet).

    ``conflict_open``: a conflict it opened is still undecided. ``settled``: its task is closed.
    """
    if result is None:
        return "sent" if was_sent else "waiting"
    if result in (protocol.HELD, protocol.REJECTED):
        if settled:
            return "settled"
        return "held" if result == protocol.HELD else "returned"
    if result == protocol.CONFLICT and conflict_open:
        return "conflict"
    return "applied"


def foremost(places: Iterable[Place]) -> Place:
    """The place to show for a record that several transactions touched; none: applied."""
    return min(places, key=_URGENCY.index, default="applied")


def reason(code: str, detail: str, language: str = "zh") -> str:
    """Why a transaction was held or returned, for a person; "" without a code."""
    if not code:
        return ""
    text = protocol.title(code, language)
    return f"{text}（{detail}）" if detail and language == "zh" else text
