"""Pull: what a phone does not have yet, from one snapshot of the database, as NDJSON.

The header names the scope and what the server has taken from this device; rows follow partition
by partition in seq order, each partition closed by a checkpoint; "end" closes the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.orm import Session

from server.errors import Trouble
from server.operations.clock import now_ms
from server.operations.enrol import device_of, hash_secret
from server.storage import contacts, feed, overview
from server.storage.database import any_of, db, snapshot_on
from server.storage.models import Photo
from server.storage.overview import Head, Overview
from server.storage.tables import Blob, Quarantined, QuarantinedName, Receipt
from shared import checksum, ids, protocol

VIEW = "2"  # raised when a role's or the schema's view of records changes
ANSWERS_AT_MOST = 2000


def contact(connection: Connection, token: str, request: dict[str, Any]) -> str:
    """Keep what the phone says of itself; returns its device's id. Comes before the snapshot.

    Raises Trouble: token_unknown, token_revoked, upgrade_required.
    """
    device_id = contacts.note(connection, hash_secret(token), request, now_ms())
    if device_id is None:
        device_of(token)  # says why
        raise Trouble("token_unknown")
    if request["v"] < protocol.OLDEST_PULL:
        raise Trouble("upgrade_required")
    return device_id


def stream(token: str, request: dict[str, Any]) -> Iterator[str]:
    """The lines of the answer, without their line ends. Holds one snapshot while it is read.

    Raises what `contact` raises before the first line.
    """
    with db.engine.connect() as connection:
        device_id = contact(connection, token, request)
        seen = overview.read(connection, device_id, request["partitions"])
        connection.rollback()
        scope = _scope(seen) if seen else []
        if seen is not None and _is_quiet(seen, scope, request):
            yield _line(_header(seen, scope, request, [], {}))
            yield _line({"t": "end", "rows": 0})
            return
        with snapshot_on(connection) as session:
            yield from _lines(session, device_id, request)


def _is_quiet(seen: Overview, scope: list[str], request: dict[str, Any]) -> bool:
    """Whether there is nothing new: what one statement saw is then the whole answer."""
    known = request["partitions"]
    view = _view(seen)
    if request["epoch"] != seen.me.epoch or request.get("repair") or request.get("photos"):
        return False
    if request.get("confirmed", 0) < seen.me.last_dseq or known.keys() != set(scope):
        return False
    return all(
        (head := seen.heads.get(partition) or Head(partition)).seq == after
        and head.floor <= after
        and of == view
        for partition, (after, of) in known.items()
    )


def _lines(session: Session, device_id: str, request: dict[str, Any]) -> Iterator[str]:
    known = request["partitions"]
    connection = session.connection()
    seen = overview.read(connection, device_id, known)
    if seen is None:
        raise Trouble("token_unknown")
    scope = _scope(seen)
    view = _view(seen)
    repairs = request.get("repair") or {}
    same = request["epoch"] == seen.me.epoch
    answers = _answers(session, seen.me, request.get("confirmed", 0))
    # The view goes along: a snapshot that breaks off can then go on.
    photos = _photo_states(session, seen.me.user_id, request.get("photos", []))
    yield _line(_header(seen, scope, request, answers, photos))
    gained = [partition for partition in scope if partition not in known]
    heads = seen.heads | (overview.heads(connection, gained) if gained else {})
    count = 0
    for partition in scope:
        head = heads.get(partition) or Head(partition)
        after, of = known.get(partition, (0, view))
        whole = not same or of != view or after > head.seq or after < head.floor
        if partition in repairs and not whole:
            yield from _repair(session, head, repairs[partition])
        if whole and partition in known:
            yield _line({"t": "reset", "p": partition})
            after = 0
        elif after == head.seq and partition in known:
            continue
        if head.seq > after:
            for line in feed.lines(session, partition, after, head.seq):
                count += 1
                yield line
        yield _line(_checkpoint(head, view))
    yield _line({"t": "end", "rows": count})


def _view(seen: Overview) -> str:
    return f"{seen.me.role}.{VIEW}"


def _scope(seen: Overview) -> list[str]:
    codes = [code for code, _ in seen.grids]
    return partitions_in_scope(seen.me.user_id, seen.me.area_code, codes)


def partitions_in_scope(user_id: str, area_code: str, grid_codes: list[str]) -> list[str]:
    """What a person's phone holds: grids, the reference data above them, their own tasks."""
    areas = {ids.ROOT_AREA, *ids.ancestors(area_code)}
    if len(area_code) < ids.GRID_DIGITS:
        areas.add(area_code)
    for community in {code[: ids.COMMUNITY_DIGITS] for code in grid_codes}:
        areas |= {community, *ids.ancestors(community)}
    return sorted(
        {ids.area_partition(area) for area in areas}
        | {ids.grid_partition(code) for code in grid_codes}
        | {ids.person_partition(user_id)}
    )


