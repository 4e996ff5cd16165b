"""Pull: what a phone does not have yet, from one snapshot of the database, as NDJSON.

The header names the scope and what the server has taken from this device; rows follow partition
by partition in seq order, each partition closed by a checkpoint; "end" closes the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, KeysView
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server import quick_json
from server.errors import Trouble
from server.operations.clock import now_ms
from server.operations.enrol import device_id_of, hash_secret
from server.storage import direct, feed, glance, overview
from server.storage.database import any_of, db, lasting_snapshot
from server.storage.glance import Moved, Said, Seen
from server.storage.models import Photo
from server.storage.overview import Head, Me
from server.storage.tables import Blob, Quarantined, QuarantinedName, Receipt
from shared import checksum, ids, protocol

VIEW = "2"  # raised when a role's or the schema's view of records changes
ANSWERS_AT_MOST = 2000
LITTLE = 2000  # rows that are answered in one piece


def pull(token: str, request: dict[str, Any]) -> bytes | Iterator[str]:
    """The answer: its whole where little is new, else its lines, which hold one snapshot.

    What the phone says of itself is kept, whatever comes after.
    Raises Trouble: token_unknown, token_revoked, upgrade_required.
    """
    now = now_ms()
    said = Said(
        hash_secret(token), {p: at[0] for p, at in request["partitions"].items()}, now,
        request["waiting"], request["clock"]["wall"] - now, request.get("app") or None,
        request.get("confirmed", 0),
    )  # fmt: skip
    dialect = db.engine.dialect.name
    with direct.connection(db.engine) as raw:
        seen = glance.look(raw, dialect, said)
        if seen is not None and request["v"] < protocol.OLDEST_PULL:
            raise Trouble("upgrade_required")
        if seen is not None and _is_little(seen, request):
            if not seen.moved:
                return _whole(seen, request, [])
            taken = glance.look_and_take(raw, dialect, said)
            if taken is not None and _is_little(taken[0], request):
                return _whole(taken[0], request, taken[1])
    if seen is None:
        device_id_of(token)  # says why
        raise Trouble("token_unknown")
    return _stream(seen.id, request)


def _is_little(seen: Seen, request: dict[str, Any]) -> bool:
    """Whether the phone stands where it may, and what is new is some rows at most."""
    known = request["partitions"]
    if request["epoch"] != seen.epoch or request.get("repair") or request.get("photos"):
        return False
    if request.get("confirmed", 0) < seen.last_dseq:
        return False
    if {of for _, of in known.values()} - {_view(seen)}:
        return False
    if known.keys() != scope_of(seen.user_id, seen.area_code, seen.grids).partitions:
        return False
    if any(not one.floor <= one.after < one.seq for one in seen.moved):
        return False
    return sum(one.seq - one.after for one in seen.moved) <= LITTLE


def _whole(seen: Seen, request: dict[str, Any], taken: list[bytes]) -> bytes:
    """A whole answer: each partition that moved with its lines."""
    view = _view(seen)
    scope = scope_of(seen.user_id, seen.area_code, seen.grids)
    parts = [_header(seen, scope, request, [], {}).encode()]
    count = 0
    for head, lines in zip(seen.moved, taken, strict=True):
        if lines:
            parts.append(lines)
            count += lines.count(b"\n") + 1
        parts.append(_line(_checkpoint(head, view)).encode())
    parts.append(_line({"t": "end", "rows": count}).encode())
    return b"\n".join(parts) + b"\n"


def _stream(device_id: str, request: dict[str, Any]) -> Iterator[str]:
    with lasting_snapshot() as session:
        yield from _lines(session, device_id, request)


def _lines(session: Session, device_id: str, request: dict[str, Any]) -> Iterator[str]:
    known = request["partitions"]
    connection = session.connection()
    seen = overview.read(connection, device_id, known)
    if seen is None:
        raise Trouble("token_unknown")
    scope = scope_of(seen.me.user_id, seen.me.area_code, seen.grids)
    view = _view(seen.me)
    repairs = request.get("repair") or {}
    same = request["epoch"] == seen.me.epoch
    answers = _answers(session, seen.me, request.get("confirmed", 0))
    # The view goes along: a snapshot that breaks off can then go on.
    photos = _photo_states(session, seen.me.user_id, request.get("photos", []))
    yield _header(seen.me, scope, request, answers, photos)
    gained = [partition for partition in scope.partitions if partition not in known]
    heads = seen.heads | (overview.heads(connection, gained) if gained else {})
    count = 0
    for partition in scope.partitions:
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


def _view(seen: Seen | Me) -> str:
    return f"{seen.role}.{VIEW}"


class Scope(NamedTuple):
    """What a person's phone holds: partitions, sorted, and as they stand in the header."""

    partitions: KeysView[str]
    grids_json: str
    partitions_json: str


@lru_cache(64)
def scope_of(user_id: str, area_code: str, grids_json: str) -> Scope:
    """The scope of a person with these grids ([[code, name], ...]); the same for each contact."""
    grids = json.loads(grids_json)
    partitions = partitions_in_scope(user_id, area_code, [code for code, _ in grids])
    return Scope(
        dict.fromkeys(partitions).keys(),
        _line([{"code": code, "name": name} for code, name in grids]),
        _line(partitions),
    )


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
    me: Seen | Me,
    scope: Scope,
    request: dict[str, Any],
    answers: list[dict[str, Any]],
    photos: dict[str, str],
) -> str:
    """The header's line. What names every grid of a scope was put into words before."""
    held = request["partitions"].keys()
    gained = [] if held == scope.partitions else [p for p in scope.partitions if p not in held]
    now = now_ms()
    said = {
        "t": "header",
        "v": protocol.VERSION,
        "epoch": me.epoch,
        "user": {
            "id": me.user_id,
            "name": me.name,
            "role": me.role,
            "area_code": me.area_code,
        },
        "last_dseq": me.last_dseq,
        "running": me.running,
        "answers": answers,
        "gained": gained,
        "lost": sorted(held - scope.partitions),
        "photos": photos,
        "server_time": now,
        "clock_offset": request["clock"]["wall"] - now,
        "view": _view(me),
    }
    grids = f'{{"rev":{me.scope_rev},"grids":{scope.grids_json}}}'
    return f'{_line(said)[:-1]},"scope":{grids},"partitions":{scope.partitions_json}}}'


def _answers(session: Session, me: Me, confirmed: int) -> list[dict[str, Any]]:
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


def _checkpoint(head: Head | Moved, view: str) -> dict[str, Any]:
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


def _line(value: Any) -> str:
    return quick_json.dumps(value).decode()
