"""A run: phones, server and office play the plan, everything heals, and the truth is checked."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from flask import Flask

from gridledger.simulate import putback
from gridledger.simulate.actors import Handset
from gridledger.simulate.check import Findings, check
from gridledger.simulate.district import District, code_for
from gridledger.simulate.faults import NEMESES
from gridledger.simulate.office import Office
from gridledger.simulate.oldphone import OldPhone
from gridledger.simulate.plan import HEAVY, Act, Fault, Plan, Round
from gridledger.simulate.proxy import Proxy
from gridledger.simulate.record import Record
from gridledger.simulate.serving import Server
from mobile.core.told import SyncReport
from mobile.sync.phone import EnrolFailed
from server.storage.database import db

AT_ONCE = 4  # phones that sync at the same time
QUIET_WITHIN = 16  # passes over all phones after which it is not going to be quiet
STRANGER = frozenset({"token_unknown", "token_revoked", "sign_in_needed"})
Say = Callable[[str, str], None]


class Simulation:
    """Everything of one run. The application context of ``app`` is open in the calling thread."""

    def __init__(
        self, plan: Plan, folder: Path, app: Flask, server: Server, district: District, say: Say
    ) -> None:
        self.plan, self.folder, self.app = plan, folder, app
        self.server, self.district = server, district
        self.say = say
        self.record = Record()
        self.fleet: list[Handset] = []
        self.old: list[OldPhone] = []
        self.counts: Counter[str] = Counter()
        self.quiet = False
        self.several = db.engine.dialect.name != "sqlite"
        self._office = Office(district)
        self._seconds: dict[str, Handset] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def play(self) -> Findings:
        """Play the whole plan; what the check found at its end."""
        for number, user_id in enumerate(self.district.workers[: self.plan.phones], 1):
            phone = self.add(f"phone{number}", self.folder / "phones" / f"phone{number}", user_id)
            phone.enrol(self.code(user_id))
        self._sync_all()
        for number, one in enumerate(self.plan.rounds, 1):
            self.say(f"第 {number}/{len(self.plan.rounds)} 轮", f"round {number}")
            self._round(one)
        self.say("一切恢复正常，等到没有变化", "healed; syncing until nothing changes")
        self.quiet = self._settle()
        self.say("核对", "checking")
        db.session.remove()
        phones = {one.name: (one.user_id, one.phone._store) for one in self.fleet}
        found = check(db.session(), phones, self.record)
        db.session.remove()
        if not self.quiet:
            found.waiting = max(found.waiting, 1)
            found.tell(f"not quiet after {QUIET_WITHIN} passes")
        return found

    def close(self) -> None:
        """Let go of phones and lines; the server is its owner's."""
        self._pool.shutdown()
        for phone in self.fleet:
            phone.close()
            phone.line.close()

    # --- what faults use ---

    def add(self, name: str, folder: Path, user_id: str) -> Handset:
        """Another phone with a line of its own."""
        line = Proxy(lambda: self.server.port)
        phone = Handset(name, folder, user_id, line, self.record)
        phone.take()
        self.fleet.append(phone)
        return phone

    def work(self, phone: Handset, acts: Iterable[Act]) -> None:
        """Let somebody do these things, without a network."""
        for act in acts:
            phone.do(act)

    def code(self, user_id: str) -> str:
        """A fresh enrolment code."""
        code = code_for(user_id)
        db.session.remove()
        return code

    def other_grid(self, phone: Handset) -> Handset:
        """A phone in another grid, else any other, else the same."""
        mine = {grid.code for grid in phone.phone.me.grids} if phone.phone.me else set()
        others = [one for one in self.fleet if one.user_id != phone.user_id]
        for one in others:
            if one.phone.me and not mine & {grid.code for grid in one.phone.me.grids}:
                return one
        return others[0] if others else self.second_phone(phone)

    def second_phone(self, phone: Handset) -> Handset:
        """The second phone of a phone's person; enrolled when it is first asked for."""
        second = self._seconds.get(phone.user_id)
        if second is None:
            name = f"{phone.name}-second"
            second = self.add(name, self.folder / "phones" / name, phone.user_id)
            second.enrol(self.code(phone.user_id))
            second.sync()
            self._seconds[phone.user_id] = second
        return second

    # --- the course of a run ---

    def _round(self, one: Round) -> None:
        for phone, acts in zip(self.fleet, one.acts, strict=False):
            self.work(phone, acts)
        # What puts the server back comes first: it would undo, and so hide, what came before.
        for fault in one.faults:
            if fault.name in HEAVY:
                self._put_back(fault, one.office)
        for fault in one.faults:
            if fault.name not in HEAVY:
                self._fault(fault)
        self._sync_all()
        self._office.work(one.office, one.acts[0][0].pick)
        self._sync_all()

    def _fault(self, fault: Fault) -> None:
        """Bring a nemesis about; on the next phone if this one gave it no occasion."""
        for step in range(self.plan.phones):
            phone = self.fleet[(fault.phone + step) % self.plan.phones]
            happened = NEMESES[fault.name](self, phone, _again(fault, step))
            for one in self.fleet:
                one.line.heal()
            if happened:
                self.counts[fault.name] += 1
                self.say(f"  {fault.name}：{phone.name}", "")
                return
        self.say(f"  {fault.name}：没有机会发生", "had no occasion")

    def _put_back(self, fault: Fault, office: int) -> None:
        """A backup; then a day's work; then the server has only the backup."""
        kept = putback.keep(self.folder / f"backup-{sum(self.counts.values())}")
        self.work(self.fleet[fault.phone], fault.acts)
        self._sync_all()
        self._office.work(office, fault.pick)
        self._sync_all()
        db.session.remove()
        self.server.kill()
        putback.put_back(kept, silently=fault.name == "rewound")
        self.server.start()
        self.counts[fault.name] += 1
        self.say(f"  {fault.name}", "")
        self._sync_all()

    def _sync_all(self) -> list[SyncReport]:
        """Every phone once, several at a time; who is a stranger to the server enrols again."""
        reports = list(self._pool.map(lambda phone: phone.sync(), list(self.fleet)))
        for phone, report in zip(list(self.fleet), reports, strict=True):
            if STRANGER & {trouble.code for trouble in report.troubles} or not phone.phone.enrolled:
                try:
                    phone.enrol(self.code(phone.user_id))
                except EnrolFailed as failed:
                    self.say(f"  {phone.name}: {failed}", "")
        return reports

    def _settle(self) -> bool:
        """Heal everything; all sync until a whole pass changes nothing. False: it never did."""
        for phone in self.fleet:
            phone.line.heal()
        closed = False
        for number in range(QUIET_WITHIN):
            reports = self._sync_all()
            self._push_old()
            if not _is_quiet(reports) or not all(old.answered for old in self.old):
                continue
            if closed:
                return True
            if number:  # what can be decided is decided, and what was told is ticked off
                self._office.quarantine(10**6)
                db.session.remove()
                self._sync_all()
                for phone in self.fleet:
                    phone.finish_tasks()
                closed = True
        return False

    def _push_old(self) -> None:
        for old in self.old:
            old.answered = False
            if not old.push():
                old.enrol(self.code(old.user_id))
                old.push()


def _again(fault: Fault, step: int) -> Fault:
    """A fault for the next phone: what is done there is something else than on the one before."""
    acts = (replace(act, number=act.number + step * 10**6) for act in fault.acts)
    return replace(fault, acts=tuple(acts))


def _is_quiet(reports: Sequence[SyncReport]) -> bool:
    return all(r.complete and not r.pushed and not r.received and not r.photos for r in reports)


def seconds_since(begun: float) -> float:
    """Seconds, to a tenth."""
    return round(time.monotonic() - begun, 1)
