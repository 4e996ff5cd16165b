"""Old visits leave the phone once they are safe; the sums go on agreeing with the server's."""

from __future__ import annotations

from typing import Any

import pytest

from mobile.core.due import DAY_MS
from mobile.core.errors import UnknownRecord
from mobile.storage import feed, offer, retention
from mobile.storage.store import FILE
from mobile.sync.phone import Phone, VisitDraft
from shared import ids
from tests.mobile.conftest import MINE, START, FakeFeed, HandClock
from tests.mobile.test_feed import HOME, home, scalar
from tests.mobile.test_sealed import on_disk

LATER = START + 100 * DAY_MS
NOTE = "老人想装扶手"


def visit(server: FakeFeed, rev: int = 1, n: int = 1, **more: Any) -> dict[str, Any]:
    values = {"target_kind": "household", "target_id": HOME, "target_name": "王秀兰",
              "visited_at": START + n, "outcome": "met", "reason": "care", "note": NOTE,
              "review_state": "approved", **more}  # fmt: skip
    return server.row("visit", named(n), rev, **values)


def named(n: int) -> str:
    return f"01900000-0000-7000-8000-0000000005{n:02x}"


def notes(phone: Phone) -> list[str]:
    return [row.note for row in phone.household(HOME).visits]


def test_an_old_visit_leaves_its_stub_and_every_sum_agrees(phone: Phone, server: FakeFeed) -> None:
    server.send(home(server), visit(server), server.checkpoint())
    last = phone.household(HOME).last_visit_at
    assert retention.tidy(phone._store, START + 89 * DAY_MS) == 0 and notes(phone) == [NOTE]
    assert retention.tidy(phone._store, LATER) == 1
    view = phone.household(HOME)
    assert (view.visits, view.older_visits, view.last_visit_at) == ((), 1, last)
    assert phone.new_visit(HOME).values["reason"] == "routine"
    with pytest.raises(UnknownRecord):
        phone.visit(named(1))
    assert scalar(phone, "SELECT instr(agreed, '~') FROM record WHERE id = ?", named(1)) == 0
    assert server.send(server.checkpoint()).mismatched == set()
    assert retention.tidy(phone._store, LATER) == 0
    assert scalar(phone, "SELECT count(*) FROM record WHERE kind = 'visit'") == 1


def test_a_visit_that_comes_again_is_whole_and_is_thinned_again(
    phone: Phone, server: FakeFeed
) -> None:
    """A snapshot, a repair or a change brings it; nothing asks for it because it is thin."""
    server.send(home(server), visit(server), server.checkpoint())
    retention.tidy(phone._store, LATER)
    again = server.send(
        {"t": "reset", "p": server.checkpoint()["p"]},
        home(server),
        visit(server),
        server.checkpoint(),
    )
    assert again.mismatched == set() and notes(phone) == [NOTE]
    assert retention.tidy(phone._store, LATER) == 1
    with phone._store.reading() as db:
        before = feed.positions(db)
    assert server.send(server.checkpoint()).mismatched == set()
    with phone._store.reading() as db:
        assert feed.positions(db) == before, "from where it was: not from zero"
    changed = visit(server, 2, review_state="returned", review_note="哪一户？")
    server.send(changed, server.checkpoint())
    assert notes(phone) == [NOTE] and retention.tidy(phone._store, LATER) == 0


