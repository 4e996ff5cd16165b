"""Bad lines, lost answers, restored servers, clones: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from mobile.sync import client as wire
from mobile.sync import pull as pulling
from mobile.sync.phone import DraftPhoto, Phone, ProblemDraft, VisitDraft
from server.storage.database import db, write
from server.storage.models import Visit
from server.storage.tables import Device
from shared import protocol
from tests.sync.conftest import Place, network, picture


def save(phone: Phone, place: Place, note: str = "看望", home: int = 0, *photos: Any) -> str:
    values = {**phone.new_visit(place.world.households[home]).values, "outcome": "met"}
    return phone.save_visit(VisitDraft({**values, "note": note}, photos))


def visits_on_server(place: Place) -> int:
    with place.app.app_context():
        return db.session.scalar(select(func.count()).select_from(Visit)) or 0


def rows(phone: Phone) -> dict[str, Any]:
    """Everything the phone shows, to be compared with another phone's."""
    with phone._store.reading() as store:
        found = store.execute(
            "SELECT id, partition_id, rev, unseal(coalesce(shown, agreed)) AS doc FROM record"
            " WHERE visible = 1"
        ).fetchall()
    return {row["id"]: (row["partition_id"], row["rev"], json.loads(row["doc"])) for row in found}


def test_a_download_that_breaks_off_goes_on_where_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cursor never runs ahead of the rows, nor starts from zero."""
    whole = place.phone("whole")
    monkeypatch.setattr(pulling, "BATCH", 2)
    phone = place.open("broken")
    phone.enrol_by_code(place.url, place.code(), "broken")
    real, seen = wire._lines, []

    def cut(response: requests.Response) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(real(response)):
            if number == 4:
                raise wire.RequestFailed("offline", "cut")
            seen.append(line.get("t"))
            yield line

    monkeypatch.setattr(wire, "_lines", cut)
    for _ in range(40):
        report = phone.sync()
        if report.complete:
            break
        assert {t.code for t in report.troubles} == {"offline"}
    assert report.complete
    assert "reset" not in seen
    assert rows(phone) == rows(whole)
    with phone._store.reading() as store:
        assert store.execute("SELECT count(*) FROM cursor WHERE mark != 0").fetchone()[0] == 0


def test_a_stream_without_its_end_is_not_complete(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = place.phone()
    real = wire._lines

    def headless(response: requests.Response) -> Iterator[dict[str, Any]]:
        yield from (line for line in real(response) if line.get("t") != "end")

    monkeypatch.setattr(wire, "_lines", headless)
    assert [t.code for t in phone.sync().troubles] == ["incomplete"]


def test_a_changed_row_on_the_phone_is_found_and_repaired(place: Place) -> None:
    """Sums are compared with the phone's own rows."""
    phone = place.phone()
    whole = rows(phone)
    lost = place.world.households[2]
    with phone._store.writing() as store:
        store.execute("DELETE FROM record WHERE id = ?", (lost,))
    report = phone.sync()
    assert rows(phone) == whole
    assert report.complete
    assert phone.status().repairs == 1


def test_a_cloned_phone_gets_another_identity_and_loses_nothing(place: Place) -> None:
    """A copied store must not number its transactions as the first does."""
    phone = place.phone("one")
    phone.close()
    shutil.copytree(place.folder / "one", place.folder / "clone")
    one, clone = place.open("one"), place.open("clone")
    save(one, place, "第一部")
    save(clone, place, "第二部")
    save(clone, place, "第二部又一条")
    assert one.sync().complete
    assert clone.sync().complete
    assert one.sync().complete
    assert visits_on_server(place) == 3
    assert {v.note for v in one.visits()} == {"第一部", "第二部", "第二部又一条"}
    assert rows(one) == rows(clone)
    with place.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Device)) >= 5


def test_a_clone_that_only_pulls_notices_too(place: Place) -> None:
    phone = place.phone("one")
    save(phone, place, "之前")
    phone.sync()
    phone.close()
    shutil.copytree(place.folder / "one", place.folder / "clone")
    one, clone = place.open("one"), place.open("clone")
    save(one, place, "之后")
    assert one.sync().complete
    assert clone.sync().complete
    with one._store.reading() as a, clone._store.reading() as b:
        device = "SELECT value FROM meta WHERE name = 'device_id'"
        assert a.execute(device).fetchone()[0] != b.execute(device).fetchone()[0]
    assert rows(one) == rows(clone)


