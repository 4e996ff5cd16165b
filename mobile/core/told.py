"""What the screens are told of the way to the server: what waits, what is safe, how a sync goes.

Times are Unix milliseconds, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from mobile.core.views import Place


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
