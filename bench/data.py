"""A district to measure on: grids, workers with phones, doors, and visits of about 800 bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from bench.result import tell
from bench.server import Site
from server.operations.clock import now_ms
from server.operations.enrol import new_device
from server.operations.transact import Entry, submit_many
from server.storage.database import write
from server.storage.models import Visit
from server.storage.tables import Assignment, User
from shared import checksum, ids, records
from shared.operations import Operation

COMMUNITY = "410103007901"
DOORS = 50  # of a grid that is walked
DAY_MS = 24 * 3600 * 1000
WORDS = (
    "一二三四五六七八九十老人独居楼道漏水电梯停运消防通道堆物邻里纠纷已劝导走访正常"
    "身体状况良好需要关注反映噪音扰民"
)
COLUMNS = [column.name for column in Visit.__table__.columns]
JSON_COLUMNS = {f.name for f in records.VISIT.fields if f.type in ("set", "json", "position")}
_random = random.Random(20261124)
_POOL = "".join(_random.choices(WORDS, k=20_000))


@dataclass
class District:
    """Who and what is there. ``phones``: (device id, token, user id, grid) of each worker."""

    admin: str = ""
    grids: list[str] = field(default_factory=list)
    phones: list[tuple[str, str, str, str]] = field(default_factory=list)
    supervisor: str = ""  # a token
    doors: dict[str, list[str]] = field(default_factory=dict)  # grid -> its households


def grid_code(number: int) -> str:
    """The code of a grid, counted from 0."""
    return f"{int(COMMUNITY) + number // 999:012d}{number % 999 + 1:03d}"


def build(app: Flask, *, workers: int, grids: int, each: int = 1) -> District:
    """People, phones and doors. Worker n walks ``each`` grids from n * each on."""
    district = District(grids=[grid_code(n) for n in range(grids)])
    now = now_ms()
    with app.app_context():
        with write() as session:

            def person(name: str, role: str) -> str:
                user = User(
                    id=ids.new_id(), username=name, name=name, role=role,
                    area_code=COMMUNITY[:9], active=True, failures=0, language="zh",
                    scope_rev=1, created_at=now,
                )  # fmt: skip
                session.add(user)
                return user.id

            def phone(user_id: str, name: str) -> tuple[str, str]:
                device = new_device(user_id, name, f"token-{name}", "bench", now)
                session.add(device)
                return device.id, f"token-{name}"

            district.admin = person("admin", "admin")
            _, district.supervisor = phone(person("chief", "supervisor"), "chief")
            for n in range(workers):
                user_id = person(f"worker{n}", "grid_worker")
                device_id, token = phone(user_id, f"phone{n}")
                own = district.grids[n * each : (n + 1) * each]
                district.phones.append((device_id, token, user_id, own[0]))
                for code in own:
                    session.add(
                        Assignment(
                            id=ids.new_id(), user_id=user_id, grid_code=code, from_at=now,
                            from_rev=1,
                        )
                    )  # fmt: skip
        operations = [
            _create("area", ids.area_partition(code), code=code, name=code[-6:], level="grid")
            for code in district.grids
        ]
        for code in district.grids[: workers * each]:
            district.doors[code] = [ids.new_id() for _ in range(DOORS)]
            operations += [
                _create("household", ids.grid_partition(code), door_id, building=str(n % 7 + 1),
                        unit="1", door=f"{n}01", contact_name="王秀兰")
                for n, door_id in enumerate(district.doors[code])
            ]  # fmt: skip
        list(submit_many([Entry(district.admin, [one]) for one in operations]))
    return district


def _create(kind: str, partition: str, record_id: str = "", **values: Any) -> Operation:
    return Operation("create", kind, record_id or ids.new_id(), partition, values=values)


def visit_values(door_id: str, at: int) -> dict[str, Any]:
    """What a worker wrote at one door: 200 Chinese characters, and the rest."""
    start = _random.randrange(len(_POOL) - 200)
    text = _POOL[start : start + 200]
    return {
        "target_kind": "household", "target_id": door_id, "target_name": "3号楼1单元501",
        "reason": "routine", "outcome": "met", "note": text[:160], "appeal": text[160:],
        "concern_tags": [], "resolved_on_spot": True, "visited_at": at,
        "position": {"lat": 34.7212, "lng": 113.6405, "accuracy": 12.5},
    }  # fmt: skip


def visit_rows(
    count: int, grids: Iterable[str], doors: dict[str, list[str]], device: str, user: str,
    first_seq: dict[str, int],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Rows of the visit table, dealt out over the grids, each with its number there."""
    codes = list(grids)
    seqs = {code: first_seq.get(code, 0) for code in codes}
    now = now_ms()
    stranger = [ids.new_id() for _ in range(DOORS)]
    blank = dict.fromkeys(records.FIELDS["visit"])
    for n in range(count):
        code = codes[n % len(codes)]
        seqs[code] += 1
        at = now - 300 * DAY_MS + n * 300 * DAY_MS // max(count, 1)
        values = visit_values(_random.choice(doors.get(code) or stranger), at)
        yield {
            **blank, **values, "review_state": "pending",
            "id": ids.uuid7(at, _random.randbytes(10)), "rev": 1, "seq": seqs[code],
            "partition_id": ids.grid_partition(code),
            "field_revs": {"*": [1, device, 0]}, "deleted_at": None, "created_by": user,
            "created_at": at, "updated_at": at,
        }  # fmt: skip


