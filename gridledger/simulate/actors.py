"""A phone and who holds it: the real core, a line that may be bad, a clock that may jump."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from gridledger.simulate.plan import Act
from gridledger.simulate.proxy import Proxy
from gridledger.simulate.record import Record
from mobile.core.told import SyncReport
from mobile.core.written import DraftPhoto, HouseholdDraft, ProblemDraft, VisitDraft
from mobile.storage import meta
from mobile.sync.phone import EnrolFailed, Phone, PhoneError

HOT = 3  # doors that everybody edits, so that they meet
GROUPS = ("elder_alone", "elder", "disabled", "low_income", "veteran")
SMALL, LARGE = 120, 800  # pixels; a large photo takes more than one piece


@dataclass
class JumpingClock:
    """The machine's clock, wrong by ``offset`` ms."""

    offset: int = 0
    boot: str = field(default_factory=lambda: f"boot-{random.randrange(10**9)}")

    def wall(self) -> int:
        return max(0, time.time_ns() // 1_000_000 + self.offset)

    def mono(self) -> int:
        return time.monotonic_ns() // 1_000_000


class Handset:
    """One phone of one person. ``saves`` is where each save is recorded as it happens."""

    def __init__(
        self,
        name: str,
        folder: Path,
        user_id: str,
        line: Proxy | None,
        record: Record,
        clock: JumpingClock | None = None,
        http: requests.Session | None = None,
    ) -> None:
        self.name, self.folder, self.user_id = name, folder, user_id
        self._line, self.record = line, record
        self.clock = clock or JumpingClock()
        self._http = http
        self.refused = 0  # saves that the phone would not take, and said so
        self._taken = 0
        self.phone = Phone.open(folder, clock=self.clock, http=http)

    @property
    def line(self) -> Proxy:
        """The phone's way to the server."""
        assert self._line is not None
        return self._line

    def close(self) -> None:
        """Let go of the store, so that something may happen to it."""
        self.phone.close()

    def reopen(self) -> None:
        """Start the app again, and record what the store says was saved."""
        self.phone = Phone.open(self.folder, clock=self.clock, http=self._http)
        self.take()

    def take(self) -> None:
        """Record what was saved since the last time."""
        with self.phone._store.reading() as db:
            self._taken = self.record.take(db, self._taken)

    def enrol(self, code: str) -> None:
        """Enrol, or enrol again. Raises EnrolFailed."""
        self.phone.enrol_by_code(self.line.url, code, self.name)

    def sync(self) -> SyncReport:
        """One sync."""
        return self.phone.sync()

    @property
    def device_id(self) -> str:
        """Under which identity the phone sends now."""
        with self.phone._store.reading() as db:
            return meta.get(db, "device_id")

    def do(self, act: Act) -> bool:
        """Do one thing; whether it was saved. What the phone refuses, it must say."""
        deed: Callable[[Act], Any] = getattr(self, f"_{act.kind}")
        try:
            done = deed(act)
        except (PhoneError, EnrolFailed):
            self.refused += 1
            done = False
        self.take()
        return bool(done)

    def finish_tasks(self) -> None:
        """Tick off everything that is open."""
        for task in self.phone.tasks():
            if task.state == "open":
                try:
                    self.phone.finish_task(task.id)
                except PhoneError:
                    self.refused += 1
        self.take()

    def fill(self, note: str, pick: int) -> bool:
        """Save a long visit; False where the phone had no room, or no door."""
        home = self._door(pick)
        if home is None:
            return False
        values = {**self.phone.new_visit(home).values, "outcome": "met", "reason": "routine"}
        try:
            self.phone.save_visit(VisitDraft({**values, "note": note + "长" * 3900}))
        except PhoneError:
            self.refused += 1
            return False
        self.take()
        return True

    def _door(self, pick: int, among: int = 0) -> str | None:
        rows = self.phone.households()
        if not rows:
            return None
        chosen = rows[:among] if among else rows
        return chosen[pick % len(chosen)].id

    def _visit(self, act: Act) -> str | None:
        home = self._door(act.pick)
        if home is None:
            return None
        photos = tuple(
            DraftPhoto(self.phone.prepare_photo(picture(act.number * 100 + n)), "scene")
            for n in range(act.photos)
        )
        values = {**self.phone.new_visit(home).values, "outcome": "met", "reason": "routine"}
        return self.phone.save_visit(VisitDraft({**values, "note": f"走访 {act.number}"}, photos))

    def _large(self, act: Act) -> str | None:
        home = self._door(act.pick)
        if home is None:
            return None
        photo = self.phone.prepare_photo(picture(act.number * 100, LARGE))
        values = {**self.phone.new_visit(home).values, "outcome": "met", "reason": "routine"}
        values["note"] = f"走访 {act.number}"
        return self.phone.save_visit(VisitDraft(values, (DraftPhoto(photo, "scene"),)))

    def _no_change(self, act: Act) -> str | None:
        home = self._door(act.pick)
        return self.phone.no_change(home) if home else None

    def _edit(self, act: Act) -> bool:
        home = self._door(act.pick, HOT)
        field_name = ("note", "contact_phone", "contact_name")[act.pick % 3]
        value = f"139{act.number:08}" if field_name == "contact_phone" else f"改 {act.number}"
        return bool(home) and self.phone.edit("household", str(home), {field_name: value})

    def _groups(self, act: Act) -> bool:
        home = self._door(act.pick, HOT)
        some = [name for n, name in enumerate(GROUPS) if act.pick >> n & 1]
        return bool(home) and self.phone.edit("household", str(home), {"care_groups": some})

    def _count(self, act: Act) -> bool:
        home = self._door(act.pick, HOT)
        return bool(home) and self.phone.edit(
            "household", str(home), {"residents_count": act.number % 9}
        )

    def _problem(self, act: Act) -> str | None:
        home = self._door(act.pick)
        if home is None:
            return None
        values = {"category": "leak", "description": f"漏水 {act.number}", "place": "楼道",
                  "target_kind": "household", "target_id": home}  # fmt: skip
        return self.phone.report_problem(ProblemDraft(values))

    def _progress(self, act: Act) -> bool:
        rows = self.phone.problems(open_only=True)
        if not rows:
            return False
        row = rows[act.pick % len(rows)]
        self.phone.act(row.id, "progress", {"reason": f"进展 {act.number}"})
        return True

    def _household(self, act: Act) -> str | None:
        compounds = self.phone.compounds()
        if not compounds:
            return None
        values = {"compound_id": compounds[0].id, "building": "2", "unit": "1",
                  "door": f"{act.number}", "contact_name": f"新户 {act.number}"}  # fmt: skip
        return self.phone.add_household(HouseholdDraft(values))


def picture(number: int, side: int = SMALL) -> bytes:
    """A JPEG of noise that is the same for the same number, and like no other."""
    from PIL import Image

    noise = random.Random(number).randbytes(side * side * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(out, "JPEG", quality=90)
    return out.getvalue()
