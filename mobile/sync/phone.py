"""The phone behind its screens: everything a screen reads, writes or asks for goes through `Phone`.

Reading and writing never touch the network; `sync` and `enrol` alone do. All methods may be
called from any thread; `sync` and `enrol` block and belong on a worker thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests

from mobile.core.clock import Clock, SystemClock
from mobile.core.errors import (
    DraftInvalid,
    EnrolFailed,
    FieldError,
    PhoneError,
    PhotoInvalid,
    SaveFailed,
    UnknownRecord,
)
from mobile.core.views import (
    DUE_WORDS,
    PLACE_WORDS,
    ActionOffer,
    Category,
    CompoundRow,
    ConflictRow,
    Draft,
    DraftPhoto,
    Due,
    Grid,
    HouseholdDraft,
    HouseholdFilter,
    HouseholdRow,
    HouseholdView,
    Person,
    PhotoView,
    Place,
    PreparedPhoto,
    ProblemDraft,
    ProblemRow,
    ProblemView,
    ProgressRow,
    SyncItem,
    SyncProgress,
    SyncReport,
    SyncStatus,
    SyncTrouble,
    TaskRow,
    VisitDraft,
    VisitRow,
    VisitView,
    WaitingPhoto,
)

__all__ = [
    "DUE_WORDS",
    "PLACE_WORDS",
    "ActionOffer",
    "Category",
    "CompoundRow",
    "ConflictRow",
    "Draft",
    "DraftInvalid",
    "DraftPhoto",
    "Due",
    "EnrolFailed",
    "FieldError",
    "Grid",
    "HouseholdDraft",
    "HouseholdFilter",
    "HouseholdRow",
    "HouseholdView",
    "Person",
    "Phone",
    "PhoneError",
    "PhotoInvalid",
    "PhotoView",
    "Place",
    "PreparedPhoto",
    "ProblemDraft",
    "ProblemRow",
    "ProblemView",
    "ProgressRow",
    "SaveFailed",
    "SyncItem",
    "SyncProgress",
    "SyncReport",
    "SyncStatus",
    "SyncTrouble",
    "TaskRow",
    "UnknownRecord",
    "VisitDraft",
    "VisitRow",
    "VisitView",
    "WaitingPhoto",
]


class Phone:
    """One person's store on one phone, and its way to the server."""

    @classmethod
    def open(
        cls, folder: Path, *, clock: Clock | None = None, http: requests.Session | None = None
    ) -> Phone:
        """The store in a folder, made where there is none; its schema is brought up to date.

        ``clock`` and ``http`` are for tests. Raises SaveFailed if the store cannot be opened.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the store. What was saved is on the disk already."""
        raise NotImplementedError

    # --- who ---

    @property
    def enrolled(self) -> bool:
        """Whether this phone has an identity with a server."""
        raise NotImplementedError

    @property
    def me(self) -> Person | None:
        """Whose phone it is, with the grids as last heard; None before enrolment."""
        raise NotImplementedError

    def enrol(self, link: str, device_name: str) -> Person:
        """Enrol with ``gridledger://enrol?server=...&code=...`` (from the QR code).

        An enrolled phone may enrol again (same person): it keeps its journal and its records.
        Raises EnrolFailed(code, message_zh, message_en).
        """
        raise NotImplementedError

    def enrol_by_code(self, server: str, code: str, device_name: str) -> Person:
        """Enrol with a typed address (``http://host:port``) and code (``ABCD-EFGH``)."""
        raise NotImplementedError

    # --- reading: never waits for the network ---

    def households(
        self,
        query: str = "",
        filter: HouseholdFilter = "all",  # noqa: A002 - what the screens call it
        compound_id: str | None = None,
    ) -> list[HouseholdRow]:
        """The doors in stair order (compound, building, unit, door).

        ``query`` matches name, address, door and the end of the phone number.
        """
        raise NotImplementedError

    def compounds(self) -> list[CompoundRow]:
        """The compounds by name."""
        raise NotImplementedError

    def household(self, household_id: str) -> HouseholdView:
        """A door's page. Raises UnknownRecord."""
        raise NotImplementedError

    def new_visit(self, household_id: str) -> VisitDraft:
        """A visit of a door, prefilled from the last one. Raises UnknownRecord."""
        raise NotImplementedError

    def visit(self, visit_id: str) -> VisitView:
        """A visit's page. Raises UnknownRecord."""
        raise NotImplementedError

    def visits(self, limit: int = 200) -> list[VisitRow]:
        """This person's own visits, newest first."""
        raise NotImplementedError

    def problems(self, query: str = "", open_only: bool = False) -> list[ProblemRow]:
        """The ledger's entries in scope, those found last first."""
        raise NotImplementedError

    def problem(self, problem_id: str) -> ProblemView:
        """A problem's page, with the actions this person may take. Raises UnknownRecord."""
        raise NotImplementedError

    def tasks(self, include_done: bool = False) -> list[TaskRow]:
        """What this person is asked to do, earliest due first."""
        raise NotImplementedError

    def categories(self) -> list[Category]:
        """The active categories of problems in their order."""
        raise NotImplementedError

    def bodies(self) -> list[tuple[str, str]]:
        """The responsible bodies: (code, name)."""
        raise NotImplementedError

    def conflicts(self, include_decided: bool = True) -> list[ConflictRow]:
        """The conflicts in scope, open ones first."""
        raise NotImplementedError

    def name_of(self, user_id: str | None) -> str:
        """A person's name; "" for None, the id where the name is not known."""
        raise NotImplementedError

    def photo_path(self, sha256: str) -> Path | None:
        """The photo's file on this phone, None once it is gone from here."""
        raise NotImplementedError

    # --- writing: each call is one transaction, on the disk when it returns ---

    def save_visit(self, draft: VisitDraft, draft_key: str = "") -> str:
        """Save a visit with its photos; the id of the new record.

        ``draft_key`` names the draft that is dropped in the same transaction. Raises
        DraftInvalid (fields), SaveFailed (nothing was written), UnknownRecord (the target).
        """
        raise NotImplementedError

    def report_problem(self, draft: ProblemDraft, draft_key: str = "") -> str:
        """Report a problem with its photos; the id of the new record. Raises as save_visit."""
        raise NotImplementedError

    def edit(self, kind: str, record_id: str, changes: Mapping[str, Any]) -> bool:
        """Change fields of a record: {field: new value}. False where nothing differs.

        Sets (care groups, concerns) are given whole; what was added and removed is worked out.
        Raises DraftInvalid, SaveFailed, UnknownRecord.
        """
        raise NotImplementedError

    def no_change(self, household_id: str) -> str:
        """One tap: visited, nothing has changed. The id of the visit."""
        raise NotImplementedError

    def act(
        self,
        problem_id: str,
        action: str,
        data: Mapping[str, Any] | None = None,
        photos: tuple[DraftPhoto, ...] = (),
    ) -> None:
        """Take an action of the ledger, with photos (phase after) where given.

        Raises DraftInvalid where the action needs something, SaveFailed(``not_possible``)
        where the rules forbid it now, UnknownRecord.
        """
        raise NotImplementedError

    def add_household(self, draft: HouseholdDraft) -> str:
        """Add a door that is not on the list; the id of the new record."""
        raise NotImplementedError

    def finish_task(self, task_id: str) -> None:
        """Tick a task off."""
        raise NotImplementedError

    # --- drafts: what is being typed survives the app being killed ---

    def draft(self, key: str) -> Draft | None:
        """What was kept under a key, such as ``visit:<household id>``."""
        raise NotImplementedError

    def keep_draft(
        self, key: str, values: Mapping[str, Any], photos: tuple[DraftPhoto, ...] = ()
    ) -> None:
        """Keep what is being typed; call it at every change."""
        raise NotImplementedError

    def drop_draft(self, key: str) -> None:
        """Forget a draft."""
        raise NotImplementedError

    def drafts(self) -> list[Draft]:
        """All drafts, the latest first."""
        raise NotImplementedError

    def prepare_photo(self, source: Path | bytes) -> PreparedPhoto:
        """Shrink a picture, turn it upright, strip it, and put it on the disk.

        Raises PhotoInvalid (broken, or a kind that cannot be read) or SaveFailed (disk full).
        """
        raise NotImplementedError

    # --- the network ---

    def sync(
        self,
        progress: Callable[[SyncProgress], None] | None = None,
        *,
        photos: bool = True,
    ) -> SyncReport:
        """Push, pull and send photos; each may fail alone. Trouble is reported, never raised.

        ``photos=False`` sends text only (mobile data). ``progress`` is called from this thread.
        """
        raise NotImplementedError

    def status(self) -> SyncStatus:
        """What waits, what went, what came of it. Never waits for the network."""
        raise NotImplementedError

    def setting(self, name: str, default: str = "") -> str:
        """A setting of this phone, kept as text (``photos_on_wifi_only``, ...)."""
        raise NotImplementedError

    def keep_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        raise NotImplementedError
