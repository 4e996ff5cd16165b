"""What a pull does to the phone's records: rows, tombstones, moves, snapshots, coverage."""

from __future__ import annotations

import pytest

from mobile.core.errors import UnknownRecord
from mobile.sync.phone import HouseholdDraft, Phone
from shared import ids
from tests.mobile.conftest import DEVICE, MINE, PARTITION, USER, FakeFeed

NEXT = "grid:410103007901002"
HOME = "01900000-0000-7000-8000-000000000001"


def home(server: FakeFeed, rev: int = 1, **more: object) -> dict[str, object]:
    values = {"building": "1", "unit": "1", "door": "101", "note": "旧", **more}
    return server.row("household", HOME, rev, **values)


def held(phone: Phone) -> list[str]:
    return [row.id for row in phone.households()]


def note(phone: Phone) -> str:
    return str(phone.household(HOME).values["note"])


def scalar(phone: Phone, sql: str, *more: object) -> object:
    with phone._store.reading() as db:
        return db.execute(sql, more).fetchone()[0]


def test_rows_are_kept_as_received_unknown_fields_included(phone: Phone, server: FakeFeed) -> None:
    server.send(home(server, of_the_future={"a": 1}), server.checkpoint())
    assert phone.household(HOME).values["of_the_future"] == {"a": 1}
    phone.edit("household", HOME, {"note": "新"})
    assert phone.household(HOME).values["of_the_future"] == {"a": 1}


def test_ones_own_write_never_flickers_back(phone: Phone, server: FakeFeed) -> None:
    """Through every step of push and pull the edit stays shown."""
    server.send(home(server), server.checkpoint())
    phone.edit("household", HOME, {"note": "新"})
    assert note(phone) == "新"
    answers = [server.answer(1, records=[[HOME, 2]])]
    server.send(answers=answers, end=False)  # answered; this snapshot does not hold it yet
    assert note(phone) == "新"
    server.send(home(server, 2, note="新"), last_dseq=1, end=False)  # broke off before its end
    assert note(phone) == "新" and scalar(phone, "SELECT count(*) FROM pending") == 1
    server.send(server.checkpoint(), last_dseq=1)
    assert note(phone) == "新" and scalar(phone, "SELECT count(*) FROM pending") == 0
    server.send(home(server, 3, note="别人后来改的"), server.checkpoint(), last_dseq=1)
    assert note(phone) == "别人后来改的"


def test_what_others_changed_meanwhile_is_shown_under_ones_own_edit(
    phone: Phone, server: FakeFeed
) -> None:
    server.send(home(server), server.checkpoint())
    phone.edit("household", HOME, {"note": "我的"})
    server.send(home(server, 2, note="别人的", contact_name="李四"), server.checkpoint())
    values = phone.household(HOME).values
    assert (values["note"], values["contact_name"]) == ("我的", "李四")


def test_a_value_decided_since_is_shown_as_soon_as_the_agreed_row_holds_the_edit(
    phone: Phone, server: FakeFeed
) -> None:
    server.send(home(server), server.checkpoint())
    phone.edit("household", HOME, {"note": "我的"})
    answers = [server.answer(1, records=[[HOME, 2]])]
    server.send(home(server, 3, note="之后的"), answers=answers, last_dseq=1, end=False)
    assert note(phone) == "之后的"


def test_a_transaction_waits_for_every_partition_it_touched(phone: Phone, server: FakeFeed) -> None:
    task = ids.new_id()
    server.send(
        server.row("task", task, 1, MINE, user_id=USER, type="recheck", state="open"),
        home(server), server.checkpoint(), server.checkpoint(MINE),
    )  # fmt: skip
    phone.finish_task(task)
    assert phone.tasks() == []
    answers = [server.answer(1, records=[[task, 2]])]
    server.send(server.checkpoint(), answers=answers, last_dseq=1, end=False)
    assert scalar(phone, "SELECT count(*) FROM pending") == 1
    done = server.row("task", task, 2, MINE, user_id=USER, type="recheck", state="done")
    server.send(done, server.checkpoint(MINE), last_dseq=1)
    assert scalar(phone, "SELECT count(*) FROM pending") == 0
    assert phone.tasks() == []