def test_after_a_first_pull_they_leave_in_parts_the_oldest_first(
    phone: Phone, server: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST", 2)
    server.send(home(server), *(visit(server, n=n) for n in range(1, 6)), server.checkpoint())
    assert retention.thin(phone._store, LATER, 2) == 2
    left = {row.id for row in phone.household(HOME).visits}
    assert left == {named(n) for n in (3, 4, 5)}
    assert retention.tidy(phone._store, LATER) == 3
    assert server.send(server.checkpoint()).mismatched == set()


def test_an_older_apps_visit_leaves_too(phone: Phone, server: FakeFeed) -> None:
    """It was kept as it could be read."""
    server.send(home(server), visit(server, n=1), visit(server, n=2), server.checkpoint())
    plain = '{"target_id":"x","visited_at":1,"note":"%s","review_state":"%s"}'
    with phone._store.writing() as db:
        for n, state in ((1, "approved"), (2, "returned")):
            db.execute(
                "UPDATE record SET agreed = ? WHERE id = ?", (plain % (NOTE, state), named(n))
            )
    assert retention.tidy(phone._store, LATER) == 1
    kept = scalar(phone, "SELECT agreed FROM record WHERE id = ?", named(1))
    assert kept == '{"target_id":"x","visited_at":1}'


def test_what_somebody_still_needs_stays(phone: Phone, server: FakeFeed) -> None:
    """Returned, disputed, with an open problem, an open task or a photo that is not verified."""
    link = {"about_kind": "visit", "about_id": named(2), "state": "open"}
    server.send(
        home(server),
        visit(server, n=1, review_state="returned"),
        *(visit(server, n=n) for n in range(2, 8)),
        server.row("conflict", ids.new_id(), 1, **link, field="note"),
        server.row("task", ids.new_id(), 1, MINE, **link | {"about_id": named(3)}),
        server.row("problem", ids.new_id(), 1, visit_id=named(4), state="in_progress"),
        server.row("photo", ids.new_id(), 1, owner_id=named(5), sha256="a" * 64, state="stored"),
        server.row("problem", ids.new_id(), 1, visit_id=named(6), state="archived"),
        server.row("photo", ids.new_id(), 1, owner_id=named(7), sha256="b" * 64, state="verified"),
        server.checkpoint(),
        server.checkpoint(MINE),
    )
    assert retention.tidy(phone._store, LATER) == 2
    assert phone.household(HOME).older_visits == 2
    left = {row.id for row in phone.household(HOME).visits}
    assert left == {named(n) for n in range(1, 6)}


def test_what_was_not_sent_never_goes_whatever_its_date(phone: Phone, server: FakeFeed) -> None:
    server.send(home(server), server.checkpoint())
    values = {**phone.new_visit(HOME).values, "outcome": "met", "note": NOTE, "visited_at": 1}
    visit_id = phone.save_visit(VisitDraft(values))
    assert retention.thin(phone._store, 2**52) == 0 and notes(phone) == [NOTE]
    kept = server.row("visit", visit_id, 1, **{**values, "visited_at": 1})
    server.send(kept, answers=[server.answer(1, records=[[visit_id, 1]])], end=False)
    assert retention.thin(phone._store, 2**52) == 0, "answered, but no checkpoint holds it yet"
    server.send(server.checkpoint(), last_dseq=1)
    assert retention.tidy(phone._store, START + DAY_MS) == 0, "a phone's clock decides nothing"
    assert retention.tidy(phone._store, LATER) == 1


def test_a_restored_server_is_offered_no_stubs(phone: Phone, server: FakeFeed) -> None:
    server.send(home(server), visit(server), visit(server, n=2), server.checkpoint())
    with phone._store.writing() as db:
        assert retention._thin(db, named(1))
        for n in (1, 2):
            offer.keep(db, named(n), mark=7)
        assert [line["id"] for line in offer.batch(db)] == [named(2)]


def test_the_room_is_given_back_at_an_opening(
    phone: Phone, server: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "".join(chr(0x4E00 + n) for n in range(1500))
    server.send(*(visit(server, n=n, note=note) for n in range(1, 60)), server.checkpoint())
    phone.close()
    file = phone._store.folder / FILE
    before = file.stat().st_size
    again = Phone.open(phone._store.folder, clock=HandClock())
    assert retention.tidy(again._store, LATER) == 59 and not retention.compact(again._store)
    again.close()
    monkeypatch.setattr(retention, "WORTH_IT", 50)
    assert file.stat().st_size >= before
    once_more = Phone.open(phone._store.folder, clock=HandClock())
    assert file.stat().st_size < before / 2 and once_more.recovered is None
    assert scalar(once_more, "SELECT count(*) FROM record") == 59
    assert not retention.compact(once_more._store)
    once_more.close()


def test_the_setting_is_one_of_three_and_the_content_is_gone_from_the_file(
    phone: Phone, server: FakeFeed
) -> None:
    server.send(home(server), visit(server, target_name="王秀兰"), server.checkpoint())
    sealed = str(scalar(phone, "SELECT agreed FROM record WHERE id = ?", named(1)))
    phone.keep_setting(retention.SETTING, "30")
    assert retention.tidy(phone._store, START + 31 * DAY_MS) == 1
    phone.keep_setting(retention.SETTING, "1")
    with phone._store.reading() as db:
        assert retention.keep_days(db) == retention.DEFAULT
    phone._store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert sealed[10:60].encode() not in on_disk(phone._store.folder)
