"""A phone's contact in one statement: it is noted, and what has moved since is told.

`look` knows the phone by its token, keeps what it says of itself, and compares where the phone
stands with the heads. `look_and_take` sees the same and brings the rows that are new. Either is
one state of the database. Where more is asked, `overview` and `feed` answer in a snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from server.quick_json import dumps
from server.storage import direct, feed, overview
from server.storage.database import in_line

_BETWEEN = b"\x1e"  # stands between the lines of two partitions: no JSON text has it


@dataclass(frozen=True, slots=True)
class Said:
    """What a phone says: its token's hash, where it stands ({partition: seq}), and of itself."""

    token_hash: str
    seqs: Mapping[str, int]
    now: int
    waiting: Mapping[str, Any]
    clock_offset: int
    app: str | None
    confirmed: int


class Moved(NamedTuple):
    """The head of a partition that is not where the phone stands (``after``), or has a floor."""

    id: str
    seq: int
    live: int
    sum64: int
    chain: str
    floor: int
    after: int


class Seen(NamedTuple):
    """Who asks, what they may hold and what moved. ``grids``: JSON, [[code, name], ...] by code.

    ``moved`` is in the order of the ids, of the partitions that the phone named.
    """

    id: str
    last_dseq: int
    running: str
    user_id: str
    name: str
    role: str
    area_code: str
    scope_rev: int
    epoch: str | None
    grids: str
    moved: tuple[Moved, ...]


_NUMBERS = [Seen._fields.index(name) for name in ("last_dseq", "scope_rev")]


def look(raw: Any, dialect: str, said: Said) -> Seen | None:
    """Note the contact and see what moved; None where the token may not pull.

    ``raw``: a connection of `direct`.
    """
    if dialect == "postgresql":
        told = direct.postgresql_row(raw, "look", (*_asked(said), *_noted(said)))
        return None if told is None else _told(told)
    with in_line(dialect):
        noted = direct.sqlite_row(raw, _NOTE, (*_noted(said), said.token_hash))
    if noted is None:
        return None
    found = direct.sqlite_row(raw, _LOOK, (said.token_hash, dumps(said.seqs).decode()))
    return None if found is None else _seen(found)


class Holder(NamedTuple):
    """The device that has a token, its person, and whether both may still come in."""

    id: str
    user_id: str
    may_come_in: bool


def holder(raw: Any, dialect: str, token_hash: str) -> Holder | None:
    """Who has a token; None: nobody."""
    if dialect == "postgresql":
        told = direct.postgresql_row(raw, "holder", (token_hash,))
        if told is None:
            return None
        return Holder((told[0] or b"").decode(), (told[1] or b"").decode(), told[2] == b"t")
    found = direct.sqlite_row(raw, _HOLDER.format("?1"), (token_hash,))
    return None if found is None else Holder(found[0], found[1], bool(found[2]))


def look_and_take(raw: Any, dialect: str, said: Said) -> tuple[Seen, list[bytes]] | None:
    """What `look` sees, and the new lines of each partition that moved, joined."""
    if dialect == "postgresql":
        told = direct.postgresql_row(raw, "look_and_take", _asked(said))
        if told is None:
            return None
        seen = _told(told[:-1])
        return seen, (told[-1] or b"").split(_BETWEEN) if seen.moved else []
    raw.execute("BEGIN")
    try:
        found = direct.sqlite_row(raw, _LOOK, (said.token_hash, dumps(said.seqs).decode()))
        if found is None:
            return None
        seen = _seen(found)
        return seen, [
            "\n".join(feed.sqlite_lines(raw, one.id, one.after, one.seq)).encode()
            for one in seen.moved
        ]
    finally:
        raw.execute("COMMIT")


def _seen(row: tuple[Any, ...]) -> Seen:
    moved = json.loads(row[-1]) if row[-1] else ()
    return Seen._make((*row[:-2], row[-2] or "[]", tuple(Moved(*one) for one in moved)))


def _told(row: list[bytes | None]) -> Seen:
    """The same of what PostgreSQL sent: text in UTF-8."""
    texts: list[Any] = [None if value is None else value.decode() for value in row]
    for number in _NUMBERS:
        texts[number] = int(texts[number] or 0)
    return _seen(tuple(texts))


