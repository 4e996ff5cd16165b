"""Sign in and out."""

from __future__ import annotations

import pytest
from flask import Flask

from server.operations import accounts, sign_in
from server.storage.database import db
from server.storage.tables import AuditEntry, User
from server.web import session
from tests.builders import World
from tests.web.conftest import Visitor

WRONG = "用户名或密码不对"


def _try(visitor: Visitor, username: str, password: str) -> str:
    visitor.get("/sign-in")
    visitor.post("/sign-in", username=username, password=password)
    return visitor.page


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A clock that the test moves: clock[0] is added to the true time."""
    from server.operations import clock as module

    moved = [0]
    true = module.now_ms
    for place in (sign_in, session):
        monkeypatch.setattr(place, "now_ms", lambda: true() + moved[0])
    return moved


def test_the_right_password_opens_the_page_that_was_wanted(visitor: Visitor) -> None:
    answer = visitor.get("/ledger?state=all")
    assert answer.status_code == 302 and "/sign-in?next=" in answer.headers["Location"]
    visitor.get(answer.headers["Location"])
    wanted = visitor.post(
        answer.headers["Location"], follow=False, username="supervisor", password="Test-1234"
    )
    assert wanted.headers["Location"] == "/ledger?state=all"


def test_a_wrong_name_and_a_wrong_password_read_the_same(visitor: Visitor) -> None:
    one = _try(visitor, "nobody-here", "Test-1234")
    other = _try(visitor, "supervisor", "Test-12345")
    assert WRONG in one and WRONG in other
    assert one.count("notice-error") == other.count("notice-error") == 1


def test_five_wrong_tries_pause_the_account_for_ten_minutes(
    visitor: Visitor, clock: list[int]
) -> None:
    for _ in range(5):
        assert WRONG in _try(visitor, "supervisor", "wrong-1234")
    assert WRONG in _try(visitor, "supervisor", "Test-1234")  # right, but paused: not told
    clock[0] = 10 * 60 * 1000 + 1000
    visitor.sign_in("supervisor")


def test_a_success_starts_the_count_anew(visitor: Visitor) -> None:
    for _ in range(2):
        for _ in range(4):
            _try(visitor, "supervisor", "wrong-1234")
        visitor.sign_in("supervisor")
        visitor.post("/sign-out")


def test_ten_idle_minutes_sign_out(visitor: Visitor, clock: list[int]) -> None:
    visitor.sign_in("supervisor")
    clock[0] = 9 * 60 * 1000
    assert visitor.get("/visits").status_code == 200
    clock[0] += 9 * 60 * 1000
    assert visitor.get("/visits").status_code == 200
    clock[0] += 10 * 60 * 1000 + 1000
    answer = visitor.get("/visits")
    assert answer.status_code == 302 and "/sign-in" in answer.headers["Location"]
    visitor.get(answer.headers["Location"])
    assert "10 分钟没有操作" in visitor.page
    assert visitor.get("/visits").status_code == 302


def test_a_form_sent_too_late_leads_back_to_its_page(visitor: Visitor, clock: list[int]) -> None:
    visitor.sign_in("supervisor")
    clock[0] = 11 * 60 * 1000
    sent = visitor.client.post(
        "/ledger/views", headers={**visitor.headers, "Referer": "http://localhost/ledger?q=灯"},
        data={"csrf_token": visitor.token},
    )  # fmt: skip
    assert sent.headers["Location"].endswith("?next=/ledger?q%3D%E7%81%AF")
    visitor.sign_in("supervisor")
    again = visitor.get("/ledger/some-id/dispatch")
    assert (again.status_code, again.headers.get("Location")) == (302, "/ledger/some-id")
    assert visitor.get("/sign-out").status_code == 405


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)",
     "/\t/evil.example", "http:evil.example", "/ok\r\nX: 1"],
)  # fmt: skip
def test_sign_in_leads_nowhere_else(target: str) -> None:
    assert session.local_path(target) == ""


def test_sign_in_goes_home_when_told_to_leave(visitor: Visitor) -> None:
    visitor.get("/sign-in?next=//evil.example")
    answer = visitor.post(
        "/sign-in?next=//evil.example", follow=False, username="supervisor", password="Test-1234"
    )
    assert answer.headers["Location"] == "/"


def test_signing_out_needs_a_form(visitor: Visitor) -> None:
    visitor.sign_in("supervisor")
    assert visitor.get("/sign-out").status_code == 405
    assert visitor.get("/visits").status_code == 200
    visitor.get("/")
    visitor.post("/sign-out")
    assert visitor.get("/visits").status_code == 302


def test_a_session_from_before_is_not_kept(app: Flask, visitor: Visitor) -> None:
    visitor.get("/sign-in")
    with visitor.client.session_transaction() as before:
        before["planted"] = "by someone else"
        token = before["csrf_token"]
    visitor.sign_in("supervisor")
    with visitor.client.session_transaction() as after:
        assert "planted" not in after and after["csrf_token"] != token


def test_a_new_password_ends_every_session(app: Flask, world: World, visitor: Visitor) -> None:
    visitor.sign_in("supervisor")
    with app.app_context():
        accounts.set_password(world.users["supervisor"], "Other-5678", by=world.users["admin"])
    assert visitor.get("/visits").status_code == 302


def test_a_closed_account_is_out_at_once(app: Flask, world: World, visitor: Visitor) -> None:
    visitor.sign_in("supervisor")
    with app.app_context():
        user = db.session.get(User, world.users["supervisor"])
        assert user is not None
        user.active = False
        db.session.commit()
    assert visitor.get("/visits").status_code == 302
    assert WRONG in _try(visitor, "supervisor", "Test-1234")


def test_every_try_stands_in_the_audit_log(app: Flask, world: World, visitor: Visitor) -> None:
    _try(visitor, "nobody-here", "Test-1234")
    _try(visitor, "supervisor", "wrong-1234")
    visitor.sign_in("supervisor")
    visitor.post("/sign-out")
    with app.app_context():
        rows = db.session.execute(
            db.select(AuditEntry.action, AuditEntry.actor).order_by(AuditEntry.at)
        ).all()
    me = world.users["supervisor"]
    assert [tuple(row) for row in rows][-4:] == [
        ("sign_in_failed", None), ("sign_in_failed", me), ("sign_in", me), ("sign_out", me),
    ]  # fmt: skip


def test_too_many_tries_from_one_address_wait(visitor: Visitor) -> None:
    visitor.get("/sign-in")
    codes = [
        visitor.post("/sign-in", username=f"guess{n}", password="x1234567").status_code
        for n in range(31)
    ]
    assert codes[0] == 422 and codes[-1] == 429


def test_a_part_of_a_page_sends_the_whole_page_to_the_door(visitor: Visitor) -> None:
    answer = visitor.get("/visits", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/sign-in")


def test_passwords_are_kept_as_argon2id_of_full_cost() -> None:
    from argon2 import PasswordHasher, extract_parameters

    cost = extract_parameters(PasswordHasher().hash("Test-1234"))
    assert (cost.type.name, cost.time_cost, cost.memory_cost) == ("ID", 3, 65536)


def test_one_changes_ones_own_password(app: Flask, visitor: Visitor) -> None:
    visitor.sign_in("worker")
    elsewhere = Visitor(app).sign_in("worker")
    visitor.get("/password")
    wrong = visitor.post("/password", current="x", new="Other-5678", again="Other-5678")
    assert wrong.status_code == 422 and "现在的密码不对" in wrong.text
    weak = visitor.post("/password", current="Test-1234", new="other", again="other")
    assert weak.status_code == 422 and "密码至少 8 位" in weak.text
    differ = visitor.post("/password", current="Test-1234", new="Other-5678", again="Other-56789")
    assert differ.status_code == 422 and "两遍写得不一样" in differ.text
    done = visitor.post("/password", current="Test-1234", new="Other-5678", again="Other-5678")
    assert done.status_code == 200 and "密码已改" in done.text
    assert visitor.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    Visitor(app).sign_in("worker", "Other-5678")


def test_the_browsers_language_holds_until_one_is_chosen(app: Flask) -> None:
    visitor = Visitor(app, language="en-GB,en;q=0.9")
    visitor.sign_in("supervisor")
    assert "Problem ledger" in visitor.page
