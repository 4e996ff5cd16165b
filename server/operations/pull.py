"""Pull: what a phone does not have yet, from one snapshot of the database, as NDJSON.

The header names the scope and what the server has taken from this device; rows follow partition
by partition in seq order, each partition closed by a checkpoint; "end" closes the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.errors import Trouble
from server.operations.clock import now_ms
from server.operations.push import note_contact
from server.storage import feed
from server.storage.database import snapshot, write
from server.storage.models import Area
from server.storage.rows import chunks
from server.storage.settings import epoch
from server.storage.tables import Assignment, Blob, Device, Partition, Receipt, User
from shared import checksum, ids, protocol

VIEW = "1"  # raised when a role's or the schema's view of records changes
ANSWERS_AT_MOST = 2000


def contact(device_id: str, request: dict[str, Any]) -> None:
    """Keep what the phone says of itself. A transaction of its own, before the snapshot."""
    if request["v"] < protocol.OLDEST_PULL:
        raise Trouble("upgrade_required")
    with write() as session:
        device = session.get(Device, device_id, populate_existing=True)
        if device is None:
            raise Trouble("token_unknown")
        note_contact(device, request, now_ms())
        epoch(session)  # made here if this database is new: a snapshot does not write


def stream(device_id: str, request: dict[str, Any]) -> Iterator[str]:
    """The lines of the answer, without their line ends. Holds one snapshot while it is read."""
    with snapshot() as session:
        device = session.get(Device, device_id, populate_existing=True)
        user = session.get(User, device.user_id, populate_existing=True) if device else None
        if device is None or user is None:
            raise Trouble("token_unknown")
        current = epoch(session)
        grids = _grids(session, user)
        scope = partitions_in_scope(user, [code for code, _ in grids])
        view = f"{user.role}.{VIEW}"
        known = request["partitions"]
        repairs = request.get("repair") or {}
        same = request["epoch"] == current
        header = _header(session, device, user, current, grids, scope, request)
        yield _line(header | {"view": view})  # a snapshot that breaks off can then go on
        count = 0
        for head in _heads(session, scope):
            after, seen = known.get(head.id, (0, view))
            whole = not same or seen != view or after > head.seq or after < (head.floor or 0)
            if head.id in repairs and not whole:
                yield from _repair(session, head, repairs[head.id])
            if whole and head.id in known:
                yield _line({"t": "reset", "p": head.id})
                after = 0
            elif after == head.seq and head.id in known:
                continue
            if head.seq > after:
                for line in feed.lines(session, head.id, after, head.seq):
                    count += 1
                    yield line
            yield _line(_checkpoint(head, view))
        yield _line({"t": "end", "rows": count})


def partitions_in_scope(user: User, grid_codes: list[str]) -> list[str]:
    """What a person's phone holds: grids, the reference data above them, their own tasks."""
    areas = {ids.ROOT_AREA, *ids.ancestors(user.area_code)}
    if len(user.area_code) < ids.GRID_DIGITS:
        areas.add(user.area_code)
    for code in grid_codes:
        areas.update(ids.ancestors(code))
    return sorted(
        {ids.area_partition(area) for area in areas}
        | {ids.grid_partition(code) for code in grid_codes}
        | {ids.person_partition(user.id)}
    )


def _grids(session: Session, user: User) -> list[tuple[str, str]]:
    """(code, name) of the grids a person holds: a worker's own, a supervisor's whole subtree."""
    query = select(Area.code, Area.name).where(Area.level == "grid", Area.deleted_at.is_(None))
    if user.role == "grid_worker":
        mine = select(Assignment.grid_code).where(
            Assignment.user_id == user.id, Assignment.to_at.is_(None)
        )
        codes = sorted(set(session.scalars(mine)))
        names: dict[str, str] = {
            code: name for code, name in session.execute(query.where(Area.code.in_(codes)))
        }
        return [(code, names.get(code, code)) for code in codes]
    if user.area_code != ids.ROOT_AREA:
        query = query.where(Area.code >= user.area_code, Area.code < user.area_code + ":")
    return [(row[0], row[1]) for row in session.execute(query.order_by(Area.code))]


def _heads(session: Session, scope: list[str]) -> Iterator[Partition]:
    """The head of each partition, in order; an empty one where nothing was ever written."""
    for part in chunks(scope):
        query = select(Partition).where(Partition.id.in_(part))
        rows = session.scalars(query.execution_options(populate_existing=True))
        found = {row.id: row for row in rows}
        for partition in part:
            yield found.get(partition) or Partition(
                id=partition, seq=0, count=0, sum64=0, chain=checksum.EMPTY_CHAIN, floor=0
            )


def _header(
    session: Session,
    device: Device,
    user: User,
    current: str,
    grids: list[tuple[str, str]],
    scope: list[str],
    request: dict[str, Any],
) -> dict[str, Any]:
    held = set(request["partitions"])
    now = now_ms()
    return {
        "t": "header",
        "v": protocol.VERSION,
        "epoch": current,
        "scope": {
            "rev": user.scope_rev,
            "grids": [{"code": code, "name": name} for code, name in grids],
        },
        "user": {
            "id": user.id,
            "name": user.name,
            "role": user.role,
            "area_code": user.area_code,
        },
        "last_dseq": device.last_dseq,
        "running": device.running,
        "answers": _answers(session, device, request.get("confirmed", 0)),
        "partitions": scope,
        "gained": [p for p in scope if p not in held],
        "lost": sorted(held - set(scope)),
        "photos": _photo_states(session, request.get("photos", [])),
        "server_time": now,
        "clock_offset": request["clock"]["wall"] - now,
    }


def _answers(session: Session, device: Device, confirmed: int) -> list[dict[str, Any]]:
    """Every answer that the phone has not confirmed; a lost answer costs nothing."""
    query = (
        select(Receipt.answer)
        .where(
            Receipt.device_id == device.id,
            Receipt.dseq > confirmed,
        )
        .order_by(Receipt.dseq)
        .limit(ANSWERS_AT_MOST)
    )
    return list(session.scalars(query))


def _photo_states(session: Session, wanted: list[str]) -> dict[str, str]:
    """The states of the phone's unverified photos, whatever its scope."""
    states: dict[str, str] = {}
    for part in chunks(wanted):
        query = select(Blob.sha256, Blob.state).where(Blob.sha256.in_(part))
        states.update((sha, state) for sha, state in session.execute(query))
    return {sha: states.get(sha, "declared") for sha in wanted}


def _checkpoint(head: Partition, view: str) -> dict[str, Any]:
    return {
        "t": "checkpoint",
        "p": head.id,
        "seq": head.seq,
        "count": head.count,
        "sum64": str(checksum.from_signed(head.sum64)),
        "chain": head.chain,
        "view": view,
    }


def _repair(session: Session, head: Partition, buckets: list[int]) -> Iterator[str]:
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


def _line(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
