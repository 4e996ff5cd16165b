"""What the database alone can do with the same rows: the floor of each benchmark."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from bench import data
from bench.data import COLUMNS, District, as_stored
from bench.server import Site
from bench.together import together
from shared import ids, records

CONNECTIONS = 10
PER_COMMIT = 500


class Inserts:
    """Multi-row INSERTs of typed visit rows into the product's table with its indices.

    What a client must do for it (rows, SQL text) is made beforehand: this is the database's rate.
    """

    def __init__(self, site: Site, district: District) -> None:
        self._site, self._district = site, district
        self._seqs: dict[str, int] = {}

    def run(self, rows: int) -> float:
        """Insert so many new rows; returns rows per second."""
        connections = 1 if self._site.name == "sqlite" else CONNECTIONS
        opened = [self._site.connect() for _ in range(connections)]
        work = [self._prepared(one, rows // connections, n) for n, one in enumerate(opened)]
        taken = together(_insert, zip(opened, work, strict=True))
        for one in opened:
            one.close()
        return rows / taken

    def _prepared(self, connection: Any, rows: int, number: int) -> list[Any]:
        device, _, user, grid = self._district.phones[number]
        # A partition of its own: the heads of the product's partitions stay right.
        code = f"9{grid[1:]}"
        doors = {code: self._district.doors[grid]}
        made = list(data.visit_rows(rows, [code], doors, device, user, self._seqs))
        self._seqs[code] = made[-1]["seq"]
        now = time.time_ns() // 1_000_000
        stored = [
            as_stored(row | {"id": ids.new_id(), "visited_at": now, "created_at": now})
            for row in made
        ]
        parts = [stored[i : i + PER_COMMIT] for i in range(0, len(stored), PER_COMMIT)]
        names = ", ".join(COLUMNS)
        if self._site.name == "sqlite":
            marks = ", ".join("?" * len(COLUMNS))
            return [(f"INSERT INTO visit ({names}) VALUES ({marks})", part) for part in parts]
        from psycopg import ClientCursor

        marks = ", ".join(["%s"] * len(COLUMNS))
        cursor = ClientCursor(connection)
        return [
            (
                f"INSERT INTO visit ({names}) VALUES "
                + ", ".join(cursor.mogrify(f"({marks})", row) for row in part)
            ).encode()
            for part in parts
        ]


def _insert(connection: Any, work: list[Any]) -> None:
    for one in work:
        if isinstance(one, bytes):
            connection.execute(one)  # a commit of its own
        else:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(*one)
            connection.execute("COMMIT")


# A row of the phone's table as the floor fills it: no JSON is parsed, nothing is looked up.
COPIED = (
    "INSERT INTO record (id, kind, partition_id, seq, rev, agreed, by_user, changed_at, term, mark)"
    " VALUES (?, 'visit', ?, ?, 1, ?, '', 0, ?, 1)"
)


def copy_lines(site: Site, connection: Any) -> bytes:
    """Every visit as a line: its number, its id, and its values as JSON made by the database."""
    names = [f.name for f in records.VISIT.fields]
    pairs = ", ".join(f"'{name}', {name}" for name in names)
    if site.name == "sqlite":
        for name in data.JSON_COLUMNS:
            pairs = pairs.replace(f"', {name}", f"', json({name})")
        query = f"SELECT seq || ' ' || id || ' ' || json_object({pairs}) FROM visit ORDER BY seq"
        return "\n".join(row[0] for row in connection.execute(query)).encode()
    query = (
        f"COPY (SELECT seq || ' ' || id || ' ' || json_build_object({pairs})"
        " FROM visit ORDER BY seq) TO STDOUT"
    )
    with connection.cursor().copy(query) as copy:
        return b"".join(bytes(block) for block in copy)


def phone_rows(lines: list[str]) -> Iterator[tuple[Any, ...]]:
    """The lines as rows for COPIED."""
    for line in lines:
        seq, record_id, values = line.split(" ", 2)
        yield record_id, "grid:1", int(seq), values, hash(record_id)
