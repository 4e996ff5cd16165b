"""Saving: all or nothing, whatever happens in between; drafts and originals survive."""

from __future__ import annotations

import io
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from mobile.storage import journal, photos, queue, store
from mobile.sync.phone import (
    DraftInvalid,
    DraftPhoto,
    HouseholdDraft,
    Phone,
    ProblemDraft,
    SaveFailed,
    VisitDraft,
)
from shared import checksum, protocol, schemas
from tests.mobile.conftest import FakeFeed, HandClock
from tests.mobile.test_feed import HOME, home

VISIT = {"target_kind": "household", "target_id": HOME, "reason": "routine", "outcome": "met"}


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 60), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def full(phone: Phone, server: FakeFeed) -> Phone:
    """A phone with one door."""
    server.send(home(server), server.checkpoint())
    return phone


def counts(phone: Phone) -> list[int]:
    with phone._store.reading() as db:
        return [
            db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("record", "journal", "pending", "photo", "draft")
        ]


@pytest.mark.parametrize("table", ["record", "journal", "pending", "touched", "photo", "draft"])
def test_a_save_that_breaks_at_any_step_leaves_nothing(full: Phone, table: str) -> None:
    """The disk is full at one of the writes; nothing is half-written."""
    photo = full.prepare_photo(picture())
    full.keep_draft("visit", VISIT, (DraftPhoto(photo),))
    before = counts(full)
    denied = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}

    def deny(action: int, name: str | None, *_: object) -> int:
        return sqlite3.SQLITE_DENY if action in denied and name == table else sqlite3.SQLITE_OK

    full._store._writer.set_authorizer(deny)
    with pytest.raises(SaveFailed):
        full.save_visit(VisitDraft(VISIT, (DraftPhoto(photo),)), "visit")
    full._store._writer.set_authorizer(None)
    assert counts(full) == before
    full.save_visit(VisitDraft(VISIT, (DraftPhoto(photo),)), "visit")
    assert full.draft("visit") is None


def test_a_full_disk_is_told(full: Phone) -> None:
    pages = full._store._writer.execute("PRAGMA page_count").fetchone()[0]
    full._store._writer.execute(f"PRAGMA max_page_count = {pages}")
    before = counts(full)
    with pytest.raises(SaveFailed) as caught:
        for _ in range(50):
            full.save_visit(VisitDraft({**VISIT, "note": "长" * 4000}))
            before = counts(full)
    assert caught.value.code == "disk_full"
    assert "已满" in caught.value.message_zh
    assert counts(full) == before


