"""The demo's database: whole or absent, every state reached, history and state agree."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gridledger.demo import build
from gridledger.demo.folder import DESCRIPTION, NotADemo, description, ready
from gridledger.demo.told import lines
from server.core.access import Viewer
from server.operations import export_jobs
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.models import MODELS, Conflict, Photo, Problem, Progress, Task, Visit
from server.storage.queries import overdue, people
from server.storage.tables import Partition, Quarantined, User
from shared import checksum, ledger

pytestmark = pytest.mark.slow


@pytest.fixture
def database(finished_demo: Path) -> Iterator[None]:
    """The finished demo's application context, to read in."""
    with build.application(finished_demo):
        yield


def rows(model: Any) -> list[Any]:
    return list(db.session.scalars(select(model)))


@pytest.mark.usefixtures("database")
def test_every_state_of_the_ledger_is_there() -> None:
    assert {problem.state for problem in rows(Problem)} == set(ledger.STATES)


@pytest.mark.usefixtures("database")
def test_the_history_of_each_problem_leads_to_its_state() -> None:
    entries: dict[str, list[Any]] = {}
    for entry in db.session.scalars(select(Progress).order_by(Progress.seq)):
        entries.setdefault(entry.problem_id, []).append(entry)
    for problem in rows(Problem):
        state, step, at = None, 0, 0
        for entry in entries[problem.id]:
            assert entry.from_state == state
            assert entry.acted_at >= at
            state, step, at = entry.to_state, entry.step, entry.acted_at
        assert (state, step) == (problem.state, problem.step)


@pytest.mark.usefixtures("database")
def test_who_asked_for_closure_never_verified_it() -> None:
    closed = [p for p in rows(Problem) if p.state in ("closed", "archived")]
    assert all(p.closed_by != p.closure_by for p in closed)
    assert sum(p.result == "现场办结" for p in closed) == 12


@pytest.mark.usefixtures("database")
def test_ledger_numbers_have_no_gaps() -> None:
    series: dict[str, list[int]] = {}
    for problem in rows(Problem):
        if problem.ledger_no:
            head, _, number = problem.ledger_no.rpartition("-")
            series.setdefault(head, []).append(int(number))
    assert len(series) >= 2
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in series.values())


@pytest.mark.usefixtures("database")
def test_visits_are_reviewed_but_for_the_last_days() -> None:
    states = Counter(visit.review_state for visit in rows(Visit))
    assert states["approved"] > 0.9 * sum(states.values())
    assert states["pending"] > 5
    away = {photo.owner_id for photo in rows(Photo) if photo.state == "declared"}
    pending = [v for v in rows(Visit) if v.review_state == "pending" and v.id not in away]
    first_pending = min(visit.visited_at for visit in pending)
    assert max(v.visited_at for v in rows(Visit)) - first_pending < 4 * 86_400_000


@pytest.mark.usefixtures("database")
def test_open_tasks_are_those_that_still_ask_for_something() -> None:
    open_ = [task for task in rows(Task) if task.state == "open"]
    returned = {v.id for v in rows(Visit) if v.review_state == "returned"}
    assert {t.about_id for t in open_ if t.type == "returned_visit"} == returned
    assert any(task.type == "visit_due" for task in open_)
    assert all(task.done_at for task in rows(Task) if task.state == "done")


@pytest.mark.usefixtures("database")
def test_two_conflicts_wait_and_one_is_decided() -> None:
    assert Counter(c.state for c in rows(Conflict)) == {"open": 2, "decided": 1}


@pytest.mark.usefixtures("database")
def test_every_photo_is_verified_and_in_the_store_but_two_that_are_on_a_phone() -> None:
    from server.storage import blobs

    away = [photo for photo in rows(Photo) if photo.state == "declared"]
    photos = [photo for photo in rows(Photo) if photo.state != "declared"]
    assert len(away) == 2
    assert len(photos) > 50
    assert {photo.state for photo in photos} == {"verified"}
    assert all(blobs.current().size(photo.sha256) == photo.size for photo in photos)


