"""What the screens are given: frozen shapes, each named after what a person sees.

Times are Unix milliseconds, UTC. ``values`` are a record's fields as declared in
`shared.records`, pending changes included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

# Where something that was saved on this phone is now. "settled": it was held or returned, and
# its task has been closed since. Records that came from the server are "applied".
Place = Literal["waiting", "sent", "applied", "conflict", "held", "returned", "settled"]
Due = Literal["ok", "due", "overdue", "never"]
HouseholdFilter = Literal["all", "due", "overdue", "never", "care", "waiting"]

PLACE_WORDS: dict[str, tuple[str, str]] = {
    "waiting": ("待上传", "Waiting on this phone"),
    "sent": ("已发出，等回执", "Sent, no receipt yet"),
    "applied": ("已收下", "Accepted"),
    "conflict": ("有冲突，等裁定", "In conflict"),
    "held": ("等网格长处理", "Held for the supervisor"),
    "returned": ("没有收下", "Not accepted"),
    "settled": ("已处理", "Settled"),
}
DUE_WORDS: dict[str, tuple[str, str]] = {
    "ok": ("近期已走访", "Visited lately"),
    "due": ("快到期", "Due soon"),
    "overdue": ("已超期", "Overdue"),
    "never": ("从未走访", "Never visited"),
}


class Grid(NamedTuple):
    """One of the worker's grids: its 15 digits and its name."""

    code: str
    name: str


@dataclass(frozen=True)
class Person:
    """Who this phone belongs to. ``body`` is a handler's own responsible body, else ""."""

    user_id: str
    name: str
    role: str
    grids: tuple[Grid, ...] = ()
    body: str = ""


@dataclass(frozen=True)
class CompoundRow:
    """A compound in a list; ``due`` counts its doors that are due, overdue or never visited."""

    id: str
    name: str
    address: str
    unmanaged: bool
    households: int
    due: int
    partition: str


@dataclass(frozen=True)
class HouseholdRow:
    """A door in a list; ``phone`` is masked, ``name`` is whole.

    ``last_visit_at`` is the last visit of any outcome; ``due`` counts those where somebody
    was met, refused, or nothing had changed.
    """

    id: str
    name: str
    address: str
    phone: str
    care: bool
    care_groups: tuple[str, ...]
    risk_level: str
    state: str
    last_visit_at: int | None
    due: Due
    pending: bool
    place: Place
    compound_id: str | None
    building: str = ""
    unit: str = ""
    door: str = ""


@dataclass(frozen=True)
class PhotoView:
    """A photo of a record. ``path`` is None where nothing of it is on this phone.

    ``small``: the original has left the phone, ``path`` is a small picture of it.
    """

    id: str
    sha256: str
    phase: str
    state: str
    path: Path | None
    size: int
    small: bool = False


@dataclass(frozen=True)
class VisitRow:
    """A visit in a list, with its review and where it is. ``reason_*`` of a return or a hold.

    ``safe``: it was pulled as the server has it, and so was "verified" of each of its photos.
    """

    id: str
    target_id: str | None
    target_name: str
    visited_at: int
    outcome: str
    reason: str
    note: str
    author: str
    review_state: str
    review_note: str
    place: Place
    why_zh: str
    why_en: str
    photos: int
    photos_verified: int
    mine: bool = False
    safe: bool = False

    @property
    def photos_left(self) -> int:
        """Photos that are not safe yet."""
        return self.photos - self.photos_verified


@dataclass(frozen=True)
class ProblemRow:
    """A problem in a list. ``category_zh`` and ``category_en`` name its category.

    ``safe`` as of a visit; ``photos_left`` counts its photos that are not.
    """

    id: str
    ledger_no: str
    category: str
    category_zh: str
    category_en: str
    description: str
    address: str
    state: str
    due_at: int | None
    overdue: bool
    supervised: bool
    found_at: int | None
    target_id: str | None
    pending: bool
    place: Place
    mine: bool = False
    safe: bool = False
    photos_left: int = 0


@dataclass(frozen=True)
class ProgressRow:
    """One entry of a problem's history; ``pending``: taken on this phone, not yet accepted."""

    action: str
    action_zh: str
    action_en: str
    from_state: str
    to_state: str
    actor: str
    actor_name: str
    at: int | None
    reason: str
    detail: Mapping[str, Any]
    pending: bool
    place: Place


@dataclass(frozen=True)
class ActionOffer:
    """An action of this person's role; ``blocked`` is the code of why not now, "" if possible."""

    name: str
    zh: str
    en: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    blocked: str
    blocked_zh: str


@dataclass(frozen=True)
class ConflictRow:
    """Two values of one field. ``verdict`` is the value chosen, once ``state`` is decided.

    ``state`` agreed: both came to the same value and nobody had to decide. Names are "" where
    this phone does not know them.
    """

    id: str
    about_kind: str
    about_id: str
    about_name: str
    field: str
    field_zh: str
    field_en: str
    accepted: Any
    accepted_by: str
    proposed: Any
    proposed_by: str
    state: str
    verdict: Any
    decided_by: str
    mine: bool
    accepted_at: int | None = None
    proposed_at: int | None = None
    decided_at: int | None = None


@dataclass(frozen=True)
class HouseholdView:
    """A door's page: its values, the last visits (newest first), open problems, conflicts."""

    id: str
    values: Mapping[str, Any]
    address: str
    compound_name: str
    grid: str
    due: Due
    last_visit_at: int | None
    residents: tuple[Mapping[str, Any], ...]
    visits: tuple[VisitRow, ...]
    problems: tuple[ProblemRow, ...]
    conflicts: tuple[ConflictRow, ...]
    pending: bool
    place: Place
    older_visits: int = 0  # that are only with the office


@dataclass(frozen=True)
class VisitView:
    """A visit's page."""

    row: VisitRow
    values: Mapping[str, Any]
    photos: tuple[PhotoView, ...]
    problems: tuple[ProblemRow, ...]
    conflicts: tuple[ConflictRow, ...]


@dataclass(frozen=True)
class ProblemView:
    """A problem's page: its values, its history (oldest first), what may be done with it now.

    ``asks_cause``: closing asks for the root cause, as it is hard or keeps coming back.
    """

    row: ProblemRow
    values: Mapping[str, Any]
    progress: tuple[ProgressRow, ...]
    photos: tuple[PhotoView, ...]
    actions: tuple[ActionOffer, ...]
    conflicts: tuple[ConflictRow, ...]
    needs_after: bool
    asks_cause: bool = False


@dataclass(frozen=True)
class TaskRow:
    """What this worker is asked to do. ``title_zh`` and ``title_en`` name the type."""

    id: str
    type: str
    title_zh: str
    title_en: str
    about_kind: str
    about_id: str | None
    about_name: str
    reason: str
    detail: Mapping[str, Any]
    due_at: int | None
    state: str
    pending: bool


@dataclass(frozen=True)
class Category:
    """A category of problems; ``needs_after``: closing asks for a photo taken afterwards.

    ``needs_before``: reporting asks for one. ``body`` is the name of who usually settles it,
    ``call`` the number to call at once where it is an emergency, each "" where there is none.
    """

    code: str
    name: str
    name_en: str
    parent: str
    needs_after: bool
    data: Mapping[str, Any]
    needs_before: bool = False
    body: str = ""
    call: str = ""
