"""Push: the journal's rows without an answer go out in order; their answers are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mobile.core.clock import Clock
from mobile.storage import feed, identity, journal, meta, photos
from mobile.storage.store import Store
from mobile.sync.failure import RequestFailed
from shared import checksum, protocol

if TYPE_CHECKING:
    from mobile.sync.client import Client

APP = "gridledger-phone/1"
MOST_BYTES = protocol.MAX_COMPRESSED - 64 * 1024  # of a push's lines: small enough even unzipped
MOST_GRIDS = 8  # whose heads go along beside those of the partitions that are written to
MOST_HEADS = 100  # of a question whether the server was copied back
MOST_REPAIRS = 4  # gaps and identities are mended this often in one sync


def push(
    store: Store,
    connect: Callable[[], Client],
    clock: Clock,
    progress: Callable[[int, int], None],
) -> int:
    """Send what waits, batch by batch; how many transactions got their answer.

    ``connect`` gives a client with the present token, which a new identity changes. Raises
    RequestFailed; what was answered before that is kept, the rest waits in its order.
    """
    limit = protocol.PUSH_BATCH
    repairs = answered = 0
    with store.reading() as db:
        total, _ = journal.waiting(db)
    while True:
        batch = _next(store, limit)
        if batch is None:
            return answered
        header, lines, numbers = batch
        header |= about(store, clock)
        with store.writing() as db:
            first = journal.mark_sent(db, numbers, clock.wall())
        try:
            answer = connect().push(header, lines)
        except RequestFailed as failed:
            if not failed.left:
                with store.writing() as db:
                    journal.mark_kept(db, first)
            if failed.code == "too_large" and len(lines) > 1:
                limit = len(lines) // 2
                continue
            repairs += 1
            if repairs > MOST_REPAIRS or not _mend(store, connect, failed):
                raise
            continue
        with store.writing() as db:
            new = _keep(db, answer)
        if new == 0:
            raise RequestFailed("answer_invalid", "a push brought no answers")
        answered += new
        progress(answered, max(total, answered))
        if not _agrees(store, answer):
            new_identity(store, connect)


def new_identity(store: Store, connect: Callable[[], Client]) -> None:
    """Ask for another identity; what has no answer yet is numbered anew under it."""
    answer = connect().new_identity()
    with store.writing() as db:
        identity.take_device(db, answer["device_id"], answer["last_dseq"])
        meta.put(db, "token", answer["token"])


def _next(store: Store, limit: int) -> tuple[dict[str, Any], list[list[Any]], list[int]] | None:
    """The header's part that the journal knows, the lines of the next batch, their n."""
    while True:
        with store.reading() as db:
            me = meta.identity(db)
            if me is None:
                return None
            rows = journal.unsent(db, me.device_id, limit, MOST_BYTES)
            broken = next((row["n"] for row in rows if _is_broken(row)), None)
            if broken is None:
                break
        with store.writing() as db:
            identity.make_gap(db, broken, "unreadable")
    if not rows:
        return None
    numbers = [row["n"] for row in rows]
    with store.reading() as db:
        header = _header(db, me, _heads(db, numbers))
    return header, [_line(row) for row in rows], numbers


def ask(store: Store, client: Client, clock: Clock, heads: Mapping[str, list[Any]]) -> None:
    """Push nothing but where this phone stands; raises RequestFailed, as push does.

    ``epoch_changed``: the server's database was copied back, and a new epoch has begun.
    """
    with store.reading() as db:
        me = meta.identity(db)
        if me is None:
            return
        some = dict(list(heads.items())[:MOST_HEADS])
        header = _header(db, me, some)
    client.push(header | about(store, clock), [])


def _header(
    db: sqlite3.Connection, me: meta.Identity, heads: Mapping[str, list[Any]]
) -> dict[str, Any]:
    return {
        "v": protocol.VERSION,
        "epoch": me.epoch,
        "heads": heads,
        "confirmed": max(0, journal.confirmed(db, me.device_id)),
        "journal_from": journal.first_kept(db, me.device_id) or 1,
    }


def _is_broken(row: sqlite3.Row) -> bool:
    if row["gap"]:
        return False
    text = row["text"]
    return not isinstance(text, str) or checksum.text_hash(text) != row["hash"]


def _line(row: sqlite3.Row) -> list[Any]:
    if row["gap"]:
        return [row["dseq"], None, {"to": row["dseq_to"], "reason": row["gap"]}]
    return [row["dseq"], row["id"], row["text"]]


def _heads(db: sqlite3.Connection, numbers: list[int]) -> dict[str, list[Any]]:
    """Where this phone last saw the partitions it is about to change, and some of its grids."""
    touched = sorted(journal.partitions_of(db, numbers))
    grids = db.execute(
        "SELECT partition_id FROM cursor WHERE partition_id LIKE 'grid:%' LIMIT ?", (MOST_GRIDS,)
    )
    return feed.heads(db, dict.fromkeys([*touched, *(row[0] for row in grids)]))


def about(store: Store, clock: Clock) -> dict[str, Any]:
    """What a phone says of itself at each contact: its clocks, and what waits on it."""
    with store.reading() as db:
        count, size = journal.waiting(db)
        unsent = photos.held(db)
    return {
        "app": APP,
        "clock": {"wall": max(0, clock.wall()), "mono": max(0, clock.mono()), "boot": clock.boot},
        "waiting": {
            "transactions": count,
            "photos": unsent[0],
            "bytes": size + unsent[1],
        },
    }


def _mend(store: Store, connect: Callable[[], Client], failed: RequestFailed) -> bool:
    """Whether the cause was mended, so that the batch may go out again at once."""
    if failed.code == "identity_needed":
        new_identity(store, connect)
        return True
    if failed.code == "dseq_gap":
        last = failed.errors.get("last_dseq")
        if isinstance(last, list) and last and isinstance(last[0], int):
            with store.writing() as db:
                me = meta.identity(db)
                if me is not None:
                    identity.reopen(db, me.device_id, last[0], "", me.actor)
            return True
    return False


def _keep(db: sqlite3.Connection, answer: dict[str, Any]) -> int:
    me = meta.identity(db)
    if me is None:  # pragma: no cover - nothing is pushed before enrolment
        return 0
    keep_contact(db, answer)
    return journal.keep_answers(
        db, me.device_id, answer["answers"], answer["server_time"], me.actor
    )


def keep_contact(db: sqlite3.Connection, answer: dict[str, Any]) -> None:
    """The server was there, and its clock and ours differ by so much."""
    meta.put(db, "server_time", answer["server_time"])
    if answer.get("clock_offset") is not None:
        meta.put(db, "clock_offset", answer["clock_offset"])


def _agrees(store: Store, answer: dict[str, Any]) -> bool:
    with store.reading() as db:
        me = meta.identity(db)
        own = journal.running_at(db, me.device_id, answer["last_dseq"]) if me else None
    return own is None or own == answer["running"]