@pytest.mark.usefixtures("database")
def test_one_of_everything_that_waits_for_somebody() -> None:
    supervisor = db.session.scalar(select(User).where(User.role == "supervisor"))
    viewer = Viewer(supervisor.id, "supervisor", supervisor.area_code)
    (held,) = db.session.scalars(select(Quarantined))
    assert (held.code, held.result, held.state) == ("late_handover", "held", "open")
    waits = [one for one in people.phones(db.session(), viewer) if one.waits]
    assert [(one.transactions, one.photos) for one in waits] == [(0, 2)]
    assert waits[0].at_risk(now_ms())
    assert overdue.late(db.session(), viewer, now_ms(), 9) == 2
    (job,) = export_jobs.of(supervisor.id)
    assert job.state == "done" and export_jobs.path_of(job).stat().st_size == job.size


@pytest.mark.usefixtures("database")
def test_most_of_what_is_open_is_in_time() -> None:
    late = [p for p in rows(Problem) if p.deadline_at and p.deadline_at < now_ms()]
    assert 0 < len(late) < 0.5 * sum(p.state in ledger.OPEN_STATES for p in rows(Problem))


def test_the_door_of_a_demo_says_who_may_come_in_and_no_password(finished_demo: Path) -> None:
    with build.application(finished_demo) as app:
        page = app.test_client().get("/sign-in").text
    accounts = description(finished_demo)["accounts"]
    assert all(one["password"] not in page for one in accounts)
    for text in ("handler", "城市管理执法中队", "supervisor", "大学路街道"):
        assert text in page
    told = {"url": "", "accounts": {one["role"]: one for one in accounts}, "workers": [],
            "supervisors": [one for one in accounts if one["role"] == "supervisor"],
            "enrolment_codes": {}}  # fmt: skip
    console = "\n".join(lines(told, finished_demo))
    assert "城市管理执法中队 / City management squad" in console and "大学路街道" in console


@pytest.mark.usefixtures("database")
def test_checksums_of_all_partitions_are_right() -> None:
    live: dict[str, list[tuple[str, int]]] = {}
    for model in MODELS.values():
        table = model.__table__
        query = select(table.c.partition_id, table.c.id, table.c.rev).where(
            table.c.deleted_at.is_(None)
        )
        for partition, record_id, rev in db.session.execute(query):
            live.setdefault(partition, []).append((record_id, rev))
    for head in rows(Partition):
        found = live.get(head.id, [])
        assert head.count == len(found)
        assert checksum.from_signed(head.sum64) == checksum.sum64(found)


def test_the_accounts_are_there_and_their_passwords_fit(demo: Path) -> None:
    from server.operations.sign_in import authenticate

    told = description(demo)["accounts"]
    assert len(told) == 10
    with build.application(demo):
        for one in told[:3]:
            assert authenticate(one["username"], one["password"], None).role == one["role"]
        assert {one["role"] for one in told} == {user.role for user in rows(User)}


def test_the_passwords_are_for_its_owner_alone(finished_demo: Path) -> None:
    mode = stat.S_IMODE((finished_demo / DESCRIPTION).stat().st_mode)
    assert mode == 0o600


def test_a_kill_while_it_is_made_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    script = f"""
import os, signal, time
from pathlib import Path
from gridledger.demo import build
from gridledger.demo.plan import Plan
def say(zh, en):
    if "1" in zh:
        os.kill(os.getpid(), signal.SIGKILL)
build.build(Path({str(folder)!r}), Plan(1, 12, time.time_ns() // 1_000_000), say)
"""
    killed = subprocess.run([sys.executable, "-c", script], env=dict(os.environ), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not folder.exists()
    assert not ready(folder)
    build._remove_leftovers(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(NotADemo):
        ready(tmp_path)


def test_the_description_says_what_was_made(finished_demo: Path) -> None:
    told = json.loads((finished_demo / DESCRIPTION).read_text(encoding="utf-8"))
    assert told["seed"] == 1
    assert len(told["areas"]) == 6
