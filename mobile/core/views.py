"""What the screens are given: frozen shapes, each named after what a person sees.

Times are Unix milliseconds, UTC. ``values`` are a record's fields as declared in
`shared.records`, pending changes included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mobile.core.errors import PhoneError

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
class PreparedPhoto:
    """A photo ready to be saved: shrunk, turned upright, no EXIF, on the disk under its hash."""

    sha256: str
    size: int
    width: int
    height: int
    path: Path


@dataclass(frozen=True)
class DraftPhoto:
    """A photo of a draft. ``phase`` is scene, before or after; ``taken_at`` may be unknown."""

    photo: PreparedPhoto
    phase: str = "scene"
    taken_at: int | None = None
    position: Mapping[str, float] | None = None


@dataclass(frozen=True)
class VisitDraft:
    """A visit as typed: ``values`` by the names of `shared.records.VISIT`.

    ``grid`` (15 digits) is needed only where the target is not a known record (a shop, an
    employer) and the worker has several grids. ``visited_at`` is now where it is not given.
    """

    values: Mapping[str, Any]
    photos: tuple[DraftPhoto, ...] = ()
    grid: str = ""


@dataclass(frozen=True)
class ProblemDraft:
    """A problem as typed: ``values`` by the names of `shared.records.PROBLEM`.

    ``source`` is "worker" and ``found_at`` now where they are not given.
    """

    values: Mapping[str, Any]
    photos: tuple[DraftPhoto, ...] = ()
    grid: str = ""


@dataclass(frozen=True)
class HouseholdDraft:
    """A new door: ``values`` by the names of `shared.records.HOUSEHOLD`."""

    values: Mapping[str, Any]
    grid: str = ""


@dataclass(frozen=True)
class Draft:
    """What was being typed when the app was left."""

    key: str
    values: Mapping[str, Any]
    photos: tuple[DraftPhoto, ...]
    kept_at: int


@dataclass(frozen=True)
class Capture:
    """A photo that is being taken for a draft; the camera writes it to ``path``.

    ``page`` and ``args`` name the form that it was taken for.
    """

    id: str
    draft_key: str
    phase: str
    page: str
    args: Mapping[str, Any]
    begun_at: int
    path: Path


@dataclass(frozen=True)
class LeftBehind:
    """A photo that was taken while the app was ended: now in its draft, unless there is trouble."""

    page: str
    args: Mapping[str, Any]
    trouble: PhoneError | None


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
    """A photo of a record. ``path`` is None once the original is no longer on this phone."""

    id: str
    sha256: str
    phase: str
    state: str
    path: Path | None
    size: int


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
    """A problem's page: its values, its history (oldest first), what may be done with it now."""

    row: ProblemRow
    values: Mapping[str, Any]
    progress: tuple[ProgressRow, ...]
    photos: tuple[PhotoView, ...]
    actions: tuple[ActionOffer, ...]
    conflicts: tuple[ConflictRow, ...]
    needs_after: bool


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
    """A category of problems; ``needs_after``: closing asks for a photo taken afterwards."""

    code: str
    name: str
    name_en: str
    parent: str
    needs_after: bool
    data: Mapping[str, Any]


@dataclass(frozen=True)
class SyncItem:
    """One transaction of this phone and where it is now.

    ``action`` is what the person did: save_visit, report_problem, edit, act, add_household,
    finish_task. ``reason_*`` says why it was held or returned, for a person; ``field`` is the
    field it was about and ``task_id`` the task it led to, "" where there is none.
    """

    id: str
    action: str
    title_zh: str
    title_en: str
    about_kind: str
    about_id: str
    made_at: int
    place: Place
    code: str
    reason_zh: str
    reason_en: str
    field: str = ""
    task_id: str = ""


@dataclass(frozen=True)
class WaitingPhoto:
    """A photo that is not safe yet, and the record it belongs to.

    ``state``: waiting | uploading | stored | verified (said by the server, not pulled yet) |
    corrupt | refused | missing. ``sent`` of ``size`` bytes are on the server. ``reason`` is the
    code of what last stopped it, or why it was refused. ``queued``: its record has been answered,
    so that it may be sent. ``owner_at`` is when the visit was made or the problem found.
    """

    sha256: str
    size: int
    sent: int
    state: str
    owner_kind: str
    owner_id: str
    owner_name: str
    owner_at: int | None = None
    urgent: bool = False
    queued: bool = False
    reason: str = ""
    retry_at: int | None = None


@dataclass(frozen=True)
class SyncStatus:
    """The truth about what this phone has sent.

    ``waiting`` counts transactions without a receipt. ``bytes_held`` is what still has to go
    (texts and photos). ``clock_offset`` is phone minus server, ms; ``clock_wrong`` when it is
    more than five minutes. ``repairs`` counts partitions that differed from the server's,
    ``buckets_repaired`` the parts of them that were brought again. ``revoked``: this phone may
    only hand in; ``handed_in``: it has, nothing is left on it that the server lacks, and the
    next sync wipes it. ``upgrade_needed``: what is saved still goes up, nothing comes down.
    ``photos`` counts those of the last weeks and all that are not safe; ``photos_verified`` are
    safe: "verified" was pulled.
    """

    waiting: int
    items: tuple[SyncItem, ...]
    photos: int
    photos_verified: int
    photos_waiting: tuple[WaitingPhoto, ...]
    last_contact: int | None
    last_error: str
    clock_offset: int | None
    clock_wrong: bool
    bytes_held: int
    repairs: int
    buckets_repaired: int = 0
    revoked: bool = False
    handed_in: bool = False
    upgrade_needed: bool = False


@dataclass(frozen=True)
class Recovered:
    """What was saved from a damaged store when it was opened.

    ``file`` is where the damaged one was set aside. ``waiting``: unsent transactions that were
    saved; ``lost``: entries of the journal that could not be read and may not have been sent.
    ``enrolled``: the identity could be read; else the phone must enrol, and then sends the rest.
    """

    file: Path
    waiting: int
    lost: int
    photos: int
    drafts: int
    enrolled: bool


class PhotoProgress(NamedTuple):
    """How far one photo is: ``sent`` of ``size`` bytes."""

    sha256: str
    sent: int
    size: int


@dataclass(frozen=True)
class SyncProgress:
    """How far a sync is: ``stage`` push | pull | photos; ``total`` 0 where it is not known.

    ``photo``: the one that has just come further.
    """

    stage: Literal["push", "pull", "photos"]
    done: int
    total: int
    photo: PhotoProgress | None = None


@dataclass(frozen=True)
class SyncTrouble:
    """One thing that went wrong in a sync; ``retry``: trying again may help."""

    stage: Literal["push", "pull", "photos", "sync"]
    code: str
    message_zh: str
    message_en: str
    retry: bool


@dataclass(frozen=True)
class SyncReport:
    """What one sync did. ``complete``: everything went up and everything came down.

    ``retry_in_ms`` is when to try again after trouble that may pass, else None.
    """

    pushed: int
    received: int
    photos: int
    troubles: tuple[SyncTrouble, ...] = field(default=())
    complete: bool = True
    retry_in_ms: int | None = None
