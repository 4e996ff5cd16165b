"""Photo files by their hash, and what is known of each: sent, verified, removed.

A file is on the disk, whole and under its name, before any row speaks of it. What a removed
original leaves behind is a small picture, as long as a record shows it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mobile.core.due import DAY_MS
from mobile.core.errors import PhotoInvalid
from mobile.core.photo import Picture, small
from mobile.storage import files, meta
from mobile.storage.records import DOC, values_of
from mobile.storage.store import PHOTOS, Store, failure
from mobile.storage.vault import PHOTO_MARK, photo_size
from shared import protocol

FOLDER = PHOTOS
SMALL = ".small"  # the ending of a small picture's name
SETTING = "keep_photos_days"  # the setting: how long originals stay once they are safe
CHOICES = (protocol.KEEP_ORIGINAL_DAYS, 30, 90)
MOST_AT_ONCE = 40  # originals removed in one sync: each leaves a small picture behind
KEEP_LOOSE_MS = 2 * DAY_MS  # a picture that no draft and no record names is kept this long


def path_of(folder: Path, sha256: str) -> Path:
    """Where a photo lies."""
    return folder / FOLDER / sha256[:2] / f"{sha256}.jpg"


def small_of(folder: Path, sha256: str) -> Path:
    """Where a photo's small picture lies once its original has gone."""
    return path_of(folder, sha256).with_suffix(SMALL)


def put(store: Store, picture: Picture) -> Path:
    """Write a picture, sealed, to the disk, then under its name. Raises SaveFailed."""
    path = path_of(store.folder, picture.sha256)
    try:
        if is_here(store.folder, picture.sha256, len(picture.data)):
            os.utime(path)  # taken anew: the sweep of loose pictures counts from now
            return path
        files.write(path, store.vault.seal_photo(picture.data))
    except OSError as error:
        raise failure(error) from error
    return path


def is_here(folder: Path, sha256: str, size: int) -> bool:
    """Whether the file of a picture of this size is on the disk, sealed or from an older app."""
    try:
        found = os.stat(f"{folder}/{FOLDER}/{sha256[:2]}/{sha256}.jpg")  # `path_of`, quickly
        return found.st_size in (photo_size(size), size)
    except OSError:
        return False


def read(store: Store, path: Path) -> bytes:
    """A picture's own bytes. Raises OSError, ValueError (damaged)."""
    return store.vault.unseal_photo(path.read_bytes())


def seal_old(store: Store) -> int:
    """Seal the pictures that an older app left in the open; how many. One by one, kill-safe."""
    sealed = 0
    for path in (store.folder / FOLDER).glob("*/*.jpg"):
        with suppress(OSError):
            with path.open("rb") as file:
                if file.read(len(PHOTO_MARK)) == PHOTO_MARK:
                    continue
            at = path.stat()
            files.write(path, store.vault.seal_photo(path.read_bytes()))
            os.utime(path, (at.st_atime, at.st_mtime))
            sealed += 1
    return sealed


def declare(db: sqlite3.Connection, sha256: str, size: int, n: int) -> None:
    """A transaction names a photo: it is to be sent once that transaction has its answer."""
    db.execute(
        "INSERT INTO photo (sha256, size, n) VALUES (?, ?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET removed_at = NULL,"
        " state = CASE state WHEN 'missing' THEN 'waiting' ELSE state END",
        (sha256, size, n),
    )


def unconfirmed(db: sqlite3.Connection, limit: int = 5000) -> list[str]:
    """The hashes whose state the phone wants to hear."""
    rows = db.execute(
        "SELECT sha256 FROM photo WHERE verified_at IS NULL AND state != 'refused'"
        " ORDER BY n LIMIT ?",
        (limit,),
    )
    return [row[0] for row in rows]


def keep_upload(db: sqlite3.Connection, sha256: str, url: str | None, sent: int) -> None:
    """Where the upload is and how far it is, so that it goes on there after any kill."""
    db.execute(
        "UPDATE photo SET upload_url = ?, sent = ?, state = 'uploading', reason = '',"
        " retry_at = NULL WHERE sha256 = ?",
        (url, sent, sha256),
    )


def keep_state(db: sqlite3.Connection, sha256: str, state: str, reason: str = "") -> None:
    """What the server said at the end of an upload; "verified" still has to be pulled."""
    sent = ", sent = size" if state in ("stored", "verified") else ", sent = 0"
    db.execute(
        f"UPDATE photo SET state = ?, upload_url = NULL, reason = ?{sent} WHERE sha256 = ?",
        (state, reason, sha256),
    )


