"""The main job, end to end: phones offline, a supervisor in the web pages, everybody told."""

from __future__ import annotations

import re
from typing import Any

from mobile.sync.phone import Phone, VisitDraft
from tests.builders import PASSWORD
from tests.sync.conftest import Place, network


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


def test_a_returned_visit_comes_back_with_its_reason_and_is_reviewed_again(place: Place) -> None:
    phone = place.phone()
    visit_id = visited(phone, place)
    assert phone.sync().complete
    browser = supervisor(place)
    page = browser.get(f"/visits/{visit_id}").text
    names = re.findall(r'<input[^>]*name="([a-z_]+)"[^>]*value="([^"]*)"', page)
    answer = browser.post(
        f"/visits/{visit_id}", data={**dict(names), "action": "return", "reason": "请补上诉求"}
    )
    assert answer.status_code == 302, answer.text
    assert phone.sync().complete
    shown = phone.visit(visit_id)
    assert shown.values["review_state"] == "returned"
    (task,) = phone.tasks()
    assert (task.type, task.reason) == ("returned_visit", "请补上诉求")
    phone.edit("visit", visit_id, {"appeal": "想装扶手"})
    phone.finish_task(task.id)
    assert phone.sync().complete
    assert phone.visit(visit_id).values["review_state"] == "pending"
    assert phone.tasks() == []
