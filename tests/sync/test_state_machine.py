"""Phones, people and accidents in any order; when all is quiet, every promise holds.

Real phones (`mobile.storage`, `mobile.sync`) against the real application on SQLite and on
PostgreSQL. The invariants are those of `gridledger simulate`, checked by the same code.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from gridledger.simulate import putback
from gridledger.simulate.actors import Handset, JumpingClock
from gridledger.simulate.check import check
from gridledger.simulate.plan import Act
from gridledger.simulate.record import Record
from mobile.storage import retention
from mobile.sync.phone import EnrolFailed
from server import create_app
from server.config import Config
from server.core.access import Viewer
from server.errors import Trouble
from server.operations import accounts, release
from server.operations.decide import decide
from server.operations.move import move_household
from server.operations.transact import submit
from server.storage.database import db
from server.storage.models import Conflict, Household
from server.storage.tables import Assignment, Quarantined
from shared.operations import DELETE, Operation
from shared.reconcile import Refused
from tests import databases
from tests.builders import GRID, OTHER_GRID, STREET, World, build_world
from tests.sync.wsgi import ADDRESS, Killed, Line

PHONES = {"one": "worker", "two": "worker", "three": "other"}
GRIDS = (GRID, OTHER_GRID)
YEAR_MS = 365 * 24 * 3600 * 1000
LATE = 2**52
QUIET_WITHIN = 14
STRANGER = {"token_unknown", "token_revoked"}
EXAMPLES = {"sqlite": 12, "postgresql": 6}
STEPS = 22

phones = st.sampled_from(sorted(PHONES))
picks = st.integers(0, 5)
deeds = st.sampled_from(
    ["visit", "no_change", "edit", "edit", "groups", "count", "problem", "progress", "household"]
)


class Machine(RuleBasedStateMachine):
    """Three phones of two workers who share a grid, and an office."""

    base: tuple[str, Path]  # database, folder of the templates; set by the test
    templates: dict[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.record = Record()
        self.numbers = 0
        self.kept: putback.Kept | None = None
        self.cloned = False
        config = self._database()
        self.app = create_app(config)
        self.context = self.app.app_context()
        self.context.push()
        self.world: World = build_world()
        accounts.assign(self.world.users["other"], GRID)
        db.session.remove()
        self.fleet: dict[str, Handset] = {}
        for name, who in PHONES.items():
            self._add(name, self.world.users[who])
            self._enrol(self.fleet[name])
            assert self.fleet[name].sync().complete

    def _database(self) -> Config:
        data = self.folder / "server"
        data.mkdir()
        name = type(self).base[0]
        self.url = ""
        if name == "sqlite":
            shutil.copy(type(self).templates["sqlite"], data / "gridledger.sqlite3")
        else:
            self.url = databases.new_database(template=type(self).templates["postgresql"])
        return Config(data=data, database_url=self.url, testing=True, secret_key="test")

    def _add(self, name: str, user_id: str) -> Handset:
        line = Line(self.app)
        phone = Handset(
            name, self.folder / name, user_id, None, self.record, JumpingClock(), http=line
        )
        self.fleet[name] = phone
        return phone

    def _enrol(self, phone: Handset) -> None:
        code = accounts.make_enrolment_code(phone.user_id).text
        db.session.remove()
        phone.phone.enrol_by_code(ADDRESS, code, phone.name)

    # --- what people do ---

    @rule(name=phones, kind=deeds, pick=picks)
    def work(self, name: str, kind: str, pick: int) -> None:
        self._do(name, kind, pick)

    def _do(self, name: str, kind: str, pick: int, photos: int = 0) -> None:
        self.numbers += 1
        self.fleet[name].do(Act(kind, self.numbers, pick, photos))

    @rule(name=phones, pick=picks)
    def visit_with_photo(self, name: str, pick: int) -> None:
        self._do(name, "visit", pick, photos=1)

    @rule(name=phones, value=st.sampled_from(["甲", "乙"]))
    def write_what_others_write_too(self, name: str, value: str) -> None:
        phone = self.fleet[name]
        homes = phone.phone.households()
        if homes:
            phone.phone.edit("household", homes[0].id, {"note": value})
            phone.take()

    @rule(name=phones)
    def sync(self, name: str) -> None:
        self.fleet[name].sync()

    @rule(name=phones)
    def finish_tasks(self, name: str) -> None:
        self.fleet[name].finish_tasks()

    @precondition(lambda self: self.kept is None)
    @rule(name=phones)
    def forget_old_visits(self, name: str) -> None:
        """No backup is older than what leaves a phone."""
        retention.thin(self.fleet[name].phone._store, LATE)

    # --- what goes wrong ---

    @rule(name=phones, when=st.sampled_from(["before", "after"]), nth=st.integers(0, 4))
    def sync_on_a_bad_line(self, name: str, when: str, nth: int) -> None:
        phone = self.fleet[name]
        with self._fault(phone, when, nth, requests.ConnectionError("lost")):
            phone.sync()

    @rule(name=phones, when=st.sampled_from(["before", "after"]), nth=st.integers(0, 4))
    def kill_at_the_line(self, name: str, when: str, nth: int) -> None:
        phone = self.fleet[name]
        with self._fault(phone, when, nth, Killed()), suppress(Killed):
            phone.sync()
        self._start_again(phone)

    @rule(name=phones, nth=st.integers(0, 12), after=st.booleans())
    def kill_at_the_disk(self, name: str, nth: int, after: bool) -> None:
        """Killed just before or just after a commit of the store."""
        phone = self.fleet[name]
        store = phone.phone._store
        real, left = store.writing, nth

        @contextmanager
        def writing() -> Iterator[Any]:
            nonlocal left
            with real() as connection:
                yield connection
                left -= 1
                if left == -1 and not after:
                    raise Killed
            if left == -1 and after:
                raise Killed

        store.writing = writing  # type: ignore[method-assign]
        with suppress(Killed):
            phone.sync()
        self._start_again(phone)

    @rule(name=phones, forward=st.booleans())
    def jump(self, name: str, forward: bool) -> None:
        self.fleet[name].clock.offset += YEAR_MS if forward else -YEAR_MS

    @precondition(lambda self: not self.cloned)
    @rule(name=phones)
    def clone(self, name: str) -> None:
        self.cloned = True
        phone = self.fleet[name]
        phone.close()
        shutil.copytree(phone.folder, self.folder / "clone")
        phone.reopen()
        self._add("clone", phone.user_id).take()

    @precondition(lambda self: self.cloned)
    @rule(kind=deeds, pick=picks, then_sync=st.booleans())
    def clone_works(self, kind: str, pick: int, then_sync: bool) -> None:
        self._do("clone", kind, pick)
        if then_sync:
            self.fleet["clone"].sync()

    @rule(name=phones)
    def revoke(self, name: str) -> None:
        phone = self.fleet[name]
        with suppress(Trouble):
            accounts.revoke_device(phone.device_id)
        db.session.remove()

    @rule()
    def keep_a_backup(self) -> None:
        if self.kept is None:
            self.kept = putback.keep(self.folder / "backup")

    @precondition(lambda self: self.kept is not None)
    @rule(silently=st.booleans())
    def put_the_backup_back(self, silently: bool) -> None:
        assert self.kept is not None
        putback.put_back(self.kept, silently)
        self.kept.file.unlink()
        self.kept = None

    # --- the office ---

    @rule(who=st.sampled_from(["worker", "other"]), grid=st.sampled_from(GRIDS))
    def hand_over(self, who: str, grid: str) -> None:
        user_id = self.world.users[who]
        query = select(Assignment.id).where(
            Assignment.user_id == user_id, Assignment.grid_code == grid, Assignment.to_at.is_(None)
        )
        change = accounts.unassign if db.session.scalar(query) else accounts.assign
        change(user_id, grid)
        db.session.remove()

    @rule(pick=picks, grid=st.sampled_from(GRIDS))
    def move(self, pick: int, grid: str) -> None:
        home = self.world.households[pick % 2]
        with suppress(Trouble, Refused):
            move_household(self.world.users["supervisor"], home, grid)
        db.session.remove()

    @rule(pick=st.integers(0, 3))
    def delete(self, pick: int) -> None:
        home = db.session.get(Household, self.world.households[pick])
        assert home is not None
        operation = Operation(DELETE, "household", home.id, home.partition_id, home.seq, home.rev)
        with suppress(Refused):
            submit(self.world.users["supervisor"], [operation])
        db.session.remove()

    @rule(accepted=st.booleans())
    def decide(self, accepted: bool) -> None:
        viewer = Viewer(self.world.users["supervisor"], "supervisor", STREET)
        query = select(Conflict).where(Conflict.state == "open")
        for one in list(db.session.scalars(query)):
            with suppress(Refused, Trouble):
                decide(viewer, one.id, one.accepted if accepted else one.proposed, one.version)
        db.session.remove()

    @rule(refuse=st.booleans())
    def empty_the_quarantine(self, refuse: bool) -> None:
        query = select(Quarantined.id).where(Quarantined.state == "open")
        for row_id in list(db.session.scalars(query)):
            with suppress(Refused, Trouble):
                if refuse:
                    release.refuse(self.world.users["supervisor"], row_id, "不行")
                else:
                    release.release(self.world.users["supervisor"], row_id)
        db.session.remove()

    # --- the end ---

    def teardown(self) -> None:
        try:
            self._check()
        finally:
            for phone in self.fleet.values():
                phone.close()
            db.session.remove()
            db.engine.dispose()
            self.context.pop()
            if self.url:
                databases.drop_database(self.url)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _check(self) -> None:
        self._settle()
        for phone in self.fleet.values():
            phone.finish_tasks()
        self._settle()
        stores = {name: (one.user_id, one.phone._store) for name, one in self.fleet.items()}
        found = check(db.session(), stores, self.record)
        assert found.sound, "\n".join(found.told)
        counted = found.applied + found.conflict + found.quarantined
        assert counted == found.transactions == len(self.record.saved)

    def _settle(self) -> None:
        for _ in range(QUIET_WITHIN):
            quiet = True
            for phone in self.fleet.values():
                report = phone.sync()
                if STRANGER & {t.code for t in report.troubles} or not phone.phone.enrolled:
                    with suppress(EnrolFailed):
                        self._enrol(phone)
                        report = phone.sync()
                quiet &= report.complete and not (report.pushed or report.received)
                last = report
            if quiet:
                return
        raise AssertionError(f"not quiet: {last}")

    @contextmanager
    def _fault(self, phone: Handset, when: str, nth: int, what: BaseException) -> Iterator[None]:
        line = phone.phone._session
        assert isinstance(line, Line)
        left = nth

        def fault(now: str, _path: str) -> None:
            nonlocal left
            if now == when:
                left -= 1
                if left == -1:
                    raise what

        line.fault = fault
        try:
            yield
        finally:
            line.fault = None

    def _start_again(self, phone: Handset) -> None:
        phone.close()
        phone._http = Line(self.app)
        phone.reopen()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whatever_happens_in_whatever_order_nothing_is_lost(
    database: str, templates: dict[str, str], tmp_path: Path
) -> None:
    machine = type("On" + database, (Machine,), {})
    machine.base = (database, tmp_path)
    machine.templates = templates
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("MACHINE_EXAMPLES", EXAMPLES[database])),
            stateful_step_count=STEPS,
            derandomize="MACHINE_EXAMPLES" not in os.environ,
            # Shrinking takes minutes; MACHINE_SHRINK=1 asks for it.
            phases=[Phase.generate, *([Phase.shrink] if os.environ.get("MACHINE_SHRINK") else [])],
            report_multiple_bugs=False,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
