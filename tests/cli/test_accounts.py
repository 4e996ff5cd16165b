"""People: accounts, grids, enrolment codes, phones; each change stands in the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import accounts, enrol, person_record
from server.storage.database import db
from server.storage.models import Reference
from server.storage.tables import Assignment, AuditEntry, Device, Enrolment, User
from shared import ids
from tests.builders import COMMUNITY, GRID, OTHER_GRID, STREET, World


@pytest.fixture
def here(app: Flask, world: World) -> Iterator[World]:
    with app.app_context():
        yield world


def audited(action: str) -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def add(world: World, **changed: str | None) -> tuple[User, str | None]:
    values = {"username": "li", "name": "李强", "role": "grid_worker", "area_code": COMMUNITY}
    return accounts.add_user(**{**values, "by": world.users["admin"], **changed})  # type: ignore[arg-type]


def test_a_new_account_gets_a_password_that_is_told_once(here: World) -> None:
    user, password = add(here)
    assert password is not None and accounts.password_trouble(password) == ""
    assert user.password_hash is not None and user.password_hash.startswith("$argon2id$")
    assert PasswordHasher().verify(user.password_hash, password)
    (row,) = audited("user_add")
    assert (row.actor, row.target, row.area_code) == (here.users["admin"], user.id, COMMUNITY)
    assert password not in str(row.detail)


def test_a_given_password_is_kept_and_not_told(here: World) -> None:
    user, password = add(here, password="Abcd-1234")
    assert password is None
    assert PasswordHasher().verify(user.password_hash or "", "Abcd-1234")


def test_phones_learn_a_new_persons_name(here: World) -> None:
    user, _ = add(here)
    record = db.session.get(Reference, user.id)
    assert record is not None
    assert (record.type, record.code, record.name) == ("person", user.id, "李强")
    assert record.partition_id == f"area:{COMMUNITY}"
    rev = record.rev
    person_record.publish(user)
    assert db.session.get(Reference, user.id).rev == rev


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": "worker"}, "username"),
        ({"username": "a b"}, "username"),
        ({"name": " "}, "name"),
        ({"role": "boss"}, "role"),
        ({"role": "handler"}, "body"),
        ({"area_code": "410199"}, "area_code"),
        ({"password": "short1"}, "password"),
        ({"password": "onlyletters"}, "password"),
        ({"password": "1234567890"}, "password"),
    ],
)
def test_a_wrong_account_is_told_by_field(here: World, changed: dict[str, str], field: str) -> None:
    with pytest.raises(Trouble) as refused:
        add(here, **changed)
    assert refused.value.code == "invalid" and list(refused.value.errors) == [field]
    assert db.session.scalar(select(User).where(User.username == "li")) is None


@pytest.mark.parametrize("who", ["supervisor", "worker", "auditor", "handler"])
def test_only_an_admin_makes_accounts(here: World, who: str) -> None:
    with pytest.raises(Trouble) as refused:
        add(here, by=here.users[who])
    assert refused.value.code == "forbidden"


def test_an_admin_makes_accounts_within_their_areas_only(here: World) -> None:
    with pytest.raises(Trouble) as refused:
        add(here, area_code="410103")
    assert refused.value.code == "forbidden"


def test_a_new_password_unlocks_the_account(here: World) -> None:
    user = accounts.find_user("worker")
    user.failures, user.locked_until = 5, 2**50
    db.session.commit()
    password = accounts.set_password(user.id, by=here.users["admin"])
    db.session.expire_all()
    user = accounts.find_user("worker")
    assert (user.failures, user.locked_until) == (0, None)
    assert PasswordHasher().verify(user.password_hash or "", password or "")
    with pytest.raises(Trouble):
        accounts.set_password(user.id, "short")
    with pytest.raises(Trouble) as refused:
        accounts.set_password(here.users["admin"], "Abcd-1234", by=user.id)
    assert refused.value.code == "forbidden"
    accounts.set_password(user.id, "Abcd-1234", by=user.id)
    assert len(audited("password_set")) == 2


def test_each_change_of_grids_takes_a_number_of_the_persons_scope(here: World) -> None:
    worker = here.users["worker"]
    made = accounts.assign(worker, OTHER_GRID, by=here.users["admin"])
    assert (made.from_rev, made.to_rev, made.to_at) == (2, None, None)
    again = accounts.assign(worker, OTHER_GRID, by=here.users["admin"])
    assert again.id == made.id and accounts.find_user("worker").scope_rev == 2
    ended = accounts.unassign(worker, OTHER_GRID, by=here.users["admin"])
    assert (ended.id, ended.to_rev) == (made.id, 3)
    assert ended.to_at is not None and ended.to_at >= ended.from_at
    assert accounts.find_user("worker").scope_rev == 3
    later = accounts.assign(worker, OTHER_GRID, by=here.users["admin"])
    assert later.id != made.id and later.from_rev == 4
    query = select(Assignment).where(Assignment.user_id == worker, Assignment.to_at.is_(None))
    assert {a.grid_code for a in db.session.scalars(query)} == {GRID, OTHER_GRID}
    assert [r.area_code for r in audited("assign")] == [OTHER_GRID] * 2


@pytest.mark.parametrize(
    ("who", "grid", "code"),
    [
        ("handler", GRID, "invalid"),
        ("worker", COMMUNITY, "invalid"),
        ("worker", "410103007901009", "invalid"),
    ],
)
def test_only_grids_are_walked_and_only_by_those_who_walk(
    here: World, who: str, grid: str, code: str
) -> None:
    with pytest.raises(Trouble) as refused:
        accounts.assign(here.users[who], grid, by=here.users["admin"])
    assert refused.value.code == code
    with pytest.raises(Trouble) as refused:
        accounts.unassign(here.users["worker"], OTHER_GRID, by=here.users["admin"])
    assert refused.value.code == "not_found"


def test_an_enrolment_code_works_once_however_it_is_typed(here: World) -> None:
    code = accounts.make_enrolment_code(here.users["worker"], here.users["admin"], "http://x:1/")
    assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", code.text)
    assert code.link == f"gridledger://enrol?server=http%3A%2F%2Fx%3A1&code={code.text}"
    stored = db.session.scalars(select(Enrolment)).one()
    assert code.text not in stored.code_hash and code.text.replace("-", "") not in stored.code_hash
    assert stored.expires_at - stored.created_at == 600_000
    answer = enrol.enrol(code.text.lower().replace("-", " "), "手机")
    assert answer["token"]
    with pytest.raises(Trouble) as refused:
        enrol.enrol(code.text, "手机")
    assert refused.value.code == "code_invalid"


def test_a_revoked_phone_stays_listed(here: World) -> None:
    device = here.devices["worker"]
    accounts.revoke_device(device, by=here.users["admin"])
    first = db.session.get(Device, device).revoked_at
    accounts.revoke_device(device, by=here.users["admin"])
    assert db.session.get(Device, device).revoked_at == first is not None
    assert len(audited("device_revoke")) == 1
    listed = accounts.devices(Viewer("", "admin", ids.ROOT_AREA))
    assert {one.device.id for one in listed} == set(here.devices.values())
    with pytest.raises(Trouble) as refused:
        accounts.revoke_device(ids.new_id())
    assert refused.value.code == "not_found"


def test_phones_are_listed_for_the_viewers_areas_only(here: World) -> None:
    far = Viewer(here.users["far_supervisor"], "supervisor", "410103007902")
    assert accounts.devices(far) == []
    near = Viewer(here.users["admin"], "admin", STREET)
    assert len(accounts.devices(near)) == 3


def test_the_command_line_writes_in_the_name_of_the_widest_admin(here: World) -> None:
    assert accounts.operator(GRID) == here.users["admin"]
    assert accounts.operator("410104") == accounts.NOBODY
