"""What a page says of photos beside the picture: who took it, where it is, what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.storage.models import Photo
from server.storage.tables import Blob, Device, Upload, User
from shared.reconcile import EVERY


@dataclass(frozen=True)
class About:
    """One photo and what stands beside it.

    ``taken_by`` is the author of the first in a chain of redactions, ``original`` that photo's id
    ("" where nothing is hidden). ``device`` is the phone that declared it, None for an import.
    ``sending``: an upload of its bytes is under way. ``reason``: why the bytes were refused.
    """

    photo: Any
    taken_by: str | None
    original: str = ""
    device: Device | None = None
    sending: bool = False
    reason: str = ""


def about(session: Session, photos: Sequence[Any]) -> list[About]:
    """The same photos, in the same order, with what stands beside them; a query for each sort of
    state that occurs among them, however many they are."""
    firsts = _firsts(session, photos)
    waiting = [one for one in photos if one.state not in ("verified", "refused")]
    phones = devices(session, (declared_by(one) for one in waiting))
    hashes = [one.sha256 for one in waiting]
    sending = set(session.scalars(_of_hashes(Upload.sha256, hashes))) if hashes else set()
    refused = [one.sha256 for one in photos if one.state == "refused"]
    reasons: dict[str, str | None] = {}
    if refused:
        query = select(Blob.sha256, Blob.detail).where(Blob.sha256.in_(refused))
        reasons = {sha256: detail for sha256, detail in session.execute(query)}
    return [
        About(
            one,
            firsts[one.id].created_by if one.id in firsts else one.created_by,
            firsts[one.id].id if one.id in firsts else "",
            phones.get(declared_by(one)) if one in waiting else None,
            one.sha256 in sending,
            reasons.get(one.sha256) or "",
        )
        for one in photos
    ]


def devices(session: Session, device_ids: Iterable[str]) -> dict[str, Device]:
    """id -> phone, of those that are phones."""
    wanted = set(device_ids) - {""}
    if not wanted:
        return {}
    query = select(Device).where(Device.id.in_(wanted), Device.kind == "phone")
    return {one.id: one for one in session.scalars(query)}


def people_of(session: Session, shown: Iterable[About]) -> dict[str, str]:
    """id -> name of those who took the photos, covered them, or have them on their phone."""
    wanted = {
        one
        for entry in shown
        for one in (
            entry.taken_by,
            entry.photo.created_by,
            entry.device.user_id if entry.device else None,
        )
        if one
    }
    if not wanted:
        return {}
    query = select(User.id, User.name).where(User.id.in_(wanted))
    return {user_id: name for user_id, name in session.execute(query)}


def declared_by(photo: Any) -> str:
    """The id of the device whose transaction made the record, "" where that is not known."""
    stamp = photo.field_revs.get(EVERY)
    return str(stamp[1]) if stamp else ""


def _firsts(session: Session, photos: Sequence[Any]) -> dict[str, Any]:
    """id -> the photo that a redacted one began as; all chains together, a query a step."""
    firsts: dict[str, Any] = {}
    above = {one.id: one.redacts for one in photos if one.redacts}
    while above:
        query = select(Photo).where(Photo.id.in_(set(above.values())))
        found = {one.id: one for one in session.scalars(query)}
        following = {}
        for photo_id, before in above.items():
            one = found.get(before)
            if one is None:
                continue
            firsts[photo_id] = one
            if one.redacts and one.redacts != photo_id:
                following[photo_id] = one.redacts
        above = following
    return firsts


def _of_hashes(column: Any, hashes: list[str]) -> Any:
    return select(column).where(column.in_(hashes)).distinct()