def pulled_states(db: sqlite3.Connection, states: Mapping[str, str], server_time: int) -> None:
    """The states a pull brought. A declared photo is still to be sent."""
    for sha256, state in states.items():
        if state == "verified":
            db.execute(
                "UPDATE photo SET state = 'verified', upload_url = NULL, sent = size, reason = '',"
                " verified_at = coalesce(verified_at, ?) WHERE sha256 = ?",
                (server_time, sha256),
            )
        elif state == "declared":
            # It said once that it had it, and has it no more: send it again.
            db.execute(
                "UPDATE photo SET state = 'waiting', upload_url = NULL, sent = 0"
                " WHERE sha256 = ? AND state IN ('stored', 'verified') AND removed_at IS NULL",
                (sha256,),
            )
        elif state in ("stored", "corrupt", "refused"):
            db.execute(
                "UPDATE photo SET state = ?, upload_url = NULL, sent = 0"
                " WHERE sha256 = ? AND state != ?",
                (state, sha256, state),
            )


def offer_all(db: sqlite3.Connection) -> None:
    """A new epoch: every original still here is asked about, and sent where it is lacking."""
    db.execute(
        "UPDATE photo SET state = 'waiting', upload_url = NULL, sent = 0, verified_at = NULL,"
        " tries = 0, retry_at = NULL, reason = ''"
        " WHERE removed_at IS NULL AND state != 'refused'"
    )


def keep_days(db: sqlite3.Connection) -> int:
    """How many days an original stays after "verified" was pulled, by the setting."""
    return max(protocol.KEEP_ORIGINAL_DAYS, meta.number(db, f"setting:{SETTING}"))


def remove_originals(store: Store, server_time: int) -> int:
    """Delete files that the server has had verified for `keep_days`, by its own clock.

    Returns how many. First a small picture is on the disk, then the row says that the original
    has gone, then it goes: a file without a row is swept later, never the reverse.
    """
    with store.reading() as db:
        limit = server_time - keep_days(db) * DAY_MS
        drafted = _drafted(db)
        rows = db.execute(
            "SELECT sha256 FROM photo WHERE removed_at IS NULL AND verified_at <= ?"
            " ORDER BY verified_at, sha256",
            (limit,),
        ).fetchall()
        names = [row[0] for row in rows if row[0] not in drafted][:MOST_AT_ONCE]
        shown = {sha256 for sha256 in names if _is_shown(db, sha256)}
    if not names:
        return 0
    for sha256 in names:
        if sha256 in shown:
            with suppress(OSError, ValueError, PhotoInvalid):
                picture = small(read(store, path_of(store.folder, sha256)))
                files.write(small_of(store.folder, sha256), store.vault.seal_photo(picture))
    with store.writing() as db:
        db.executemany(
            "UPDATE photo SET removed_at = ? WHERE sha256 = ?",
            [(server_time, sha256) for sha256 in names],
        )
    for sha256 in names:
        with suppress(OSError):
            path_of(store.folder, sha256).unlink()
    return len(names)


def sweep_loose(store: Store, now: int) -> int:
    """Delete old pictures that no draft and no record names any more, and broken-off writes.

    A small picture is named by a record that shows it.
    """
    with store.reading() as db:
        if meta.get(db, "loose"):
            return 0  # entries of a damaged journal were lost, which may have named them
        named = _drafted(db)
        named |= {r[0] for r in db.execute("SELECT sha256 FROM photo WHERE removed_at IS NULL")}
        found = sorted((store.folder / FOLDER).glob("*/*"))
        small_ones = {path.stem for path in found if path.suffix == SMALL}
        shown = {sha256 for sha256 in small_ones if _is_shown(db, sha256)}
    swept = 0
    for path in found:
        if path.stem in (shown if path.suffix == SMALL else named):
            continue
        with suppress(OSError):
            if path.stat().st_mtime * 1000 < now - KEEP_LOOSE_MS:
                path.unlink()
                swept += 1
    return swept


def _is_shown(db: sqlite3.Connection, sha256: str) -> bool:
    """Whether a page shows this photo: not replaced by a redacted one, its record whole here."""
    rows = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE kind = 'photo' AND sha256 = ? AND visible = 1"
        " AND gone = 0 AND NOT EXISTS"
        " (SELECT 1 FROM record o WHERE o.id = record.parent_id AND o.thin = 1)",
        (sha256,),
    ).fetchall()
    return any(not values_of(row).get("replaced_by") for row in rows)


def _drafted(db: sqlite3.Connection) -> set[str]:
    return {
        photo["sha256"]
        for row in db.execute("SELECT unseal(photos) FROM draft")
        for photo in json.loads(row[0])
    }


def held(db: sqlite3.Connection) -> tuple[int, int]:
    """How many photos the server does not have whole yet, and the bytes still to go."""
    count, size = db.execute(
        "SELECT count(*), coalesce(sum(size - sent), 0) FROM photo"
        " WHERE state NOT IN ('verified', 'refused', 'stored') AND removed_at IS NULL"
    ).fetchone()
    return count, size