def test_an_unreadable_entry_does_not_jam_the_queue(place: Place) -> None:
    """It is told as a gap, what follows it goes on."""
    phone = place.phone()
    first = save(phone, place, "坏掉的一条")
    save(phone, place, "好的一条", 1)
    with phone._store.writing() as store:
        store.execute(
            "UPDATE journal SET text = 'x' || text WHERE unseal(text) LIKE ?", (f"%{first}%",)
        )
    phone.sync()
    assert visits_on_server(place) == 1
    places = {item.about_id: (item.place, item.code) for item in phone.status().items}
    assert places[first] == ("returned", "gap")
    assert phone.visit(first).row.note == "坏掉的一条", "its content is still shown"
    save(phone, place, "之后的一条", 2)
    assert phone.sync().complete


def test_too_large_a_push_is_halved(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = place.phone()
    for number in range(9):
        save(phone, place, f"第{number}条", number % 4)
    sizes = []
    real = wire.Client.push

    def narrow(self: wire.Client, header: Any, lines: Any) -> dict[str, Any]:
        sizes.append(len(lines))
        if len(lines) > 3:
            raise wire.RequestFailed("too_large", "", 413)
        return real(self, header, lines)

    monkeypatch.setattr(wire.Client, "push", narrow)
    assert phone.sync().complete
    assert sizes == [9, 4, 2, 2, 2, 2, 1]
    assert visits_on_server(place) == 9


def test_a_rejected_action_stays_shown_until_its_task_is_closed(place: Place) -> None:
    """Rejected later, and told."""
    one, two = place.phone("one"), place.phone("two")
    problem = one.report_problem(
        ProblemDraft({"category": "leak", "description": "漏水", "place": "1号楼"})
    )
    one.sync()
    two.sync()
    with place.app.app_context():
        from server.operations.transact import submit
        from shared.operations import Operation

        submit(
            place.world.users["supervisor"],
            [
                Operation(
                    "act", "problem", problem, place.world.partition, action="register",
                    expect={"state": "reported", "step": 0},
                )
            ],
        )  # fmt: skip
    two.act(problem, "progress", {"reason": "来晚了"})
    assert two.sync().complete
    item = two.status().items[0]
    assert (item.place, item.code) == ("returned", "late_action")
    assert item.reason_zh
    assert two.problem(problem).row.place == "returned"
    assert any(
        p.reason == "来晚了" and p.place == "returned" for p in two.problem(problem).progress
    )
    task = two.tasks()[0]
    assert task.type == "late_action"
    two.finish_task(task.id)
    assert two.tasks() == []
    assert two.sync().complete
    assert {i.place for i in two.status().items} == {"settled", "applied"}
    assert two.problem(problem).row.place == "applied"


def test_a_photo_goes_on_from_the_servers_offset(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that breaks off does not start from zero."""
    monkeypatch.setattr(protocol, "PHOTO_CHUNK", 40_000)
    phone = place.phone()
    photo = phone.prepare_photo(picture())
    assert photo.size > 120_000
    visit_id = save(phone, place, "有照片", 0, DraftPhoto(photo))
    net = network(phone)
    net.lose, net.lose_path = 1, "/photos/"
    for _ in range(20):
        net.lose = 1
        if phone.sync().complete:
            break
        phone.close()
        phone = place.open("one")  # killed at every broken piece
        net = network(phone)
        net.lose_path = "/photos/"
    net.lose = 0
    assert phone.sync().complete
    assert [p.state for p in phone.visit(visit_id).photos] == ["verified"]


def test_the_same_photo_of_two_records_is_sent_once(place: Place) -> None:
    phone = place.phone()
    photo = phone.prepare_photo(picture())
    save(phone, place, "一", 0, DraftPhoto(photo))
    assert phone.sync().complete
    network(phone).seen.clear()
    second = save(phone, place, "二", 1, DraftPhoto(photo))
    assert phone.sync().complete
    assert not [path for _, path in network(phone).seen if "/photos" in path]
    assert [p.state for p in phone.visit(second).photos] == ["verified"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_restored_server_gets_back_what_it_lost(place: Place) -> None:
    """Transactions, photos and rows come back from the phone."""
    phone, other = place.phone("one"), place.phone("two")
    save(phone, place, "备份之前")
    assert phone.sync().complete
    file = place.app.config["GRIDLEDGER"].data / "gridledger.sqlite3"
    with place.app.app_context():
        db.session.remove()
        db.engine.dispose()
    backup = file.with_suffix(".backup")
    shutil.copy(file, backup)
    lost = save(phone, place, "备份之后", 1, DraftPhoto(phone.prepare_photo(picture())))
    phone.edit("household", place.world.households[3], {"note": "备份之后改的"})
    assert phone.sync().complete
    assert other.sync().complete
    assert visits_on_server(place) == 2
    with place.app.app_context():
        db.session.remove()
        db.engine.dispose()
    for path in file.parent.glob("gridledger.sqlite3*"):
        if path != backup:
            path.unlink()
    shutil.copy(backup, file)
    for photo in (file.parent / "photos").rglob("*"):
        if photo.is_file():
            photo.unlink()
    with place.app.app_context():
        new_epoch()
    save(phone, place, "恢复之后", 2)
    for _ in range(2):
        phone.sync()
        other.sync()
    assert phone.sync().complete
    assert visits_on_server(place) == 3
    assert rows(phone) == rows(other)
    assert other.household(place.world.households[3]).values["note"] == "备份之后改的"
    assert [p.state for p in other.visit(lost).photos] == ["verified"]


def new_epoch() -> None:
    """What `gridledger` does after a backup was restored."""
    from server.storage import settings

    with write() as session:
        from server.storage.tables import Setting

        session.get(Setting, settings.EPOCH).value = "restored"


def test_work_of_a_lost_grid_arrives_and_its_records_leave_the_phone(place: Place) -> None:
    """Access is taken away while the phone is offline with work on it."""
    from server.operations.accounts import assign, unassign
    from tests.builders import GRID, OTHER_GRID

    phone = place.phone()
    network(phone).down = True
    save(phone, place, "交接之前")
    with place.app.app_context():
        unassign(place.world.users["worker"], GRID)
        assign(place.world.users["worker"], OTHER_GRID)
    network(phone).down = False
    phone.sync()
    assert phone.sync().complete
    assert visits_on_server(place) == 1
    assert phone.households() == []
    assert phone.me is not None and [g.code for g in phone.me.grids] == [OTHER_GRID]
    with phone._store.reading() as store:
        left = store.execute(
            "SELECT count(*) FROM record WHERE partition_id = ?", (place.world.partition,)
        ).fetchone()[0]
    assert left == 0


def test_a_revoked_phone_keeps_everything_and_says_so(place: Place) -> None:
    from server.operations.accounts import revoke_device

    phone = place.phone()
    save(phone, place, "还没发")
    with phone._store.reading() as store:
        device = store.execute("SELECT value FROM meta WHERE name = 'device_id'").fetchone()[0]
    with place.app.app_context():
        revoke_device(device)
    report = phone.sync()
    assert "token_revoked" in {t.code for t in report.troubles}
    assert [i.about_kind for i in phone.status().items] == ["visit"]
    assert phone.visits()[0].note == "还没发"


def test_a_hotels_sign_in_page_is_not_an_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = place.phone()
    save(phone, place)
    page = requests.Response()
    page.status_code, page._content = 200, b"<html>please sign in</html>"
    monkeypatch.setattr(type(phone._session), "request", lambda *_, **__: page)
    report = phone.sync()
    assert {t.code for t in report.troubles} == {"answer_invalid"}
    assert phone.status().waiting == 1


def test_enrolling_again_keeps_the_journal(place: Place) -> None:
    phone = place.phone()
    save(phone, place, "第一条")
    phone.sync()
    save(phone, place, "第二条")
    phone.enrol(f"gridledger://enrol?server={place.url}&code={place.code()}", "又一次")
    assert phone.sync().complete
    assert visits_on_server(place) == 2


def test_a_store_of_one_person_takes_no_other(place: Place) -> None:
    from mobile.sync.phone import EnrolFailed

    phone = place.phone()
    with pytest.raises(EnrolFailed) as caught:
        phone.enrol_by_code(place.url, place.code("other"), "x")
    assert caught.value.code == "other_user"
    with pytest.raises(EnrolFailed) as caught:
        phone.enrol_by_code(place.url, "WRNG-CODE", "x")
    assert caught.value.code == "code_invalid"
    assert phone.sync().complete


def test_saving_needs_no_network_and_no_lock_of_a_sync(place: Place) -> None:
    phone = place.phone()
    saved = []

    def meanwhile(method: str, path: str) -> None:
        if path == protocol.PULL:
            saved.append(save(phone, place, "同步中保存", 3))

    network(phone).before = meanwhile
    phone.sync()
    assert len(saved) == 1
    assert phone.visit(saved[0]).row.place == "waiting"
