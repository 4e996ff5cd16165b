"""The phone behind its screens: everything a screen reads, writes or asks for goes through `Phone`.

Reading and writing never touch the network; `sync` and `enrol` alone do. All methods may be
called from any thread; `sync` and `enrol` block and belong on a worker thread.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from mobile.core.feedback import FeedbackRow
from mobile.core.told import (
    PhotoProgress,
    Recovered,
    SyncItem,
    SyncProgress,
    SyncReport,
    SyncStatus,
    SyncTrouble,
    WaitingPhoto,
)
from mobile.core.views import (
    DUE_WORDS,
    PLACE_WORDS,
    ActionOffer,
    Category,
    CompoundRow,
    ConflictRow,
    Due,
    Grid,
    HouseholdFilter,
    HouseholdRow,
    HouseholdView,
    Person,
    PhotoView,
    Place,
    ProblemRow,
    ProblemView,
    ProgressRow,
    TaskRow,
    VisitRow,
    VisitView,
)
from mobile.core.walking import Door, Group, Walk, Wanted
from mobile.core.written import (
    Capture,
    Draft,
    DraftPhoto,
    HouseholdDraft,
    LeftBehind,
    PreparedPhoto,
    ProblemDraft,
    VisitDraft,
)
from mobile.storage import (
    drafts,
    feedback,
    looks,
    meta,
    photos,
    rescue,
    retention,
    status,
    unsent,
    usage,
)
from mobile.storage.store import Store
from mobile.storage.unsent import Exported
from mobile.storage.usage import Usage
from mobile.storage.vault import Keeper
from mobile.sync import enrolment
from mobile.sync.reading import Reading
from mobile.sync.runner import Runner
from mobile.sync.taking import Taking
from mobile.sync.writing import Writing
from shared import ids, protocol

if TYPE_CHECKING:
    import requests

__all__ = [
    "DUE_WORDS",
    "PLACE_WORDS",
    "ActionOffer",
    "Capture",
    "Category",
    "CompoundRow",
    "ConflictRow",
    "Door",
    "Draft",
    "DraftInvalid",
    "DraftPhoto",
    "Due",
    "EnrolFailed",
    "Exported",
    "FeedbackRow",
    "FieldError",
    "Grid",
    "Group",
    "HouseholdDraft",
    "HouseholdFilter",
    "HouseholdRow",
    "HouseholdView",
    "LeftBehind",
    "Person",
    "Phone",
    "PhoneError",
    "PhotoInvalid",
    "PhotoProgress",
    "PhotoView",
    "Place",
    "PreparedPhoto",
    "ProblemDraft",
    "ProblemRow",
    "ProblemView",
    "ProgressRow",
    "Recovered",
    "SaveFailed",
    "SyncItem",
    "SyncProgress",
    "SyncReport",
    "SyncStatus",
    "SyncTrouble",
    "TaskRow",
    "UnknownRecord",
    "Usage",
    "VisitDraft",
    "VisitRow",
    "VisitView",
    "WaitingPhoto",
    "Walk",
    "Wanted",
]


class Phone(Reading):
    """One person's store on one phone, and its way to the server.

    ``recovered`` says what was saved if the store was found damaged when it was opened.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        http: requests.Session | None,
        recovered: Recovered | None = None,
    ) -> None:
        super().__init__(store, clock)
        self._http = http
        self.recovered = recovered
        self._writing = Writing(store, clock)
        self._taking = Taking(store, clock, store.inbox)
        self._runner = Runner(store, lambda: self._session, clock)

    @property
    def _session(self) -> requests.Session:
        """What speaks HTTP: loaded at the first talk, which no start of the app waits for."""
        if self._http is None:
            import requests

            self._http = requests.Session()
        return self._http

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Clock | None = None,
        http: requests.Session | None = None,
        keeper: Keeper | None = None,
        inbox: Path | None = None,
    ) -> Phone:
        """The store in a folder, made where there is none; its schema is brought up to date.

        A damaged one is set aside and rebuilt from what can be read: see ``recovered``. ``keeper``
        guards the key of what is sealed. ``inbox`` is where cameras may write, else a folder of
        the store's. ``clock`` and ``http`` are for tests. Raises SaveFailed if the store cannot be
        opened. Takes a while after an update: not on the Kivy thread.
        """
        clock = clock or SystemClock()
        store, recovered = rescue.open_store(folder, clock.wall(), keeper)
        store.inbox = inbox or store.inbox
        photos.seal_old(store)
        photos.sweep_loose(store, clock.wall())
        with suppress(SaveFailed):  # it is tried again at the next opening
            retention.compact(store)
        return cls(store, clock, http, recovered)

    def wipe(self) -> None:
        """Remove everything from this phone, sent or not; an empty store stays open.

        A forced wipe: ask the person first. Waits for a sync under way. A revoked phone wipes
        itself once it has handed in everything. Raises SaveFailed where a file will not go.
        """
        self._runner.wipe()

    def close(self) -> None:
        """Let go of the store. What was saved is on the disk already."""
        if self._http is not None:
            self._http.close()
        self._store.close()

    # --- who ---

    @property
    def enrolled(self) -> bool:
        """Whether this phone has an identity with a server."""
        return self.me is not None

    @property
    def me(self) -> Person | None:
        """Whose phone it is, with the grids as last heard; None before enrolment."""
        with self._store.reading() as db:
            identity = meta.identity(db)
        return identity.person if identity else None

    def enrol(self, link: str, device_name: str) -> Person:
        """Enrol with ``gridledger://enrol?server=...&code=...`` (from the QR code).

        An enrolled phone may enrol again (same person): it keeps its journal and its records.
        Raises EnrolFailed(code, message_zh, message_en).
        """
        server, code = enrolment.parse_link(link)
        return self.enrol_by_code(server, code, device_name)

    def enrol_by_code(self, server: str, code: str, device_name: str) -> Person:
        """Enrol with a typed address (``http://host:port``) and code (``ABCD-EFGH``)."""
        return enrolment.enrol(self._store, self._session, server, code, device_name)

    def enrol_again(self, text: str, device_name: str) -> Person:
        """Enrol again with a link, or with a code alone: at the server that is known already."""
        if text.startswith(f"{enrolment.SCHEME}:"):
            return self.enrol(text, device_name)
        with self._store.reading() as db:
            server = meta.get(db, "server")
        return self.enrol_by_code(server, text, device_name)

    # --- writing: each call is one transaction, on the disk when it returns ---

    def save_visit(self, draft: VisitDraft, draft_key: str = "") -> str:
        """Save a visit with its photos; the id of the new record.

        ``draft_key`` names the draft that is dropped in the same transaction. Raises
        DraftInvalid (fields), SaveFailed (nothing was written), UnknownRecord (the target).
        """
        return self._writing.save_visit(draft, draft_key)

    def report_problem(self, draft: ProblemDraft, draft_key: str = "") -> str:
        """Report a problem with its photos; the id of the new record. Raises as save_visit."""
        return self._writing.report_problem(draft, draft_key)

    def edit(
        self,
        kind: str,
        record_id: str,
        changes: Mapping[str, Any],
        photos: tuple[DraftPhoto, ...] = (),
    ) -> bool:
        """Change fields of a record, {field: new value}, and add photos. False: nothing differs.

        Sets (care groups, concerns) are given whole; what was added and removed is worked out.
        Raises DraftInvalid, SaveFailed, UnknownRecord.
        """
        return self._writing.edit(kind, record_id, changes, photos)

    def no_change(self, household_id: str) -> str:
        """One tap: visited, nothing has changed. The id of the visit."""
        return self._writing.no_change(household_id)

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
        self._writing.act(problem_id, action, data or {}, photos)

    def add_household(self, draft: HouseholdDraft) -> str:
        """Add a door that is not on the list; the id of the new record."""
        return self._writing.add_household(draft)

    def finish_task(self, task_id: str) -> None:
        """Tick a task off."""
        self._writing.finish_task(task_id)

    def give_feedback(self, kind: str, text: str, anonymous: bool = False) -> str:
        """Complain or suggest; it goes with the next sync. Raises DraftInvalid, SaveFailed."""
        words = text.strip()[: protocol.MAX_FEEDBACK]
        if not words:
            raise DraftInvalid({"text": FieldError("请写下您的意见", "Write what you mean")})
        with self._store.writing() as db:
            feedback_id = ids.new_id()
            feedback.add(db, feedback_id, kind, words, anonymous, self._clock.wall())
        return feedback_id

    def feedback(self) -> list[FeedbackRow]:
        """The complaints and suggestions of this phone with their answers, the latest first."""
        with self._store.reading() as db:
            return feedback.every(db)

    def note_look(self, household_id: str) -> None:
        """Somebody opened a household's covered details; the server is told at the next sync."""
        with self._store.writing() as db:
            looks.note(db, household_id, self._clock.wall())

    def export_unsent(self) -> Exported:
        """Make the file of what could not be sent, in the inbox folder; slow with many photos.

        Raises SaveFailed: ``nothing``, ``no_key``, ``disk_full`` ...
        """
        store = self._store
        with store.reading() as db:
            return unsent.write(db, store.folder, store.vault, store.inbox, self._clock.wall())

    def usage(self) -> Usage:
        """How much of the phone the store takes."""
        return usage.usage(self._store.folder)

    # --- drafts: what is being typed survives the app being killed ---

    def draft(self, key: str) -> Draft | None:
        """What was kept under a key, such as ``visit:<household id>``."""
        with self._store.reading() as db:
            return drafts.get(db, key)

    def keep_draft(
        self, key: str, values: Mapping[str, Any], photos: tuple[DraftPhoto, ...] | None = ()
    ) -> None:
        """Keep what is being typed; call it at every change. ``photos`` None: as they are kept."""
        with self._store.writing() as db:
            if photos is None:
                kept = drafts.get(db, key)
                photos = kept.photos if kept else ()
            drafts.keep(db, key, values, photos, self._clock.wall())

    def drop_draft(self, key: str) -> None:
        """Forget a draft."""
        with self._store.writing() as db:
            drafts.drop(db, key)

    def drafts(self) -> list[Draft]:
        """All drafts, the latest first."""
        with self._store.reading() as db:
            return drafts.every(db)

    # --- photos ---

    def begin_photo(
        self,
        key: str,
        values: Mapping[str, Any],
        photos: tuple[DraftPhoto, ...] = (),
        *,
        phase: str = "scene",
        road: tuple[str, Mapping[str, Any]] = ("", {}),
    ) -> Capture:
        """Before the camera opens: keep the draft, and note that a photo for it will come.

        ``road`` is the page to come back to, with its arguments (JSON). Raises SaveFailed.
        """
        return self._taking.begin(key, values, photos, phase, road)

    def take_in(
        self,
        capture_id: str,
        source: Path | None = None,
        position: Mapping[str, float] | None = None,
    ) -> DraftPhoto | None:
        """Make the photo ready and put it into its draft; the camera's own file goes.

        ``source`` is a file chosen elsewhere, which stays. None where the draft has been saved or
        thrown away since. Raises PhotoInvalid (the note is dropped, the draft stays) or
        SaveFailed (the note and the camera's file stay for another try).
        """
        return self._taking.take_in(capture_id, source, position)

    def give_up_photo(self, capture_id: str) -> None:
        """No photo was taken."""
        self._taking.give_up(capture_id)

    def photos_left_behind(self, live: Collection[str] = ()) -> list[LeftBehind]:
        """Take in what cameras wrote while the app was ended. ``live``: those still waited for."""
        return self._taking.left_behind(live)

    def has_photo(self, photo: PreparedPhoto) -> bool:
        """Whether a photo of a draft is still on this phone, whole."""
        return photos.is_here(self._store.folder, photo.sha256, photo.size)

    def prepare_photo(self, source: Path | bytes) -> PreparedPhoto:
        """Shrink a picture, turn it upright, strip it, and put it on the disk.

        Raises PhotoInvalid (broken, or a kind that cannot be read) or SaveFailed (disk full).
        """
        return self._taking.prepare(source)

    # --- the network ---

    def sync(
        self,
        progress: Callable[[SyncProgress], None] | None = None,
        *,
        photos: bool = True,
        lanes: Callable[[], int] | None = None,
        by_itself: bool = False,
    ) -> SyncReport:
        """Push, pull and send photos; each may fail alone. Trouble is reported, never raised.

        ``photos=False`` sends text only. ``lanes`` is asked before every piece of a photo how
        many photos may go side by side now (0: none); without it they go one by one.
        ``by_itself``: nobody asked for it, so a photo that failed waits until its time comes.
        ``progress`` is called from this thread and from those that send photos.
        """
        return self._runner.sync(progress, lanes or (lambda: int(photos)), by_itself)

    def status(self) -> SyncStatus:
        """What waits, what went, what came of it. Never waits for the network."""
        with self._store.reading() as db:
            return status.status(db)

    def setting(self, name: str, default: str = "") -> str:
        """A setting of this phone, kept as text (``photos_on_wifi_only``, ...)."""
        with self._store.reading() as db:
            return meta.get(db, f"setting:{name}", default)

    def keep_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        with self._store.writing() as db:
            meta.put(db, f"setting:{name}", value)