def _header(
    seen: Overview,
    scope: list[str],
    request: dict[str, Any],
    answers: list[dict[str, Any]],
    photos: dict[str, str],
) -> dict[str, Any]:
    me = seen.me
    held = set(request["partitions"])
    now = now_ms()
    return {
        "t": "header",
        "v": protocol.VERSION,
        "epoch": me.epoch,
        "scope": {
            "rev": me.scope_rev,
            "grids": [{"code": code, "name": name} for code, name in seen.grids],
        },
        "user": {
            "id": me.user_id,
            "name": me.name,
            "role": me.role,
            "area_code": me.area_code,
        },
        "last_dseq": me.last_dseq,
        "running": me.running,
        "answers": answers,
        "partitions": scope,
        "gained": [p for p in scope if p not in held],
        "lost": sorted(held - set(scope)),
        "photos": photos,
        "server_time": now,
        "clock_offset": request["clock"]["wall"] - now,
        "view": _view(seen),
    }


def _answers(session: Session, me: Any, confirmed: int) -> list[dict[str, Any]]:
    """Every answer that the phone has not confirmed; a lost answer costs nothing."""
    if confirmed >= me.last_dseq:
        return []
    query = (
        select(Receipt.answer)
        .where(
            Receipt.device_id == me.id,
            Receipt.dseq > confirmed,
        )
        .order_by(Receipt.dseq)
        .limit(ANSWERS_AT_MOST)
    )
    return list(session.scalars(query))


def _photo_states(session: Session, user_id: str, wanted: list[str]) -> dict[str, str]:
    """The states of the phone's unverified photos, whatever its scope.

    Of a hash that no transaction of the person's declares nothing is told but "declared".
    """
    if not wanted:
        return {}
    applied = select(Photo.sha256).where(
        any_of(session, Photo.sha256, wanted), Photo.created_by == user_id
    )
    kept = (
        select(QuarantinedName.name)
        .join(Quarantined, QuarantinedName.quarantine_id == Quarantined.id)
        .where(any_of(session, QuarantinedName.name, wanted), Quarantined.author == user_id)
    )
    query = select(Blob.sha256, Blob.state).where(
        any_of(session, Blob.sha256, wanted), or_(Blob.sha256.in_(applied), Blob.sha256.in_(kept))
    )
    states = {sha: state for sha, state in session.execute(query)}
    return {sha: states.get(sha, "declared") for sha in wanted}


def _checkpoint(head: Head, view: str) -> dict[str, Any]:
    return {
        "t": "checkpoint",
        "p": head.id,
        "seq": head.seq,
        "count": head.live,
        "sum64": str(checksum.from_signed(head.sum64)),
        "chain": head.chain,
        "view": view,
    }


def _repair(session: Session, head: Head, buckets: list[int]) -> Iterator[str]:
    """First the sums of all buckets, so that the phone sees which differ; then those alone.

    A bucket is the last byte of a record's id. Everything is as of the head's seq.
    """
    if not buckets:
        sums = feed.bucket_sums(session, head.id)
        yield _line({"t": "buckets", "p": head.id, "seq": head.seq, "sums": [str(x) for x in sums]})
        return
    for bucket in sorted(set(buckets)):
        yield _line({"t": "bucket", "p": head.id, "n": bucket})
        yield from feed.lines(session, head.id, 0, head.seq, bucket)
    yield _line({"t": "repaired", "p": head.id, "seq": head.seq})


_line = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