def test_a_locked_store_is_told(full: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    full._store._writer.execute("PRAGMA busy_timeout = 1")
    blocker = sqlite3.connect(full._store._path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(SaveFailed) as caught:
        full.no_change(HOME)
    assert caught.value.code == "locked"
    blocker.execute("ROLLBACK")
    blocker.close()
    assert full.no_change(HOME)


def test_what_was_saved_is_there_after_a_kill(full: Phone) -> None:
    visit_id = full.save_visit(VisitDraft(VISIT))
    full.keep_draft("problem:x", {"description": "写到一半", "concern_tags": {"hard"}})
    # Nothing is closed: a second app opens the same files, as after a kill.
    with opened(full._store.folder) as again:
        assert again.visit(visit_id).row.place == "waiting"
        draft = again.draft("problem:x")
        assert draft is not None and draft.values["description"] == "写到一半"
        assert again.status().waiting == 1


@contextmanager
def opened(folder: Path) -> Iterator[Phone]:
    phone = Phone.open(folder, clock=HandClock())
    yield phone
    phone.close()


def test_the_frozen_text_is_a_valid_transaction_with_its_hash(full: Phone) -> None:
    full.save_visit(VisitDraft(VISIT, (DraftPhoto(full.prepare_photo(picture())),)))
    full.edit("household", HOME, {"note": "新", "care_groups": ["elder"]})
    full.report_problem(ProblemDraft({"category": "x", "description": "漏", "place": "1号楼"}))
    import json

    running = ""
    with full._store.reading() as db:
        rows = db.execute(
            "SELECT dseq, hash, running, unseal(text) AS text FROM journal ORDER BY n"
        ).fetchall()
    for dseq, row in enumerate(rows, 1):
        schemas.TransactionMessage().load(json.loads(row["text"]))
        running = checksum.next_running(running, checksum.text_hash(row["text"]))
        assert (row["dseq"], row["hash"], row["running"]) == (
            dseq, checksum.text_hash(row["text"]), running,
        )  # fmt: skip


def test_nothing_can_be_saved_that_the_server_must_refuse(
    full: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MAX_TRANSACTION", 500)
    before = counts(full)
    with pytest.raises(SaveFailed) as caught:
        full.save_visit(VisitDraft({**VISIT, "note": "长" * 300}))
    assert caught.value.code == "too_large"
    assert counts(full) == before


def test_a_draft_keeps_its_photos_and_the_sweep_spares_them(full: Phone) -> None:
    kept = full.prepare_photo(picture("red"))
    loose = full.prepare_photo(picture("blue"))
    full.keep_draft("visit", VISIT, (DraftPhoto(kept, "scene", 5),))
    photos.sweep_loose(full._store, full._clock.wall() + 10**12)
    draft = full.draft("visit")
    assert draft is not None and draft.photos == (DraftPhoto(kept, "scene", 5),)
    assert kept.path.exists() and not loose.path.exists()


def test_a_visit_whose_photo_file_is_gone_is_not_saved_without_it(full: Phone) -> None:
    photo = full.prepare_photo(picture())
    photo.path.unlink()
    with pytest.raises(DraftInvalid) as caught:
        full.save_visit(VisitDraft(VISIT, (DraftPhoto(photo),)))
    assert "photos" in caught.value.errors


def test_a_photo_waits_until_its_transaction_has_an_answer(full: Phone, server: FakeFeed) -> None:
    photo = full.prepare_photo(picture())
    full.save_visit(VisitDraft(VISIT, (DraftPhoto(photo),)))
    with full._store.reading() as db:
        assert queue.to_send(db) == []
    server.send(answers=[server.answer(1, "held", code="late_handover")], last_dseq=1)
    with full._store.reading() as db:
        assert [one.sha256 for one in queue.to_send(db)] == [photo.sha256]


def test_an_action_needs_what_the_ledger_says(full: Phone, server: FakeFeed) -> None:
    problem = "01900000-0000-7000-8000-000000000009"
    category = "01900000-0000-7000-8000-000000000008"
    server.partitions = (*server.partitions, "area:0")
    server.send(
        server.row("problem", problem, 4, category="lamp", description="灯", place="1",
                   state="in_progress", step=3, round=1),
        server.row("reference", category, 1, "area:0", type="category", code="lamp",
                   name="路灯", data={"needs_after": True}, active=True),
        server.checkpoint(), server.checkpoint("area:0"),
    )  # fmt: skip
    with pytest.raises(DraftInvalid) as caught:
        full.act(problem, "request_closure", {})
    assert set(caught.value.errors) == {"result", "photos"}
    with pytest.raises(SaveFailed) as refused:
        full.act(problem, "reopen", {"reason": "x", "reopen_cause": "recurrence"})
    assert refused.value.code == "not_possible"
    after = DraftPhoto(full.prepare_photo(picture()), "after")
    full.act(problem, "request_closure", {"result": "修好了"}, (after,))
    shown = full.problem(problem)
    assert shown.row.state == "closure_requested"
    assert [p.action for p in shown.progress if p.pending] == ["request_closure"]
    assert [p.phase for p in shown.photos] == ["after"]


def test_a_new_door_is_on_the_round_at_once(full: Phone) -> None:
    with pytest.raises(DraftInvalid) as caught:
        full.add_household(HouseholdDraft({"building": "1"}))
    assert caught.value.errors["door"].zh == "请填写门牌号"
    new = full.add_household(HouseholdDraft({"building": "1", "unit": "1", "door": "99"}))
    assert [row.id for row in full.households()] == [new, HOME]
    assert [row.id for row in full.households(filter="waiting")] == [new]
    assert [row.id for row in full.households("1号楼 99")] == [new]


def test_a_search_finds_by_name_and_end_of_phone(full: Phone) -> None:
    full.edit("household", HOME, {"contact_name": "欧阳修", "contact_phone": "13812345678"})
    assert [row.phone for row in full.households("欧阳")] == ["138****5678"]
    assert full.households("5678") and not full.households("100%")


def test_nobody_saves_before_enrolment(tmp_path: Path) -> None:
    with opened(tmp_path / "new") as phone:
        assert not phone.enrolled and phone.me is None
        with pytest.raises(SaveFailed) as caught:
            phone.add_household(HouseholdDraft({"door": "1"}))
        assert caught.value.code == "not_enrolled"
        assert phone.sync().troubles[0].code == "not_enrolled"
        assert phone.status().items == ()


def test_readers_see_whole_transactions_while_others_write(full: Phone) -> None:
    seen: list[tuple[int, int]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            with full._store.reading() as db:
                count = db.execute("SELECT count(*) FROM journal").fetchone()[0]
                visits = db.execute("SELECT count(*) FROM record WHERE kind = 'visit'").fetchone()[
                    0
                ]
                seen.append((count, visits))

    reader = threading.Thread(target=read)
    writers = [
        threading.Thread(target=lambda: [full.no_change(HOME) for _ in range(10)]) for _ in range(3)
    ]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert all(count == visits for count, visits in seen)
    with full._store.reading() as db:
        assert journal.last(db, db.execute("SELECT device_id FROM journal").fetchone()[0])[0] == 30


def test_a_store_of_a_newer_app_is_not_touched(tmp_path: Path) -> None:
    with opened(tmp_path / "p") as phone:
        phone._store._writer.execute("PRAGMA user_version = 99")
    with pytest.raises(SaveFailed):
        store.Store(tmp_path / "p")