def test_a_tombstone_takes_a_record_but_not_the_edit_that_waits(
    phone: Phone, server: FakeFeed
) -> None:
    """Someone else deleted what is edited here."""
    server.send(home(server), server.checkpoint())
    phone.edit("household", HOME, {"note": "新"})
    taken = server.send(server.gone(HOME, 2), server.checkpoint())
    assert taken.mismatched == set()
    assert note(phone) == "新"
    answers = [server.answer(1, "conflict", records=[[HOME, 3]])]
    server.send(home(server, 3, note="新"), server.checkpoint(), answers=answers, last_dseq=1)
    assert note(phone) == "新"
    server.send(server.gone(HOME, 4), server.checkpoint(), last_dseq=1)
    assert held(phone) == []


@pytest.mark.parametrize("arrives_first", [True, False])
def test_a_record_that_moves_between_two_of_ones_grids_stays(
    phone: Phone, server: FakeFeed, arrives_first: bool
) -> None:
    """Leaving one grid of the phone is not leaving the phone."""
    server.partitions = (PARTITION, NEXT, MINE)
    server.send(home(server), server.checkpoint())
    left = [server.left(HOME, 2, NEXT), server.checkpoint()]
    came = [server.row("household", HOME, 2, NEXT, note="旧"), server.checkpoint(NEXT)]
    lines = [*came, *left] if arrives_first else [*left, *came]
    taken = server.send(*lines)
    assert held(phone) == [HOME] and taken.mismatched == set()
    assert scalar(phone, "SELECT partition_id FROM record WHERE id = ?", HOME) == NEXT


def test_a_record_that_moves_away_goes_once_nothing_waits_on_it(
    phone: Phone, server: FakeFeed
) -> None:
    """It has left every grid of the phone."""
    server.send(home(server), server.checkpoint())
    phone.edit("household", HOME, {"note": "新"})
    assert server.send(server.left(HOME, 2, NEXT), server.checkpoint()).mismatched == set()
    assert note(phone) == "新"
    answers = [server.answer(1, records=[[HOME, 3]])]
    server.send(answers=answers, last_dseq=1)
    assert held(phone) == []


def test_an_old_leave_row_does_not_take_a_record_that_came_back(
    phone: Phone, server: FakeFeed
) -> None:
    server.send(home(server, 3), server.checkpoint())
    server.send(server.left(HOME, 2, NEXT), end=False)
    assert held(phone) == [HOME]


def test_a_whole_snapshot_sweeps_what_it_does_not_name(phone: Phone, server: FakeFeed) -> None:
    """What waits is spared."""
    server.send(home(server), server.row("household", ids.new_id(), 1), server.checkpoint())
    mine = phone.add_household(HouseholdDraft({"door": "9", "address": "新的一户"}))
    server.rows[PARTITION] = {}
    server.seq[PARTITION] = 10
    lines = [{"t": "reset", "p": PARTITION}, home(server), server.checkpoint()]
    assert server.send(*lines).mismatched == set()
    assert set(held(phone)) == {HOME, mine}


def test_a_lost_partition_is_purged_sparing_what_waits(phone: Phone, server: FakeFeed) -> None:
    other = ids.new_id()
    server.send(home(server), server.row("household", other, 1), server.checkpoint())
    phone.edit("household", HOME, {"note": "新"})
    server.partitions = (MINE,)
    server.send()
    assert held(phone) == [HOME]
    with pytest.raises(UnknownRecord):
        phone.household(other)
    server.send(answers=[server.answer(1, "held", code="late_handover")], last_dseq=1)
    assert phone.households()[0].place == "held"
    assert note(phone) == "新"


