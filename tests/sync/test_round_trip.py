"""A phone and the server, end to end: what was saved arrives, and the phone shows the truth."""

from __future__ import annotations

from mobile.sync.phone import DraftPhoto, HouseholdRow, Phone, ProblemDraft, VisitDraft
from server.core.access import Viewer
from server.core.redaction import Box
from server.operations import redact
from server.storage.database import db
from server.storage.models import Photo
from shared import ids
from tests.sync.conftest import Place, network, picture


def row(phone: Phone, place: Place, home: int = 0) -> HouseholdRow:
    return next(r for r in phone.households() if r.id == place.world.households[home])


def test_a_first_sync_brings_the_doors_in_stair_order(place: Place) -> None:
    phone = place.phone()
    assert [r.id for r in phone.households()] == place.world.households
    assert phone.me is not None and [g.name for g in phone.me.grids] == ["第一网格"]
    assert phone.compounds()[0].unmanaged
    assert {c.code for c in phone.categories()} == {"leak", "lamp"}


def test_a_visit_is_shown_before_it_is_sent_and_applied_after(place: Place) -> None:
    phone = place.phone()
    home = place.world.households[0]
    network(phone).down = True
    visit_id = phone.save_visit(VisitDraft({**phone.new_visit(home).values, "outcome": "met"}))
    report = phone.sync()
    assert [t.code for t in report.troubles] == ["offline"]
    assert phone.visit(visit_id).row.place == "waiting", "it never left the phone"
    assert row(phone, place).pending
    network(phone).down = False
    assert phone.sync().complete
    assert phone.visit(visit_id).row.place == "applied"
    assert [i.place for i in phone.status().items] == ["applied"]
    assert not row(phone, place).pending
    assert phone.household(home).due == "ok"


def test_a_lost_answer_does_nothing_twice(place: Place) -> None:
    phone = place.phone()
    network(phone).lose, network(phone).lose_path = 1, "/push"
    phone.no_change(place.world.households[1])
    assert not phone.sync().complete
    assert [i.place for i in phone.status().items] == ["sent"]
    assert phone.sync().complete
    other = place.phone("two")
    assert len(other.household(place.world.households[1]).visits) == 1
    assert [i.place for i in phone.status().items] == ["applied"]


def test_a_photo_is_verified_with_its_visit(place: Place) -> None:
    phone = place.phone()
    photo = phone.prepare_photo(picture())
    values = {**phone.new_visit(place.world.households[0]).values, "outcome": "met"}
    visit_id = phone.save_visit(VisitDraft(values, (DraftPhoto(photo),)))
    report = phone.sync()
    assert report.complete and report.photos == 1
    assert [p.state for p in phone.visit(visit_id).photos] == ["verified"]
    status = phone.status()
    assert (status.photos, status.photos_verified, status.photos_waiting) == (1, 1, ())
    seen_by_other = place.phone("two").visit(visit_id).photos
    assert [p.state for p in seen_by_other] == ["verified"]
    assert photo.path.exists(), "the original stays for seven days"


def test_a_phone_follows_a_redaction_and_sends_nothing_again(place: Place) -> None:
    phone = place.phone()
    photo = phone.prepare_photo(picture())
    values = {**phone.new_visit(place.world.households[0]).values, "outcome": "met"}
    visit_id = phone.save_visit(VisitDraft(values, (DraftPhoto(photo),)))
    assert phone.sync().photos == 1
    old = phone.visit(visit_id).photos[0].id
    with place.app.app_context():
        viewer = Viewer(place.world.users["supervisor"], "supervisor", "410103007")
        rev = db.session.get(Photo, old).rev
        new = redact.redact(viewer, old, rev, [Box(5, 5, 90, 90)], ids.new_id())
    report = phone.sync()
    assert report.complete and report.photos == 0
    assert [(p.id, p.state, p.path) for p in phone.visit(visit_id).photos] == [
        (new, "verified", None)
    ]
    assert (phone.status().photos, phone.status().photos_verified) == (1, 1)
    assert photo.path.exists(), "the original is deleted with the others, not before"


def test_a_problem_and_its_history_come_back(place: Place) -> None:
    phone = place.phone()
    problem_id = phone.report_problem(
        ProblemDraft({"category": "leak", "description": "漏水", "place": "1号楼"})
    )
    shown = phone.problem(problem_id)
    assert shown.row.state == "reported" and [p.pending for p in shown.progress] == [True]
    phone.act(problem_id, "progress", {"reason": "已联系物业"})
    assert phone.sync().complete
    shown = phone.problem(problem_id)
    assert [(p.action, p.pending) for p in shown.progress] == [
        ("report", False), ("progress", False),
    ]  # fmt: skip


def test_two_phones_that_change_one_field_open_a_conflict_both_are_told(place: Place) -> None:
    one, two = place.phone("one"), place.phone("two")
    home = place.world.households[0]
    one.edit("household", home, {"contact_phone": "13911112222"})
    two.edit("household", home, {"contact_phone": "13933334444"})
    assert one.sync().complete
    assert two.sync().complete
    assert row(two, place).place == "conflict"
    assert [i.place for i in two.status().items] == ["conflict"]
    conflict = two.conflicts()[0]
    assert (conflict.accepted, conflict.proposed) == ("13911112222", "13933334444")
    one.sync()
    assert one.conflicts()[0].mine
    assert two.household(home).values["contact_phone"] == "13911112222"


def test_edits_of_other_fields_merge(place: Place) -> None:
    one, two = place.phone("one"), place.phone("two")
    home = place.world.households[0]
    one.edit("household", home, {"note": "门铃坏了"})
    two.edit("household", home, {"care_groups": ["elder_alone", "disabled"]})
    for phone in (one, two, one):
        assert phone.sync().complete
    for phone in (one, two):
        values = phone.household(home).values
        assert (values["note"], values["care_groups"]) == ("门铃坏了", ["disabled", "elder_alone"])
    assert not one.conflicts() and not two.conflicts()


def test_a_server_that_is_not_there_leaves_the_work_waiting(place: Place) -> None:
    phone = place.phone()
    with phone._store.writing() as store:
        store.execute("UPDATE meta SET value = 'http://127.0.0.1:1' WHERE name = 'server'")
    phone.no_change(place.world.households[0])
    report = phone.sync()
    assert {t.code for t in report.troubles} == {"offline"}
    assert report.retry_in_ms is not None
    assert [i.place for i in phone.status().items] == ["waiting"]


def test_a_clock_that_is_far_off_warns_and_decides_nothing(place: Place) -> None:
    """A year ahead or behind, the order of edits is the server's."""
    one, two = place.phone("one"), place.phone("two")
    one._clock.now += 365 * 86_400_000  # type: ignore[attr-defined]
    two._clock.now -= 365 * 86_400_000  # type: ignore[attr-defined]
    home = place.world.households[0]
    one.edit("household", home, {"residents_count": 1})
    assert one.sync().complete
    two.sync()
    two.edit("household", home, {"residents_count": 2})
    assert two.sync().complete and one.sync().complete
    assert one.household(home).values["residents_count"] == 2
    assert one.status().clock_wrong and two.status().clock_wrong
