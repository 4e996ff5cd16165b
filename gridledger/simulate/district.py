"""A small district made through the product's own use cases, and the office that works in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, inspect, select

from server import create_app
from server.config import Config
from server.errors import Trouble
from server.operations import accounts
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.ledger_tables import FULL_TEXT
from shared import ids
from shared.operations import CREATE, Operation

STREET, COMMUNITY = "410103007", "410103007901"
HOMES = 8  # households of a grid
_AREAS = (
    ("41", "河南省", "province"), ("4101", "郑州市", "city"), ("410103", "二七区", "county"),
    (STREET, "模拟街道", "street"), (COMMUNITY, "模拟社区", "community"),
)  # fmt: skip


class NotEmpty(Exception):
    """The database holds something already; it is left alone."""


@dataclass
class District:
    """What was made: user ids by name, grid codes."""

    admin: str = ""
    supervisor: str = ""
    workers: list[str] = field(default_factory=list)
    grids: list[str] = field(default_factory=list)


@contextmanager
def application(data: Path, database_url: str) -> Iterator[Flask]:
    """The server's application in this process, for use cases and for reading the database."""
    app = create_app(
        Config(
            data=data,
            database_url=database_url,
            blobs_url=os.environ.get("GRIDLEDGER_BLOBS_URL", ""),
        )
    )
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def check_empty() -> None:
    """Raises NotEmpty for a database that holds anything but empty tables of ours."""
    names = [name for name in inspect(db.engine).get_table_names() if name != "alembic_version"]
    known = db.metadata.tables
    for name in names:
        if name.startswith(FULL_TEXT):
            continue  # SQLite's own, over a table that is counted
        if name not in known:
            raise NotEmpty(name)
        if db.session.scalar(select(func.count()).select_from(known[name])):
            raise NotEmpty(name)
    db.session.rollback()


def build(workers: int) -> District:
    """Areas, people, grids with their homes; each worker walks one grid, several may share it."""
    from gridledger.commands.server_data import upgrade

    upgrade()
    made = District()
    made.grids = [f"{COMMUNITY}{number:03}" for number in range(1, max(2, (workers + 1) // 2) + 1)]
    areas = [*_AREAS, *((code, f"第{code[-3:]}网格", "grid") for code in made.grids)]
    _submit(
        accounts.NOBODY,
        [
            _create("area", ids.area_partition(code), code=code, name=name, level=level)
            for code, name, level in areas
        ],
    )
    made.admin = _person("admin", "admin", "0")
    made.supervisor = _person("supervisor", "supervisor", STREET)
    made.workers = [_person(f"worker{n}", "grid_worker", COMMUNITY) for n in range(1, workers + 1)]
    for number, user_id in enumerate(made.workers):
        accounts.assign(user_id, made.grids[number % len(made.grids)])
    root = ids.area_partition(ids.ROOT_AREA)
    operations = [
        _create("reference", root, type="category", code="leak", name="漏水",
                data={"hours": 24, "needs_after": False}, active=True),
        _create("reference", root, type="body", code="water", name="自来水公司", active=True),
    ]  # fmt: skip
    for code in made.grids:
        operations += _homes(code)
    _submit(made.admin, operations)
    return made


def _homes(code: str) -> Iterator[Operation]:
    partition = ids.grid_partition(code)
    compound = _create("compound", partition, name=f"{code[-3:]}号院", management="none")
    yield compound
    for number in range(1, HOMES + 1):
        yield _create(
            "household", partition, compound_id=compound.id, building="1", unit="1",
            door=f"{number}01", contact_name=f"住户{code[-1]}{number}",
            address=f"模拟街道{code[-3:]}号院1号楼1单元{number}01", care_groups=[],
        )  # fmt: skip


def _person(username: str, role: str, area: str) -> str:
    user, _ = accounts.add_user(username, f"{username}的名字", role, area, "Simulate-1")
    return str(user.id)


def _create(kind: str, partition: str, **values: Any) -> Operation:
    return Operation(CREATE, kind, ids.new_id(), partition, values=values)


def _submit(author: str, operations: list[Operation]) -> None:
    for _ in submit_many([Entry(author, operations)]):
        pass


def code_for(user_id: str) -> str:
    """A fresh enrolment code."""
    return accounts.make_enrolment_code(user_id).text


__all__ = ["District", "NotEmpty", "Trouble", "application", "build", "check_empty", "code_for"]