def _asked(said: Said) -> tuple[str, ...]:
    """As text, so that the statement is prepared once whatever the numbers' size."""
    return said.token_hash, "\n".join(said.seqs), ",".join(map(str, said.seqs.values()))


def _noted(said: Said) -> tuple[Any, ...]:
    return (
        str(said.now), dumps(said.waiting).decode(), str(said.clock_offset), said.app,
        str(said.confirmed),
    )  # fmt: skip


_HOLDER = """
  SELECT device.id, account.id, device.revoked_at IS NULL AND account.active
  FROM device JOIN account ON account.id = device.user_id WHERE device.token_hash = {}
"""
_ME = """
  SELECT device.id, device.last_dseq, device.running, account.id AS user_id, account.name,
    account.role, account.area_code, account.scope_rev,
    (SELECT value FROM setting WHERE key = 'epoch') AS epoch,
    {grids} AS grids, {moved} AS moved{more}
  FROM device JOIN account ON account.id = device.user_id
  WHERE device.token_hash = {token} AND device.revoked_at IS NULL AND account.active
"""
# What became of the partitions that the phone named: those that are not where it stands.
_MOVED = """
    SELECT asked.id, coalesce(head.seq, 0) AS seq, coalesce(head.count, 0) AS count,
      coalesce(head.sum64, 0) AS sum64, coalesce(head.chain, '') AS chain,
      coalesce(head.floor, 0) AS floor, asked.after
    FROM {asked} LEFT JOIN partition AS head ON head.id = asked.id
    WHERE coalesce(head.seq, 0) <> asked.after OR head.floor > asked.after
"""
_COLUMNS = "id, seq, count, sum64, chain, floor, after"
_SET = """
  UPDATE device SET last_contact_at = {0}, waiting = {1}, clock_offset = {2},
    app = coalesce({3}, app),
    confirmed = CASE WHEN {4} BETWEEN confirmed AND last_dseq THEN {4} ELSE confirmed END
  WHERE token_hash = {5} AND revoked_at IS NULL
    AND EXISTS (SELECT 1 FROM account WHERE account.id = device.user_id AND account.active)
"""

_NOTE = _SET.format("CAST(?1 AS integer)", "?2", "CAST(?3 AS integer)", "?4",
                    "CAST(?5 AS integer)", "?6") + " RETURNING id"  # fmt: skip
_STANDS = "(SELECT key AS id, value AS after FROM json_each(?2)) AS asked"
_LOOK = _ME.format(
    grids=overview.grids("sqlite"),
    moved=(
        f"(SELECT json_group_array(json_array({_COLUMNS}))"
        f" FROM ({_MOVED.format(asked=_STANDS)} ORDER BY asked.id))"
    ),
    more="",
    token="?1",
)
_ASKED = """
    unnest(string_to_array($2::text, E'\\n') COLLATE "C", string_to_array($3::text, ',')::bigint[])
    AS asked(id, after)
"""
_TOLD = f"(SELECT CAST(json_agg(json_build_array({_COLUMNS}) ORDER BY id) AS text) FROM moved)"
_LINES = (
    f"(SELECT string_agg(coalesce(({feed.postgresql_lines('moved')}), ''), chr(30) ORDER BY id)"
    " FROM moved)"
)
_HERE = {"grids": overview.grids("postgresql"), "moved": _TOLD, "token": "$1"}
_WITH = f"WITH moved AS MATERIALIZED ({_MOVED.format(asked=_ASKED)})"
# The statement says itself that its commit waits for no disk.
_NOTED = _SET.format(
    "$4::bigint", "$5::jsonb", "$6::bigint", "$7::text", "$8::bigint", "$1"
) + " AND set_config('synchronous_commit', 'off', true) = 'off'"  # fmt: skip
direct.PREPARED["holder"] = _HOLDER.format("$1")
direct.PREPARED["look"] = f"{_WITH}, noted AS ({_NOTED}) {_ME.format(**_HERE, more='')}"
direct.PREPARED["look_and_take"] = f"{_WITH} {_ME.format(**_HERE, more=f', {_LINES} AS lines')}"
