"""Who asks, what they may hold and where that stands: one statement sees one state of it all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from server.core.access import PERMISSIONS
from shared import checksum


class Head(NamedTuple):
    """Where a partition stands; the columns of its row. ``live`` is the count of live records."""

    id: str
    seq: int = 0
    live: int = 0
    sum64: int = 0
    chain: str = checksum.EMPTY_CHAIN
    floor: int = 0


class Me(NamedTuple):
    """Who asks: of the device, the account and the database."""

    id: str
    last_dseq: int
    running: str
    user_id: str
    name: str
    role: str
    area_code: str
    scope_rev: int
    epoch: str


@dataclass(frozen=True)
class Overview:
    """``grids`` is JSON, [[code, name], ...] by code.

    ``heads`` has those of the partitions that were asked about and were ever written.
    """

    me: Me
    grids: str
    heads: dict[str, Head]


# A worker's grids are their own; others' those of their subtree. A phone holds all records of its
# grids, so who may not see records holds none.
_GRIDS = """
    CASE WHEN account.role = 'grid_worker' THEN
      (SELECT {together}({tuple}(code, name)) FROM (
        SELECT grid_code AS code, coalesce(min(area.name), grid_code) AS name FROM assignment
        LEFT JOIN area ON area.code = grid_code AND area.level = 'grid'
          AND area.deleted_at IS NULL
        WHERE assignment.user_id = account.id AND to_at IS NULL
        GROUP BY grid_code ORDER BY grid_code) AS own)
    WHEN account.role IN ({seers}) THEN
      (SELECT {together}({tuple}(code, name)) FROM (
        SELECT code, area.name FROM area
        WHERE code >= CASE account.area_code WHEN '0' THEN '' ELSE account.area_code END
          AND code < CASE account.area_code WHEN '0' THEN '' ELSE account.area_code END || ':'
          AND level = 'grid' AND deleted_at IS NULL ORDER BY code) AS within)
    END"""
_QUERY = """
  SELECT device.id, device.last_dseq, device.running, account.id AS user_id, account.name,
    account.role, account.area_code, account.scope_rev,
    (SELECT value FROM setting WHERE key = 'epoch') AS epoch, {grids} AS grids,
    (SELECT {together}({tuple}(id, seq, count, sum64, chain, floor)) FROM partition
      WHERE {among}) AS heads
  FROM device JOIN account ON account.id = device.user_id WHERE device.id = :device_id
"""
_HEADS = "SELECT id, seq, count, sum64, chain, floor FROM partition WHERE {among}"
_WORDS = {
    "sqlite": {
        "together": "json_group_array",
        "tuple": "json_array",
        "among": "id IN (SELECT value FROM json_each(:ids))",
    },
    "postgresql": {
        "together": "json_agg",
        "tuple": "json_build_array",
        "among": "id = ANY(:ids)",
    },
}
_SEERS = ", ".join(f"'{role}'" for role, may in PERMISSIONS.items() if "see_records" in may)


def grids(dialect: str) -> str:
    """SQL of a person's grids, as the text of JSON: [[code, name], ...] by code."""
    return f"CAST({_GRIDS.format(seers=_SEERS, **_WORDS[dialect])} AS text)"


_QUERIES = {name: text(_QUERY.format(grids=grids(name), **words)) for name, words in _WORDS.items()}
_HEAD_QUERIES = {name: text(_HEADS.format(**words)) for name, words in _WORDS.items()}


def read(connection: Connection, device_id: str, partitions: Iterable[str]) -> Overview | None:
    """What a device's person may hold now, and where these partitions stand."""
    query = _QUERIES[connection.dialect.name]
    given = {"device_id": device_id, "ids": _ids(connection, partitions)}
    found = connection.execute(query, given).first()
    if found is None:
        return None
    *me, of, stand = found
    return Overview(Me(*me), of or "[]", {row[0]: Head(*row) for row in _parsed(stand)})


def heads(connection: Connection, partitions: Iterable[str]) -> dict[str, Head]:
    """Where these partitions stand; one that was never written is left out."""
    query = _HEAD_QUERIES[connection.dialect.name]
    rows = connection.execute(query, {"ids": _ids(connection, partitions)}).all()
    return {row[0]: Head(*row) for row in rows}


def _ids(connection: Connection, partitions: Iterable[str]) -> Any:
    wanted = list(partitions)
    return json.dumps(wanted) if connection.dialect.name == "sqlite" else wanted


def _parsed(value: Any) -> list[Any]:
    """PostgreSQL's driver has read the JSON already; no rows make a null there."""
    found: list[Any] = json.loads(value) if isinstance(value, str) else value or []
    return found
