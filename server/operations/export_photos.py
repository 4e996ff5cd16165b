"""Export the photos of one problem as a ZIP, made while it is read: no picture is held whole.

Photos cannot be masked, so this is an unmasked export: the permission, a reason, an audit row
before the first byte, and who and when inside the file. Only verified photos, of redacted ones the
redacted version. Photos of problems that were merged into it come along, under their own numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zipstream import ZIP_STORED, ZipStream

from server.core.access import Viewer
from server.core.export_columns import moment
from server.errors import Trouble
from server.operations import audit_log
from server.operations.clock import now_ms
from server.operations.export import check_unmasked, watermark
from server.storage import blobs
from server.storage.database import db, write
from server.storage.queries import family, gallery, photos, problems
from server.storage.tables import User
from shared import ids, vocabulary

ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True)
class PhotoZip:
    """A ZIP to send: its name, its length in bytes, and the bytes in blocks."""

    name: str
    size: int
    blocks: Iterable[bytes]


def export_photos(
    viewer: Viewer, problem_id: str, reason: str, address: str | None = None
) -> PhotoZip:
    """The verified photos of a problem and of those merged into it.

    Raises Trouble forbidden, not_found (also a problem without such photos), invalid (no reason).
    """
    reading = db.session()
    problem = problems.visible(reading, viewer, problem_id)
    if problem is None:
        raise Trouble("not_found")
    check_unmasked(viewer, reason)
    store = blobs.current()
    merged = family.merged(reading, problem)
    taken = photos.of_owners(reading, [problem.id, *(one.id for one in merged)])
    here = [one for one in taken if one.state == "verified" and store.exists(one.sha256)]
    if not here:
        raise Trouble("not_found", "没有核实过的照片 / No verified photos")
    title = _number(problem)
    others = {one.id: f"并案_{_number(one)}" for one in merged}
    named = list(zip(names(title, here, others), here, strict=True))
    shown = gallery.about(reading, here)
    people = gallery.people_of(reading, shown)
    with write() as session:
        account = session.get(User, viewer.user_id)
        now = now_ms()
        detail = {"unmasked": True, "photos": len(here), "reason": reason.strip()}
        area_code = ids.area_of(problem.partition_id)
        audit_log.record(
            session, viewer.user_id, "export_photos", problem.id, area_code, detail, address
        )
    mark = watermark(account.name if account else "", now, reason)
    lines = [f"{title}　{problem.place}", mark, ""]
    for (name, photo), one in zip(named, shown, strict=True):
        when = f"{moment(photo.taken_at or photo.created_at):%Y-%m-%d %H:%M}"
        covered = "　有遮挡" if photo.redacts else ""
        lines.append(f"{name}　{when}　{people.get(one.taken_by or '', '')}{covered}")
        lines.append(f"    SHA-256 {photo.sha256}")
    packed = ZipStream(compress_type=ZIP_STORED, sized=True)
    packed.comment = mark
    packed.add("\ufeff" + "\r\n".join(lines) + "\r\n", f"{safe(title)}_照片说明.txt")
    for name, photo in named:
        packed.add(_blocks(photo.sha256, store), name, size=store.size(photo.sha256))
    return PhotoZip(f"{safe(title)}_照片.zip", len(packed), packed)


def names(title: str, taken: Iterable[Any], others: Mapping[str, str] | None = None) -> list[str]:
    """What each photo is called in the ZIP: 4101-2026-00007_整改前_1.jpg, counted by phase.

    ``others``: problem id -> the title of one whose photos begin with that, not with ``title``.
    """
    counts: dict[tuple[str, str], int] = {}
    found = []
    for one in taken:
        whose = (others or {}).get(one.owner_id, title)
        phase = vocabulary.word(vocabulary.PHASES, one.phase)
        counts[whose, phase] = counts.get((whose, phase), 0) + 1
        ending = ENDINGS.get(one.mime or "", "jpg")
        found.append(f"{safe(whose)}_{safe(phase)}_{counts[whose, phase]}.{ending}")
    return found


def _number(problem: Any) -> str:
    return problem.ledger_no or f"未立案_{problem.id[-6:]}"


def safe(text: str) -> str:
    """A part of a file's name that every system takes."""
    return re.sub(r'[\x00-\x1f\\/:*?"<>|]+', "-", text).strip(". ") or "-"


def _blocks(sha256: str, store: blobs.Store) -> Iterator[bytes]:
    """Opened when its turn comes, not before."""
    yield from store.read(sha256)
