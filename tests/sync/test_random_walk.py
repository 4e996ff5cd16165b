"""Phones, faults and a server in a random walk; when all is quiet, nothing is lost or doubled."""

from __future__ import annotations

import random
import shutil
from typing import Any

import pytest
import requests
from sqlalchemy import select

from mobile.storage import records
from mobile.sync.phone import DraftPhoto, Phone, ProblemDraft, SaveFailed, VisitDraft
from server.storage.database import db
from server.storage.tables import Partition, Receipt
from shared import checksum
from tests.sync.conftest import Network, Place, network, picture
from tests.sync.test_faults import rows

STEPS = 60


class Walk:
    """One walk: what the phones do, and what goes wrong meanwhile."""

    def __init__(self, place: Place, seed: int) -> None:
        self.place = place
        self.random = random.Random(seed)
        self.names = ["one", "two", "three"]
        self.phones = {name: place.phone(name) for name in self.names}
        self.saved: dict[str, list[str]] = {}
        self.clones = 0
        for phone in self.phones.values():
            self._make_bad(phone)

    def _make_bad(self, phone: Phone) -> None:
        """Every request may fail before it arrives, or its answer on the way back."""
        net = network(phone)

        def fault(_method: str, path: str) -> None:
            roll = self.random.random()
            if roll < 0.12:
                raise requests.ConnectionError("lost on the way")
            if roll < 0.3:
                net.lose, net.lose_path = 1, path

        net.before = fault

    def step(self) -> None:
        name = self.random.choice(list(self.phones))
        deed = self.random.choice(
            [self.visit, self.edit, self.edit, self.groups, self.problem, self.act, self.sync,
             self.sync, self.sync, self.kill, self.clone, self.photo]
        )  # fmt: skip
        deed(name)

    def home(self, phone: Phone) -> str:
        return self.random.choice(phone.households()).id

    def visit(self, name: str, photos: tuple[DraftPhoto, ...] = ()) -> None:
        phone = self.phones[name]
        values = {**phone.new_visit(self.home(phone)).values, "outcome": "met"}
        phone.save_visit(VisitDraft({**values, "note": str(self.random.random())}, photos))

    def photo(self, name: str) -> None:
        colour = self.random.choice(["red", "green", "blue"])
        self.visit(name, (DraftPhoto(self.phones[name].prepare_photo(picture(colour, 120))),))

    def edit(self, name: str) -> None:
        phone = self.phones[name]
        field = self.random.choice(["note", "contact_phone", "residents_count"])
        value: Any = self.random.randint(1, 4)
        phone.edit(
            "household",
            self.home(phone),
            {field: value if field == "residents_count" else str(value)},
        )

    def groups(self, name: str) -> None:
        phone = self.phones[name]
        some = self.random.sample(["elder", "disabled", "veteran"], self.random.randint(0, 3))
        phone.edit("household", self.home(phone), {"care_groups": some})

    def problem(self, name: str) -> None:
        self.phones[name].report_problem(
            ProblemDraft({"category": "leak", "description": "漏水", "place": "1号楼"})
        )

    def act(self, name: str) -> None:
        phone = self.phones[name]
        found = phone.problems()
        if found:
            try:
                phone.act(self.random.choice(found).id, "progress", {"reason": "看过了"})
            except SaveFailed as failed:
                assert failed.code == "not_possible"

    def sync(self, name: str) -> None:
        self.phones[name].sync()

    def kill(self, name: str) -> None:
        self.phones[name].close()
        self.phones[name] = self.place.open(name)
        self._make_bad(self.phones[name])

    def clone(self, name: str) -> None:
        if self.clones:
            return
        self.clones += 1
        self.phones[name].close()
        shutil.copytree(self.place.folder / name, self.place.folder / "clone")
        for copy in (name, "clone"):
            self.phones[copy] = self.place.open(copy)
            self._make_bad(self.phones[copy])

    def settle(self) -> None:
        """The network is good again; everybody syncs until nothing is left to say."""
        for phone in self.phones.values():
            net = phone._session
            assert isinstance(net, Network)
            net.before, net.lose = None, 0
        for _ in range(3):
            reports = [phone.sync() for phone in self.phones.values()]
        assert all(report.complete for report in reports), reports


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_after_all_is_quiet_nothing_is_lost_or_doubled(place: Place, seed: int) -> None:
    walk = Walk(place, seed)
    for _ in range(STEPS):
        walk.step()
    walk.settle()
    shown = [rows(phone) for phone in walk.phones.values()]
    own = [
        _without_held(phone, found)
        for phone, found in zip(walk.phones.values(), shown, strict=True)
    ]
    assert all(one == own[0] for one in own)
    with place.app.app_context():
        receipts = set(db.session.scalars(select(Receipt.id)))
        heads = {p.id: p for p in db.session.scalars(select(Partition))}
    for phone in walk.phones.values():
        with phone._store.reading() as store:
            journal = store.execute("SELECT id, result, covered_at FROM journal").fetchall()
            assert {row["id"] for row in journal} <= receipts
            assert all(row["result"] and row["covered_at"] for row in journal)
            for (partition,) in store.execute("SELECT partition_id FROM cursor").fetchall():
                head = heads.get(partition)
                wanted = (head.count, checksum.from_signed(head.sum64)) if head else (0, 0)
                assert records.own_sum(store, partition) == wanted
        status = phone.status()
        assert status.waiting == 0 and not status.photos_waiting
        assert status.photos == status.photos_verified
        assert {item.place for item in status.items} <= {"applied", "conflict", "held", "returned"}
        assert status.repairs == 0


def _without_held(phone: Phone, found: dict[str, Any]) -> dict[str, Any]:
    """What is shown, less what lies on top because it was held or returned."""
    with phone._store.reading() as store:
        on_top = {row[0] for row in store.execute("SELECT record_id FROM pending").fetchall()}
    return {key: value for key, value in found.items() if key not in on_top}
