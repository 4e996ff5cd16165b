"""The round through the real phone: killed anywhere and played again, nothing lost or twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gridledger.demo import build
from gridledger.demo import round as walk
from gridledger.demo.command import _code
from gridledger.demo.folder import description
from server.storage.database import db
from server.storage.models import Household, Photo, Problem, Visit
from server.storage.tables import Device, Feedback, Quarantined, Receipt
from tests.demo.conftest import served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# Plays the round and kills itself, without a word, at the given line of its progress.
SCRIPT = """
import os, signal, sys
from pathlib import Path
from gridledger.demo import round as walk
folder, server, code, last = sys.argv[1:]
count = 0
def say(zh, en):
    global count
    count += 1
    if count == int(last):
        os.kill(os.getpid(), signal.SIGKILL)
walk.play(Path(folder), server, lambda: code, 1, say)
"""


def worker_of(folder: Path) -> dict[str, Any]:
    accounts = description(folder)["accounts"]
    return next(one for one in accounts if one["role"] == "grid_worker")


def what_came(folder: Path) -> dict[str, Any]:
    """What the round's phones have left on the server."""
    with build.application(folder):
        ours = select(Device.id).where(Device.kind == "phone", Device.name == walk.PHONE_NAME)
        phones = list(db.session.scalars(ours))
        receipts = list(db.session.scalars(select(Receipt).where(Receipt.device_id.in_(phones))))
        ids = {record[0] for receipt in receipts for record in receipt.answer["records"]}
        visits = [v for v in db.session.scalars(select(Visit)) if v.id in ids]
        photos = [p for p in db.session.scalars(select(Photo)) if p.id in ids]
        problems = [p for p in db.session.scalars(select(Problem)) if p.id in ids]
        homes = [h for h in db.session.scalars(select(Household)) if h.id in ids]
        return {
            "results": Counter(receipt.result for receipt in receipts),
            "visited": Counter(visit.target_id for visit in visits),
            "problems": Counter(problem.category for problem in problems),
            "photos": Counter(photo.sha256 for photo in photos),
            "photo_states": {photo.state for photo in photos},
            "homes": len(homes),
            "quarantine": sum(
                one.device_id in phones for one in db.session.scalars(select(Quarantined))
            ),
            "suggestions": db.session.query(Feedback).count(),
        }


def assert_whole(found: dict[str, Any]) -> None:
    assert found["results"] == {"applied": walk.VISITS + walk.PROBLEMS + 1}
    assert len(found["visited"]) == walk.VISITS
    assert set(found["visited"].values()) == {1}
    assert set(found["problems"].values()) == {1}
    assert len(found["problems"]) == walk.PROBLEMS
    assert len(found["photos"]) == walk.ROUND_PHOTOS
    assert set(found["photos"].values()) == {1}
    assert found["photo_states"] == {"verified"}
    assert found["homes"] == 1
    assert found["quarantine"] == 0
    assert found["suggestions"] == 1


def test_a_round_is_made_without_the_network_and_arrives_whole(demo: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    with served(demo) as server:
        result = walk.play(
            tmp_path / "phone", server, lambda: _code(demo, worker_of(demo)), 1,
            lambda zh, en: lines.append(zh),
        )  # fmt: skip
        assert walk.finished(tmp_path / "phone")
    assert result.visits == 12
    assert result.photos == 8
    assert result.problems == 3
    assert sum("[无网络] 走访" in line for line in lines) == 12
    off = next(n for n, line in enumerate(lines) if "关闭网络" in line)
    on = next(n for n, line in enumerate(lines) if "打开网络" in line)
    assert all("[无网络]" in line for line in lines[off + 1 : on - 1])
    assert_whole(what_came(demo))


def test_a_switched_off_line_lets_nothing_through() -> None:
    import requests

    line = walk.Line()
    line.on = False
    with pytest.raises(requests.exceptions.ConnectionError):
        line.get("http://127.0.0.1:9/")
    line.close()


def test_killed_again_and_again_nothing_is_lost_and_nothing_twice(
    demo: Path, tmp_path: Path
) -> None:
    """SIGKILL after the enrolment, the download, some visits, some photos, in the sync, ..."""
    phone = tmp_path / "phone"
    with served(demo) as server:
        worker = worker_of(demo)
        for line in (1, 2, 4, 6, 5, 7, 2, 3, 4, 5):
            script = [sys.executable, "-c", SCRIPT, str(phone), server, _code(demo, worker)]
            died = subprocess.run([*script, str(line)], env=dict(os.environ), check=False)
            assert died.returncode in (0, -signal.SIGKILL)
        walk.play(phone, server, lambda: _code(demo, worker), 1, lambda zh, en: None)
    assert_whole(what_came(demo))
