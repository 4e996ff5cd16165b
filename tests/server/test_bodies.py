"""A body's telephone number: set by an admin, heard of by the phones, called in an emergency."""

from __future__ import annotations

import pytest
from flask import Flask

from server.errors import Trouble
from server.operations import bodies, categories
from server.storage.database import db
from server.storage.tables import AuditEntry
from shared.categories import number_to_call
from tests.builders import World, pull

URGENT = {"limits": {"handle": [2, "urgent_hour"]}}


def test_a_body_is_given_its_number_and_phones_call_it(app: Flask, world: World) -> None:
    with app.app_context():
        categories.load_shipped()
        assert [bodies.set_phone("fire", " 0371-96501 ") for _ in range(2)] == [True, False]
        assert ("fire", "0371-96501") in [(code, phone) for code, _, phone in bodies.listed()]
        assert (
            db.session.query(AuditEntry).filter_by(action="body_edit", target="fire").count() == 1
        )
        with pytest.raises(Trouble, match="不是电话号码"):
            bodies.set_phone("fire", "ring me")
        with pytest.raises(Trouble, match="没有责任单位"):
            bodies.set_phone("nobody", "119")
    rows = pull(app.test_client(), world.tokens["worker"])
    fire = next(x["v"] for x in rows if x["t"] == "row" and x["v"].get("code") == "fire")
    assert number_to_call(URGENT, fire["data"]) == "0371-96501"
    with app.app_context():
        assert (
            bodies.set_phone("fire", "")
            and not dict((code, phone) for code, _, phone in bodies.listed())["fire"]
        )
