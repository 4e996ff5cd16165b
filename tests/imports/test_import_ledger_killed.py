"""An import of a ledger that is killed between two commits, and then run again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from server.config import Config
from server.operations import import_ledger as imports
from server.storage.database import db
from server.storage.models import Problem, Progress
from tests.builders import COMMUNITY, GRID, OTHER_GRID, STREET, World
from tests.conftest import copied, running
from tests.imports import rosters

ROWS, COMMITTED = 10, 6
KILLED = """
import os, signal, sys
from gridledger.cli import main
from server.operations import import_ledger as imports
imports.AT_ONCE = 2
write, parts = imports._Writer.write, iter(range(9))
def two_rows(writer, part):
    if next(parts) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    write(writer, part)
imports._Writer.write = two_rows
main(sys.argv[1:])
"""


def sheet(path: Path) -> Path:
    """Every other row has a number, the others are known by their content."""
    rows: list[tuple[Any, ...]] = [("编号", "日期", "网格", "地址", "问题", "类别", "办理情况")]
    for n in range(ROWS):
        number = f"{COMMUNITY}-2024-{n + 1:05d}" if n % 2 else None
        done = "已办结" if n % 3 == 0 else "正在办理"
        rows.append((number, f"2024-03-{n + 1:02d}", (GRID, OTHER_GRID)[n % 2], f"{n}号楼",
                     f"第{n}盏灯不亮", "lamp", done))  # fmt: skip
    return rosters.write(path, rows)


def ledger() -> list[tuple[Any, ...]]:
    """The problems as people know them, each with how many entries its history has."""
    entries = select(func.count()).where(Progress.problem_id == Problem.id).scalar_subquery()
    query = select(
        Problem.ledger_no, Problem.description, Problem.place, Problem.state, Problem.found_at,
        Problem.closed_at, Problem.partition_id, Problem.rev, entries,
    )  # fmt: skip
    return sorted(tuple(row) for row in db.session.execute(query))


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_second_run_after_a_kill_ends_in_the_ledger_of_one_whole_run(
    config: Config, world: World, worlds: dict[str, tuple[str, World]], tmp_path: Path
) -> None:
    path = sheet(tmp_path / "台账.xlsx")
    command = ["import-ledger", str(path), "--area", STREET, "--data", str(config.data)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GRIDLEDGER_")}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *command], env=clean | {"PYTHONUTF8": "1"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with running(config) as app, app.app_context():
        assert len(ledger()) == COMMITTED
        again = imports.import_ledger(path, STREET)
        assert (again.created, again.unchanged) == (ROWS - COMMITTED, COMMITTED)
        found = ledger()
    (tmp_path / "other").mkdir()
    other = copied(worlds["sqlite"][0], tmp_path / "other")
    with running(other) as app, app.app_context():
        imports.import_ledger(path, STREET)
        assert found == ledger() and len(found) == ROWS
