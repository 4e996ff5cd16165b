"""A ledger to measure on: problems of a district of 1,000 grids, most of them closed long ago."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from bench.result import tell
from bench.server import Site
from server.operations.clock import now_ms
from server.operations.transact import Entry, submit_many
from server.storage import search
from server.storage.database import write
from server.storage.models import LEDGER_KEYS, Problem
from server.storage.tables import User
from shared import ids, ledger, records
from shared.operations import Operation

COUNTY = "410103"
STREETS, COMMUNITIES, GRIDS = 20, 10, 5
CATEGORIES = [f"kind{n}" for n in range(60)]
BODIES = [f"body{n}" for n in range(30)]
DAY_MS = 24 * 3600 * 1000
SHARES = {
    "closed": 880, "archived": 20, "rejected": 20, "merged": 10, "in_progress": 35,
    "dispatched": 10, "closure_requested": 7, "suspended": 5, "reported": 5, "registered": 5,
    "reopened": 3,
}  # fmt: skip
_SAID = (
    "楼道 照明 漏水 路灯 下水道 堵塞 井盖 电梯 停运 墙皮 脱落 消防 通道 堆物 垃圾 清运 噪音 扰民 "
    "违建 围墙 开裂 电线 老化 燃气 管道 积水 结冰 绿化 树枝 停车 占道 门禁 失灵 屋面 渗漏 供暖 不热"
)
WORDS = _SAID.split()
RARE = ("白蚁", "蜂窝", "塌陷", "氨气")  # each in one of 5,000
COLUMNS = [c.name for c in Problem.__table__.columns if c.name not in LEDGER_KEYS]
_JSON = {f.name for f in records.PROBLEM.fields if f.type in ("set", "json", "position")}


def grids() -> list[str]:
    """The codes of all grids."""
    return [
        f"{COUNTY}{s + 1:03}{c + 1:03}{g + 1:03}"
        for s in range(STREETS)
        for c in range(COMMUNITIES)
        for g in range(GRIDS)
    ]


def people(site: Site) -> dict[str, str]:
    """Accounts that look at the ledger: name -> id. Categories and bodies are there too."""
    found = {}
    wanted = {
        "district": ("admin", COUNTY, None), "street": ("supervisor", f"{COUNTY}001", None),
        "community": ("supervisor", f"{COUNTY}001001", None),
        "body": ("handler", COUNTY, BODIES[3]),
    }  # fmt: skip
    with site.app.app_context():
        with write() as session:
            for name, (role, area, body) in wanted.items():
                user = User(
                    id=ids.new_id(), username=name, name=name, role=role, area_code=area,
                    body=body, active=True, failures=0, language="zh", scope_rev=1,
                    created_at=now_ms(),
                )  # fmt: skip
                session.add(user)
                found[name] = user.id
        root = ids.area_partition(ids.ROOT_AREA)
        made = [
            Operation("create", "reference", ids.new_id(), root,
                      values={"type": type_, "code": code, "name": f"{word}{code[4:]}"})
            for type_, codes, word in (("category", CATEGORIES, "类别"), ("body", BODIES, "单位"))
            for code in codes
        ]  # fmt: skip
        made += [
            Operation("create", "area", ids.new_id(), ids.area_partition(code),
                      values={"code": code, "name": f"第{code[6:]}网格", "level": "grid"})
            for code in grids()[:50]
        ]  # fmt: skip
        list(submit_many([Entry(found["district"], made)]))
    return found


def rows(count: int, author: str) -> Iterator[dict[str, Any]]:
    """Rows of the problem table, the oldest first."""
    dice = random.Random(count)
    codes, now = grids(), now_ms()
    states = dice.choices(list(SHARES), list(SHARES.values()), k=count)
    blank = dict.fromkeys(COLUMNS)
    stamps = {"*": [1, author, 0]}
    for n, state in enumerate(states):
        is_open = state in ledger.OPEN_STATES
        ago = dice.randrange(40) if is_open else 40 + (count - n) * 1000 // count
        found_at = now - ago * DAY_MS - dice.randrange(DAY_MS)
        code = dice.choice(codes)
        words = dice.choices(WORDS, k=6)
        if n % 1250 == 0:
            words.append(RARE[n // 1250 % 4])
        sent = state not in ("reported", "registered", "rejected")
        due = found_at + dice.randrange(3, 20) * DAY_MS if sent else None
        yard = f"{int(code):036d}" if n % 3 else f"{int(code)}{n % 40:02d}".zfill(36)
        yield {
            **blank,
            "id": ids.uuid7(found_at, dice.randbytes(10)), "partition_id": ids.grid_partition(code),
            "rev": 1, "seq": n + 1, "field_revs": stamps, "created_by": author,
            "created_at": found_at, "updated_at": found_at, "category": dice.choice(CATEGORIES),
            "description": f"{''.join(words[:3])}，居民反映{''.join(words[3:])}，请尽快处理。",
            "place": f"第{n % 97}小区{n % 23}号楼", "source": "worker", "found_at": found_at,
            "state": state, "step": 4, "round": 1, "concern_tags": ["worry"],
            "ledger_no": None if state == "reported" else f"{code[:12]}-2025-{n:07d}",
            "body": dice.choice(BODIES) if sent else None, "co_bodies": [],
            "measure": "派人上门查看，更换损坏的部件。" if sent else None, "due_at": due,
            "deadline_at": due if is_open and state != "suspended" else None,
            "overdue_at": due if due and due < now and is_open else None,
            "supervised": dice.random() < 0.02, "hard": dice.random() < 0.03,
            "recurring": dice.random() < 0.02,
            "result": "已修复，现场试过。" if state == "closed" else None,
            "closed_at": found_at + 5 * DAY_MS if state == "closed" else None,
            "reported_at": found_at, "registered_at": None if state == "reported" else found_at,
            "dispatched_at": found_at + DAY_MS if sent else None,
            "accept_due_at": found_at + 2 * DAY_MS if sent else None,
            "accepted_at": found_at + dice.randrange(12, 60) * DAY_MS // 24
            if sent and state != "dispatched" else None,
            "satisfaction": "satisfied" if state == "closed" and n % 3 else None,
            "compound_id": yard if n % 2 else None,
        }  # fmt: skip


Made = Callable[[int, str], Iterator[dict[str, Any]]]


def fill(site: Site, count: int, author: str, made: Made = rows, searched: bool = True) -> None:
    """Put problems into the tables by the database's fastest way, with their search index."""
    connection = site.connect()
    sqlite = site.name == "sqlite"
    found: list[tuple[str, str]] = []

    def stored() -> Iterator[tuple[Any, ...]]:
        for n, row in enumerate(made(count, author), 1):
            if searched:
                terms = search.document(row["partition_id"], row)
                found.append((row["id"], search.as_stored(terms, sqlite)))
            if n % 200_000 == 0:
                tell(f"{n:,} of {count:,} problems")
            yield tuple(
                json.dumps(row[name], ensure_ascii=False)
                if row[name] is not None and (name in _JSON or name == "field_revs")
                else row[name]
                for name in COLUMNS
            )

    names = ", ".join(f'"{name}"' for name in COLUMNS)
    connection.execute("BEGIN IMMEDIATE" if sqlite else "BEGIN")
    if sqlite:
        marks = ", ".join("?" * len(COLUMNS))
        connection.executemany(f"INSERT INTO problem ({names}) VALUES ({marks})", stored())
        connection.executemany(
            "INSERT INTO problem_search (problem_id, terms) VALUES (?, ?)", found
        )
    else:
        for table, columns, source in (
            ("problem", names, stored()), ("problem_search", "problem_id, terms", found),
        ):  # fmt: skip
            with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in source:
                    copy.write_row(row)
    connection.execute("COMMIT")
    connection.execute("ANALYZE" if sqlite else "VACUUM ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)" if sqlite else "CHECKPOINT")
    connection.close()
