"""The main job, end to end: phones offline, a supervisor in the web pages, everybody told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mobile.sync.phone import DraftPhoto, Phone, VisitDraft
from server.storage.database import db
from server.storage.tables import Assignment
from shared import ids
from tests.builders import GRID, PASSWORD
from tests.sync.conftest import Place, network, picture


def supervisor(place: Place) -> Any:
    """A browser session of the supervisor, signed in as a person signs in."""
    client = place.app.test_client()
    token = csrf(client.get("/sign-in").text)
    form = {"username": "supervisor", "password": PASSWORD, "csrf_token": token}
    answer = client.post("/sign-in", data=form)
    assert answer.status_code == 302, answer.text
    return client


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found.group(1)


def visited(phone: Phone, place: Place) -> str:
    values = {**phone.new_visit(place.world.households[0]).values, "outcome": "met", "note": "甲"}
    return phone.save_visit(VisitDraft(values))


def test_one_visit_edited_by_two_phones_is_decided_once_and_shown_by_both(place: Place) -> None:
    one, two = place.phone("one"), place.phone("two")
    visit_id = visited(one, place)
    assert one.sync().complete and two.sync().complete
    for phone, note in ((one, "一号手机写的"), (two, "二号手机写的")):
        network(phone).down = True
        phone.edit("visit", visit_id, {"note": note})
    for phone in (one, two):
        network(phone).down = False
        assert phone.sync().complete
    browser = supervisor(place)
    found = re.search(r'href="(/conflicts/[0-9a-f-]{36})', browser.get("/conflicts").text)
    assert found
    page = browser.get(found.group(1)).text
    words = re.sub(r"<[^>]+>", "", page)  # the parts that differ are marked
    assert "一号手机写的" in words and "二号手机写的" in words
    names = re.findall(r'<input[^>]*name="([a-z_]+)"[^>]*value="([^"]*)"', page)
    form = {name: value for name, value in names if name not in ("choice", "value")}
    answer = browser.post(found.group(1), data={**form, "choice": "proposed"})
    assert answer.status_code == 302, answer.text
    for phone in (one, two):
        assert phone.sync().complete
        assert phone.visit(visit_id).values["note"] == "二号手机写的"
        assert [(c.state, c.verdict) for c in phone.conflicts()] == [("decided", "二号手机写的")]
        assert [t.type for t in phone.tasks()] == ["conflict_verdict"]


def send_back(place: Place, visit_id: str, reason: str) -> None:
    browser = supervisor(place)
    page = browser.get(f"/visits/{visit_id}").text
    names = re.findall(r'<input[^>]*name="([a-z_]+)"[^>]*value="([^"]*)"', page)
    form = {**dict(names), "action": "return", "reason": reason}
    answer = browser.post(f"/visits/{visit_id}", data=form)
    assert answer.status_code == 302, answer.text


@pytest.mark.parametrize("how", ["words", "photo"])
def test_a_returned_visit_is_corrected_and_reviewed_again(place: Place, how: str) -> None:
    phone = place.phone()
    visit_id = visited(phone, place)
    assert phone.sync().complete
    send_back(place, visit_id, "请补上诉求")
    assert phone.sync().complete
    shown = phone.visit(visit_id)
    assert shown.values["review_state"] == "returned"
    (task,) = phone.tasks()
    assert (task.type, task.reason) == ("returned_visit", "请补上诉求")
    if how == "words":
        phone.edit("visit", visit_id, {"appeal": "想装扶手"})
        phone.finish_task(task.id)
    else:
        taken = DraftPhoto(phone.prepare_photo(picture(side=300)))
        assert phone.edit("visit", visit_id, {}, (taken,))
    assert phone.sync().complete
    assert phone.visit(visit_id).values["review_state"] == "pending"
    assert phone.tasks() == []


def test_a_worker_adds_no_photo_to_the_visit_of_another(place: Place) -> None:
    with place.app.app_context():
        user = place.world.users["other"]
        db.session.add(
            Assignment(id=ids.new_id(), user_id=user, grid_code=GRID, from_at=0, from_rev=1)
        )
        db.session.commit()
    author, other = place.phone("one"), place.phone("two", "other")
    visit_id = visited(author, place)
    assert author.sync().complete and other.sync().complete
    taken = DraftPhoto(other.prepare_photo(picture(side=300)))
    assert other.edit("visit", visit_id, {}, (taken,))
    other.sync()
    (item,) = [one for one in other.status().items if one.about_id == visit_id]
    assert item.place in ("held", "returned") and item.code == "forbidden", item
    assert author.sync().complete and author.visit(visit_id).photos == ()
