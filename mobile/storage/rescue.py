"""Rescue: a damaged store is set aside, and what only this phone has is read out of it row by row.

That is the journal (above all what was not sent), drafts, settings and the identity. Records come
again from the server. The rebuilt store asks for a new identity, since numbers may be missing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mobile.core.told import Recovered
from mobile.storage import files, identity, journal, meta, photos, unsent
from mobile.storage.migrations import migrate
from mobile.storage.store import DAMAGED, FILE, MARKED, Damaged, Store, failure, told
from mobile.storage.unsent import Exported
from mobile.storage.vault import DEVICE_KEY, KEY_FILES, FileKeeper, Keeper, open_vault
from shared import checksum, ids
from shared.ledger import Actor
from shared.operations import CREATE, Transaction

_READ = (
    "n, device_id, dseq, dseq_to, id, readable(text) AS text, hash, running, gap,"
    " readable(label) AS label, made_at, sent_at, answer, result, answered_at, covered_at,"
    " settled_at, task_id"
)
_CAPTURE = "INSERT OR IGNORE INTO capture VALUES (?, ?, ?, ?, ?, ?)"
_DRAFT = "INSERT OR IGNORE INTO draft VALUES (?, seal(unseal(?)), seal(unseal(?)), ?)"
_FEEDBACK = (
    "INSERT OR IGNORE INTO feedback VALUES (?, ?, seal(unseal(?)), ?, ?, ?, seal(unseal(?)), ?)"
)
# What is the damaged store's own business, or is asked for anew.
_NOT_KEPT = frozenset({"mark", "repairs", "buckets_repaired", "last_error", "failures"})


def open_store(
    folder: Path, now: int, keeper: Keeper | None = None
) -> tuple[Store, Recovered | None]:
    """Open a store; a damaged one is set aside under ``now`` (Unix ms) and rebuilt first.

    Raises SaveFailed. A kill in the middle loses nothing: the damaged file has its own name until
    the rebuilt one is whole.
    """
    rebuilding = folder / "rebuilding"
    if (rebuilding / FILE).exists() and not (folder / FILE).exists():
        (rebuilding / FILE).replace(folder / FILE)  # killed between the two moves below
    try:
        return Store(folder, keeper), None
    except Damaged:
        pass
    _forget(rebuilding)
    keeper = keeper or FileKeeper(folder / DEVICE_KEY)
    try:
        vault = open_vault(folder, keeper)  # beside the file that is damaged: the key goes on
        for name in KEY_FILES:
            files.write(rebuilding / name, (folder / name).read_bytes())
    except OSError as error:
        raise failure(error) from error
    with (
        closing(Store(rebuilding, keeper)) as fresh,
        closing(_damaged(folder / FILE)) as old,
        fresh.writing() as db,
    ):
        vault.serve(old)
        found = _read_out(old, db, folder)
    at = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    aside = folder / f"{DAMAGED}{at}.sqlite3"
    try:
        (folder / MARKED).unlink(missing_ok=True)
        for path in Store.beside(folder / FILE):
            if path.exists():
                path.replace(aside.with_name(aside.name + path.name.removeprefix(FILE)))
        (folder / FILE).replace(aside)
        (rebuilding / FILE).replace(folder / FILE)
    except OSError as error:
        raise failure(error) from error
    _forget(rebuilding)
    return Store(folder, keeper), Recovered(aside, *found)


def export(folder: Path, keeper: Keeper, into: Path, now: int) -> Exported:
    """The file of unsent work out of a store that will not open; nothing in it is changed.

    Raises SaveFailed (``key_lost``, ``nothing``, ``no_key``, ``disk_full`` ...).
    """
    try:
        vault = open_vault(folder, keeper)
        if not (folder / FILE).exists():
            raise FileNotFoundError(folder / FILE)
    except OSError as error:
        raise failure(error) from error
    with told(), closing(_damaged(folder / FILE)) as old, closing(_damaged(":memory:")) as db:
        vault.serve(old)
        vault.serve(db)
        migrate(db)
        _read_out(old, db, folder)
        return unsent.write(db, folder, vault, into, now)


def _forget(rebuilding: Path) -> None:
    for path in rebuilding.glob("*"):
        path.unlink()
    with suppress(FileNotFoundError):
        rebuilding.rmdir()


def _damaged(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    return db


def _read_out(
    old: sqlite3.Connection, db: sqlite3.Connection, folder: Path
) -> tuple[int, int, int, int, bool]:
    """Fill the fresh store; (waiting, lost, photos, drafts, enrolled) of `Recovered`."""
    for row in _both_ways(old, "meta", "name"):
        if row["name"] not in _NOT_KEPT:
            kept = "seal(unseal(?))" if row["name"] in meta.SEALED else "?"
            with suppress(sqlite3.OperationalError):  # sealed, and cannot be unsealed any more
                db.execute(f"INSERT OR IGNORE INTO meta VALUES (?, {kept})", tuple(row))
    drafts = 0
    for row in _both_ways(old, "draft", "key"):
        with suppress(sqlite3.OperationalError):
            drafts += db.execute(_DRAFT, tuple(row)).rowcount
    for row in _both_ways(old, "capture", "id"):  # a photo may be in the camera in this moment
        db.execute(_CAPTURE, tuple(row))
    for row in _both_ways(old, "feedback", "id"):
        with suppress(sqlite3.OperationalError):
            db.execute(_FEEDBACK, tuple(row))
    for row in _both_ways(old, "look", "household_id"):
        if ids.is_id(row["household_id"]):  # what is garbled no server takes
            db.execute("INSERT OR IGNORE INTO look VALUES (?, ?, ?)", tuple(row))
    lost, is_whole = _journal(old, db)
    me = meta.identity(db)
    waiting = journal.waiting(db)[0]
    pictures = _lay_again(db, me.actor if me else Actor("", ""), folder)
    if me is None or not me.token:
        # Whose work it is stands in its texts, so that no other person may enrol here.
        db.execute("DELETE FROM meta WHERE name = 'device_id'")
        me = None
    meta.put(db, "rebuilt", "1")
    meta.put(db, "loose", "" if is_whole else "1")
    return waiting, lost, pictures, drafts, me is not None


def _both_ways(old: sqlite3.Connection, table: str, key: str) -> Iterator[sqlite3.Row]:
    """The rows of a table from its start until the damage, and from its end back to it."""
    for order in ("ASC", "DESC"):
        try:
            yield from old.execute(f"SELECT * FROM {table} ORDER BY {key} {order}")
            return
        except sqlite3.DatabaseError:
            continue


def _journal(old: sqlite3.Connection, db: sqlite3.Connection) -> tuple[int, bool]:
    """Copy the journal's rows; how many could not be read and may not have been sent.

    Also whether all of it was read.
    """
    highest = _scalar(old, "SELECT seq FROM sqlite_sequence WHERE name = 'journal'") or _scalar(
        old, "SELECT max(n) FROM journal"
    )
    lowest = _scalar(old, "SELECT min(n) FROM journal") or 1
    unread: list[int] = []
    answered = 0
    for n in range(lowest, (highest or 0) + 1):
        try:
            row = old.execute(f"SELECT {_READ} FROM journal WHERE n = ?", (n,)).fetchone()
            kept = row is not None and _copy(db, row)
        except sqlite3.DatabaseError:
            kept, row = False, True
        if not kept:
            unread += [n] if row is not None else []
        elif row["result"] is not None:
            answered = n
    # Answers come in order: what lies before an answered one was delivered.
    lost = [n for n in unread if n > answered]
    for n in lost:
        db.execute(
            "INSERT OR IGNORE INTO journal (n, device_id, dseq, dseq_to, text, hash, running, gap,"
            " label, made_at) VALUES (?, '', ?, ?, '', '', '', 'unreadable', '{}', 0)",
            (n, -n, -n),
        )
    return len(lost), highest is not None and not unread


def _scalar(old: sqlite3.Connection, sql: str) -> int | None:
    try:
        row = old.execute(sql).fetchone()
    except sqlite3.DatabaseError:
        return None
    return row[0] if row and isinstance(row[0], int) else None


def _copy(db: sqlite3.Connection, row: sqlite3.Row) -> bool:
    """Keep a row of the journal if its text is as it was frozen."""
    values = dict(row)
    text = values["text"]
    if not isinstance(text, str) or not isinstance(values["dseq"], int):
        return False
    if values["gap"] is None and checksum.text_hash(text) != values["hash"]:
        return False
    if not _is_json(values["label"]):
        values["label"] = "{}"
    if values["result"] is not None and not _is_json(values["answer"]):
        # Asked once more, it gets its first answer again.
        values |= dict.fromkeys(("answer", "result", "answered_at", "covered_at", "settled_at"))
    marks = ", ".join("seal(?)" if name in ("text", "label") else "?" for name in values)
    copied = db.execute(
        f"INSERT OR IGNORE INTO journal ({', '.join(values)}) VALUES ({marks})",
        tuple(values.values()),
    )
    return copied.rowcount == 1


def _is_json(text: object) -> bool:
    try:
        return isinstance(json.loads(text), dict) if isinstance(text, str) else False
    except ValueError:
        return False


def _lay_again(db: sqlite3.Connection, actor: Actor, folder: Path) -> int:
    """Lay on top what no pull has covered, and declare photos; how many of these are here."""
    rows = db.execute(
        "SELECT n, unseal(text) AS text, covered_at IS NULL OR (result IN ('held', 'rejected')"
        " AND settled_at IS NULL) AS is_open FROM journal WHERE gap IS NULL ORDER BY n"
    ).fetchall()
    author = ""
    for row in rows:
        with suppress(ValueError, KeyError, TypeError, IndexError):
            transaction = Transaction.from_json(json.loads(row["text"]))
            author = transaction.author
            if row["is_open"]:
                identity.lay_again(db, row["n"], row["text"], actor)
            for values in _photos_of(transaction):
                if photos.path_of(folder, values["sha256"]).is_file():
                    photos.declare(db, values["sha256"], values["size"], row["n"])
    if author and not meta.get(db, "user_id"):
        meta.put(db, "user_id", author)
    return int(db.execute("SELECT count(*) FROM photo").fetchone()[0])


def _photos_of(transaction: Transaction) -> Iterator[Any]:
    for operation in transaction.operations:
        if (operation.op, operation.kind) == (CREATE, "photo"):
            yield operation.values
