"""What is being written on this phone and not saved yet: forms as typed, photos being taken.

Times are Unix milliseconds, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobile.core.errors import PhoneError


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
    ``solved`` is what was solved on the spot, category and description: it goes into the ledger
    as closed at once, in the same transaction.
    """

    values: Mapping[str, Any]
    photos: tuple[DraftPhoto, ...] = ()
    grid: str = ""
    solved: Mapping[str, Any] | None = None


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