def as_stored(row: dict[str, Any]) -> tuple[Any, ...]:
    """A row in the order of COLUMNS, its JSON as text."""
    return tuple(
        json.dumps(row[name], ensure_ascii=False)
        if row[name] is not None and (name in JSON_COLUMNS or name == "field_revs")
        else row[name]
        for name in COLUMNS
    )


def fill(site: Site, district: District, count: int) -> None:
    """Put visits into the table by the database's fastest way, and their heads in step."""
    device_id, _, user_id, _ = district.phones[0]
    connection = site.connect()
    heads = {
        row[0]: [row[1], row[2], checksum.from_signed(row[3])]
        for row in connection.execute("SELECT id, seq, count, sum64 FROM partition")
    }
    first = {code: heads.get(ids.grid_partition(code), [0])[0] for code in district.grids}
    rows = visit_rows(count, district.grids, district.doors, device_id, user_id, first)

    def counted() -> Iterator[tuple[Any, ...]]:
        for n, row in enumerate(rows, 1):
            head = heads.setdefault(row["partition_id"], [0, 0, 0])
            head[0], head[1] = row["seq"], head[1] + 1
            head[2] = (head[2] + checksum.term(row["id"], 1)) % checksum.MODULUS
            if n % 200_000 == 0:
                tell(f"{n:,} of {count:,} visits")
            yield as_stored(row)

    names = ", ".join(COLUMNS)
    if site.name == "sqlite":
        marks = ", ".join("?" * len(COLUMNS))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO visit ({names}) VALUES ({marks})", counted())
    else:
        connection.execute("BEGIN")
        with connection.cursor().copy(f"COPY visit ({names}) FROM STDIN") as copy:
            for row in counted():
                copy.write_row(row)
    mark = "?" if site.name == "sqlite" else "%s"
    cursor = connection.cursor()
    cursor.executemany(
        f"INSERT INTO partition (id, seq, count, sum64, chain, floor)"
        f" VALUES ({', '.join([mark] * 6)}) ON CONFLICT (id) DO UPDATE"
        " SET seq = excluded.seq, count = excluded.count, sum64 = excluded.sum64",
        [
            (key, seq, number, checksum.to_signed(total), checksum.EMPTY_CHAIN, 0)
            for key, (seq, number, total) in heads.items()
        ],
    )
    connection.execute("COMMIT")
    if site.name == "postgresql":
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    else:
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
