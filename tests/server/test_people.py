"""Accounts that change or are disabled, and what that means for sessions, phones and names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import accounts, sign_in
from server.storage.database import db
from server.storage.models import Reference, Visit
from server.storage.tables import AuditEntry, Quarantined, User
from shared import protocol
from shared.operations import ACT, Operation
from shared.reconcile import Refused
from tests.builders import COMMUNITY, FAR_GRID, STREET, World, header, push, transaction, visit

FAR = "410103007902"


@pytest.fixture
def here(app: Flask, world: World) -> Iterator[World]:
    with app.app_context():
        yield world


def audited(action: str) -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def edit(world: World, who: str = "worker", **changed: Any) -> User:
    values = {"name": "李敏", "area_code": COMMUNITY, "by": world.users["admin"]}
    return accounts.edit_user(world.users[who], **(values | changed))


def test_an_edit_is_kept_audited_and_told_to_phones(here: World) -> None:
    before = db.session.get(User, here.users["worker"]).scope_rev
    user = edit(here, phone=" 13800000000 ")
    assert (user.name, user.phone, user.scope_rev) == ("李敏", "13800000000", before)
    record = db.session.get(Reference, user.id)
    assert (record.name, record.partition_id) == ("李敏", f"area:{COMMUNITY}")
    moved = edit(here, name="李小敏", area_code=FAR, phone="13800000000")
    assert moved.scope_rev == before + 1
    record = db.session.get(Reference, user.id, populate_existing=True)
    assert (record.name, record.partition_id, record.rev) == ("李小敏", f"area:{FAR}", 2)
    edit(here, name="李小敏", area_code=FAR, phone="13800000000")
    first, second = audited("user_edit")
    assert first.detail == {"fields": ["name", "phone"]}
    assert second.detail == {"fields": ["name", "area_code"], "from": COMMUNITY, "to": FAR}
    assert "13800000000" not in str(first.detail)


@pytest.mark.parametrize(
    ("who", "changed", "field"),
    [
        ("worker", {"name": " "}, "name"),
        ("worker", {"area_code": "410199"}, "area_code"),
        ("handler", {"area_code": STREET, "body": ""}, "body"),
    ],
)
def test_a_wrong_edit_is_told_by_field(
    here: World, who: str, changed: dict[str, str], field: str
) -> None:
    with pytest.raises(Trouble) as refused:
        edit(here, who, **changed)
    assert refused.value.code == "invalid" and set(refused.value.errors) == {field}
    assert audited("user_edit") == []


def test_nobody_is_edited_into_or_out_of_anothers_area(here: World) -> None:
    for changed in ({"area_code": "4101"}, {"by": here.users["supervisor"]}):
        with pytest.raises(Trouble) as refused:
            edit(here, **changed)
        assert refused.value.code == "forbidden"


def test_a_disabled_person_neither_signs_in_nor_gets_anything(app: Flask, here: World) -> None:
    worker, admin = here.users["worker"], here.users["admin"]
    accounts.set_password(worker, "Abcd-1234")
    accounts.set_active(worker, False, by=admin)
    accounts.set_active(worker, False, by=admin)
    (row,) = audited("user_disable")
    assert (row.actor, row.target, row.area_code) == (admin, worker, COMMUNITY)
    with pytest.raises(sign_in.SignInFailed):
        sign_in.authenticate("worker", "Abcd-1234", None)
    client = app.test_client()
    answer = push(
        client, here.tokens["worker"], (1, transaction(worker, visit(here, note="停用前写的")))
    ).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("held", "revoked")
    kept = db.session.scalars(select(Quarantined)).one()
    assert "停用前写的" in (kept.text or "")
    assert db.session.scalars(select(Visit)).all() == []
    asked = {
        "v": 1, "epoch": "", "scope_rev": 0, "partitions": {}, "clock": header()["clock"],
        "waiting": header()["waiting"],
    }  # fmt: skip
    refused = client.post(
        protocol.PULL, json=asked, headers={"Authorization": f"Bearer {here.tokens['worker']}"}
    )
    assert (refused.status_code, refused.json["code"]) == (401, "token_revoked")
    accounts.set_active(worker, True, by=admin)
    assert len(audited("user_enable")) == 1
    sign_in.authenticate("worker", "Abcd-1234", None)


def test_nobody_disables_themselves_or_beyond_their_area(here: World) -> None:
    admin = here.users["admin"]
    with pytest.raises(Trouble) as refused:
        accounts.set_active(admin, False, by=admin)
    assert refused.value.code == "invalid"
    with pytest.raises(Trouble) as refused:
        accounts.set_active(here.users["worker"], False, by=here.users["supervisor"])
    assert refused.value.code == "forbidden"


def test_phones_of_those_who_walk_a_grid_in_the_area_are_listed(here: World) -> None:
    far = Viewer(here.users["far_supervisor"], "supervisor", FAR)
    assert accounts.devices(far) == []
    accounts.assign(here.users["worker"], FAR_GRID, by=here.users["admin"])
    assert {one.owner.id for one in accounts.devices(far) if one.owner} == {here.users["worker"]}
    accounts.unassign(here.users["worker"], FAR_GRID, by=here.users["admin"])
    assert accounts.devices(far) == []


def test_passwords_are_hashed_before_the_database_is_locked(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = sign_in.hash_password
    inside: list[bool] = []

    def watched(password: str) -> str:
        inside.append(db.session().in_transaction())
        return true(password)

    monkeypatch.setattr(accounts, "hash_password", watched)
    db.session.rollback()
    accounts.add_user("li", "李强", "grid_worker", COMMUNITY, by=here.users["admin"])
    db.session.rollback()
    accounts.set_password(here.users["worker"], by=here.users["admin"])
    assert inside == [False, False]


def test_whoever_made_a_visit_does_not_review_it(here: World) -> None:
    from server.operations.transact import submit

    me = here.users["supervisor"]
    made = visit(here)
    submit(me, [made])
    approve = Operation(
        ACT, "visit", made.id, here.partition, rev=1, action="approve", expect={"rev": 1}, data={}
    )
    with pytest.raises(Refused) as refused:
        submit(me, [approve])
    assert refused.value.code == "same_person"
    assert db.session.get(Visit, made.id).review_state == "pending"