def test_a_wrong_sum_is_counted_and_asked_for_from_zero(phone: Phone, server: FakeFeed) -> None:
    point = server.checkpoint() | {"count": 5}
    taken = server.send(home(server), point)
    assert taken.mismatched == {PARTITION}
    assert phone.status().repairs == 1
    assert scalar(phone, "SELECT seq FROM cursor WHERE partition_id = ?", PARTITION) == 0


def test_a_page_without_rows_moves_the_cursor(phone: Phone, server: FakeFeed) -> None:
    """Else the phone would ask for the same page for ever."""
    server.seq[PARTITION] = 40
    server.send(server.checkpoint())
    assert scalar(phone, "SELECT seq FROM cursor WHERE partition_id = ?", PARTITION) == 40


def test_a_partition_of_which_nothing_is_said_has_not_changed(
    phone: Phone, server: FakeFeed
) -> None:
    server.send(home(server), server.checkpoint())
    phone.edit("household", HOME, {"note": "新"})
    answers = [server.answer(1, "rejected", code="forbidden")]
    server.send(answers=answers, last_dseq=1)
    assert scalar(phone, "SELECT covered_at IS NOT NULL FROM journal") == 1
    assert phone.households()[0].place == "returned"


def test_a_new_epoch_sends_again_what_the_server_lacks(phone: Phone, server: FakeFeed) -> None:
    """The server was put back to an older backup."""
    server.send(home(server), server.checkpoint())
    for text in ("一", "二", "三"):
        phone.edit("household", HOME, {"note": text})
    answers = [server.answer(n, records=[[HOME, n + 1]]) for n in (1, 2, 3)]
    server.send(home(server, 4, note="三"), server.checkpoint(), answers=answers, last_dseq=3)
    assert phone.status().waiting == 0
    server.epoch = "epoch-2"
    server.seq, server.rows = {}, {}
    server.send(home(server, 2, note="一"), server.checkpoint(), last_dseq=1)
    assert phone.status().waiting == 2
    assert note(phone) == "三"
    assert scalar(phone, "SELECT rev FROM record WHERE id = ?", HOME) == 2
    numbers = "SELECT group_concat(dseq) FROM journal WHERE result IS NULL AND device_id = ?"
    assert scalar(phone, numbers, DEVICE) == "2,3"


def test_a_journal_that_does_not_reach_back_says_so(phone: Phone, server: FakeFeed) -> None:
    server.send(home(server), server.checkpoint())
    for text in ("一", "二", "三"):
        phone.edit("household", HOME, {"note": text})
    answers = [server.answer(n, records=[[HOME, n + 1]]) for n in (1, 2)]
    server.send(home(server, 3, note="二"), server.checkpoint(), answers=answers, last_dseq=2)
    with phone._store.writing() as db:
        db.execute("DELETE FROM journal WHERE dseq <= 2")
    server.epoch = "epoch-2"
    server.send(last_dseq=0, end=False)
    with phone._store.reading() as db:
        rows = db.execute("SELECT dseq, dseq_to, gap FROM journal ORDER BY dseq").fetchall()
    assert [tuple(row) for row in rows] == [(1, 2, "journal_expired"), (3, 3, None)]


def test_the_journal_keeps_thirty_days_by_the_servers_clock(phone: Phone, server: FakeFeed) -> None:
    """A phone a year ahead forgets nothing early."""
    server.send(home(server), server.checkpoint())
    phone.edit("household", HOME, {"note": "一"})
    phone.edit("household", HOME, {"note": "二"})
    phone._clock.now += 400 * 86_400_000  # type: ignore[attr-defined]
    answers = [server.answer(n, records=[[HOME, n + 1]]) for n in (1, 2)]
    server.send(home(server, 3, note="二"), server.checkpoint(), answers=answers, last_dseq=2)
    assert scalar(phone, "SELECT count(*) FROM journal") == 2
    later = server.header()["server_time"] + 31 * 86_400_000
    server.send(last_dseq=2, server_time=later)
    assert scalar(phone, "SELECT count(*) FROM journal") == 1, "the newest always stays"
