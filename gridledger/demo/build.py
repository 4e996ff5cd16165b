"""A new demo database: migrated, peopled, seeded; it appears whole under its name or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import flask_migrate
from flask import Flask
from sqlalchemy import select

from gridledger.demo import away
from gridledger.demo.data import Block, base_entries, blocks
from gridledger.demo.dice import DAY, HOUR
from gridledger.demo.folder import DESCRIPTION
from gridledger.demo.photos import Picture
from gridledger.demo.pictures import pool
from gridledger.demo.plan import Person, Plan
from gridledger.demo.reference import Whereabouts
from server import MIGRATIONS, create_app
from server.config import Config
from server.operations import accounts, person_record
from server.operations.clock import now_ms
from server.operations.transact import Entry, Submitted, submit_many
from server.storage import blobs
from server.storage.database import db, write
from server.storage.models import Task, Visit
from server.storage.tables import Blob, User
from shared import ids
from shared.operations import ACT, SET, Operation

BATCH = 2000  # operations of one commit
WITH_PASSWORD = 20  # so many accounts at most; a large demo's other workers have phones alone
Say = Callable[[str, str], None]


def build(folder: Path, plan: Plan, say: Say) -> dict[str, Any]:
    """Make the demo beside its folder, then move it there. Returns its description."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    part = folder.with_name(f".{folder.name}.building-{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    with application(part):
        description = _seed(plan, say)
    _write_private(part / DESCRIPTION, json.dumps(description, ensure_ascii=False, indent=1))
    if folder.exists():
        folder.rmdir()  # empty, or `ready` would have refused
    part.rename(folder)
    return description


@contextmanager
def application(folder: Path) -> Iterator[Flask]:
    """The server's application on the demo's own SQLite file, whatever the environment says."""
    app = create_app(Config(data=folder, demo=True))
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def _migrate() -> None:
    flask_migrate.upgrade(directory=str(MIGRATIONS))


def _seed(plan: Plan, say: Say) -> dict[str, Any]:
    say("建立数据库……", "Creating the database ...")
    with ThreadPoolExecutor(1) as beside:
        drawing = beside.submit(pool, plan.seed)
        _migrate()
        told, people = _people(plan)
        pictures = drawing.result()
    _store(pictures, plan)
    for number, block in enumerate(blocks(plan, people, pictures)):
        _take(block.standing, people["admin"])
        _take(block.history, people["admin"])
        _finish_tasks(block, people["admin"])
        if number == 0:
            _conflicts(block, people)
            away.play(block.beats[1], block.beats[2])
        doors = sum(len(beat.households) for beat in block.beats)
        made = len(block.history)
        say(
            f"第 {number + 1} 组网格：{doors} 户，{made} 笔走访、台账和审核。",
            f"Grids, part {number + 1}: {doors} households, {made} visits, ledger steps, reviews.",
        )
    away.export(people["supervisor"])
    return {
        "seed": plan.seed,
        "households": plan.households,
        "made_at": plan.now,
        "accounts": told,
        "areas": [grid.code for community in plan.communities() for grid in community.grids],
    }


def _people(plan: Plan) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Accounts with fresh passwords (never from the seed), after the areas they belong to."""
    told: list[dict[str, Any]] = []
    places = Whereabouts(plan)
    people: dict[str, str] = {}
    for number, person in enumerate(plan.people()):
        if person.role == "grid_worker" and number >= WITH_PASSWORD:
            user, password = _without_password(person), None
        else:
            user, password = accounts.add_user(
                person.username, person.name, person.role, person.area_code, body=person.body
            )
        people[person.username] = user.id
        told.append(
            {
                "username": person.username,
                "password": password,
                "name": person.name,
                "role": person.role,
                "area": person.area_code,
                "grids": list(person.grids),
                "body": person.body,
                "where": list(places.of(person)),
            }
        )
        if person.role == "admin":
            _take(base_entries(plan, user.id), user.id)
        for grid in person.grids:
            accounts.assign(user.id, grid)
    return told, people


def _without_password(person: Person) -> User:
    """One of the hundreds of workers of a large demo: hashing a password takes a fifth of a second,
    and the phones of these are enrolled by codes."""
    user = User(
        id=ids.new_id(),
        username=person.username,
        name=person.name,
        role=person.role,
        area_code=person.area_code,
        active=True,
        failures=0,
        language="zh",
        scope_rev=0,
        created_at=now_ms(),
    )
    with write() as session:
        session.add(user)
    person_record.publish(user)
    return user


def _store(pictures: Sequence[Picture], plan: Plan) -> None:
    """The photos' bytes first: a record that declares them is then verified at once."""
    store = blobs.current()
    for picture in pictures:
        store.write(picture.sha256, picture.data)
    with write() as session:
        for picture in pictures:
            session.add(
                Blob(
                    sha256=picture.sha256,
                    size=len(picture.data),
                    state="verified",
                    mime="image/jpeg",
                    width=picture.width,
                    height=picture.height,
                    stored_at=plan.first_day,
                )
            )


def _take(entries: Iterator[Entry] | list[Entry], sender: str) -> list[Submitted]:
    return list(submit_many(entries, kind="import", sender=sender, batch=BATCH))


def _finish_tasks(block: Block, sender: str) -> None:
    """Tasks about returned visits that were corrected since are ticked off by their worker."""
    partitions = [beat.grid.partition for beat in block.beats]
    query = (
        select(Task, Visit.updated_at, Visit.reviewed_at)
        .join(Visit, Visit.id == Task.about_id)
        .where(Task.state == "open", Task.type == "returned_visit")
        .where(Visit.partition_id.in_(partitions), Visit.review_state != "returned")
    )
    entries = [
        Entry(
            task.user_id,
            [Operation(ACT, "task", task.id, task.partition_id, rev=task.rev, action="done")],
            (reviewed_at or task.created_at) + HOUR,
        )
        for task, _, reviewed_at in db.session.execute(query)
    ]
    db.session.rollback()
    _take(entries, sender)


def _conflicts(block: Block, people: dict[str, str]) -> None:
    """Three fields that two people changed without having seen each other; one is decided."""
    supervisor = people["supervisor"]
    first, second = block.beats[0], block.beats[1]
    if len(first.households) < 2:
        return  # a demo too small to quarrel in
    home, other = first.households[0], first.households[-1]
    yard = second.compounds[1]
    at = first.plan.today - 8 * HOUR
    _differ(first.worker, supervisor, "household", home.id, first.grid.partition, "contact_phone",
            home.values["contact_phone"], ("13900008812", "13900008821"), at)  # fmt: skip
    _differ(second.worker, supervisor, "compound", yard.id, second.grid.partition, "steward",
            yard.values["steward"], ("杜明山", "杜明珊"), at - 3 * HOUR)  # fmt: skip
    decided = _differ(
        first.worker, supervisor, "household", other.id, first.grid.partition, "note",
        other.values["note"], ("周末在家。", "周末在家，先打电话。"), at - DAY,
    )  # fmt: skip
    verdict = Operation(
        ACT, "conflict", decided, first.grid.partition, action="decide", expect={"version": 1},
        data={"value": "周末在家，先打电话。"},
    )  # fmt: skip
    _take([Entry(supervisor, [verdict], at - DAY + 2 * HOUR)], supervisor)


def _differ(
    worker: str, supervisor: str, kind: str, record_id: str, partition: str, field: str,
    was: str | None, values: tuple[str, str], at: int,
) -> str:  # fmt: skip
    """Two edits of rev 1 from two devices; returns the conflict that the second one opens."""
    found: tuple[str, ...] = ()
    for person, new, minutes in ((supervisor, values[0], 0), (worker, values[1], 40)):
        edit = Operation(SET, kind, record_id, partition, rev=1, fields={field: (was, new)})
        found = _take([Entry(person, [edit], at + minutes * 60_000)], person)[0].conflicts
    return found[0]


def _remove_leftovers(folder: Path) -> None:
    """Half-made demos of runs that were killed."""
    for left in folder.parent.glob(f".{folder.name}.building-*"):
        pid = left.name.rpartition("-")[2]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    with suppress(OSError):
        os.kill(pid, 0)
        return True
    return False


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
