"""The quarantine's pages: corrected before release, waited for, decided."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.storage.database import db
from server.storage.models import Household, Visit
from server.storage.tables import AuditEntry, Quarantined
from server.web import corrections
from shared import ids
from shared.operations import Operation
from tests import builders
from tests.web.conftest import Visitor
from tests.web.scene import MISSING_HOME, Scene

NOTE = "老人说夜里暖气不热，室温只有14度。"


def _kept(app: Flask, code: str) -> Quarantined:
    with app.app_context():
        found = db.session.scalar(select(Quarantined).where(Quarantined.code == code))
        assert found is not None
        return found


def _form(entry: Quarantined, **changed: Any) -> dict[str, Any]:
    """What a browser sends of the form as it was shown, with some fields changed."""
    with_names = {"reason": "routine", "target_kind": "household", "note": NOTE}
    shown = {"outcome": "", "concern_tags": ["worry"], "visited_at": "2026-03-01T10:30"}
    return {
        "action": "correct",
        **{f"op0.{name}": value for name, value in (with_names | shown | changed).items()},
    }


def test_what_is_wrong_is_told_at_its_field(app: Flask, scene: Scene) -> None:
    entry = _kept(app, "invalid")
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get(f"/quarantine/{entry.id}").text
    assert "改正后放行" in page and "原来写的是“moved”" in page
    assert 'id="c-op0.outcome-error"' in page and 'id="c-op0.note-error"' not in page
    assert NOTE in page


def test_a_correction_takes_effect_and_is_logged(app: Flask, scene: Scene) -> None:
    entry = _kept(app, "invalid")
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get(f"/quarantine/{entry.id}")
    answer = visitor.post(f"/quarantine/{entry.id}", **_form(entry, outcome="met"))
    assert "已改正并放行" in answer.text
    with app.app_context():
        visit = db.session.scalar(select(Visit).where(Visit.note == NOTE))
        assert visit.outcome == "met" and visit.concern_tags == ["worry"]
        assert visit.visited_at == 1772332200000  # 2026-03-01 10:30 in Shanghai
        assert visit.created_by == scene.world.users["worker"]
        query = select(AuditEntry).where(AuditEntry.action == "quarantine.release")
        assert db.session.scalars(query).one().detail["corrected"] is True
    page = visitor.get(f"/quarantine/{entry.id}").text
    assert "王秀兰" in page and "这条已经生效" in page and "改正后放行" not in page
    listed = visitor.get("/quarantine?state=decided").text.partition('id="results"')[2]
    assert entry.id in listed and "王秀兰" in listed and "已放行" in listed


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({}, "outcome", "请填写这一项"),
        ({"outcome": "met", "visited_at": "soon"}, "visited_at", "请按 年-月-日 时:分 填写"),
        ({"outcome": "met", "visited_at": ""}, "visited_at", "请填写这一项"),
        ({"outcome": "met", "note": "长" * 4001}, "note", "最多 4000 个字"),
        ({"outcome": "flown"}, "outcome", "请从列表里选"),
        ({"outcome": "met", "target_kind": ""}, "target_kind", "请填写这一项"),
    ],
)
def test_a_wrong_correction_is_told_at_its_field_and_kept(
    app: Flask, scene: Scene, changed: dict[str, Any], field: str, words: str
) -> None:
    entry = _kept(app, "invalid")
    visitor = Visitor(app).sign_in("supervisor")
    answer = visitor.post(f"/quarantine/{entry.id}", **_form(entry, **changed))
    assert answer.status_code == 422 and "请改正标红的地方" in answer.text
    error = answer.text.partition(f'id="c-op0.{field}-error">')[2].partition("<")[0]
    assert words in error
    assert _kept(app, "invalid").state == "open"


def test_what_the_rules_refuse_is_told_and_stays(app: Flask, scene: Scene) -> None:
    entry = _kept(app, "parent_unknown")
    visitor = Visitor(app).sign_in("supervisor")
    form = _form(entry, outcome="met", note="新搬来一家三口，先记一次走访。")
    answer = visitor.post(f"/quarantine/{entry.id}", **form)
    assert answer.status_code == 422 and "还没有收到" in answer.text
    assert _kept(app, "parent_unknown").state == "open"


def test_what_is_held_says_what_it_waits_for(app: Flask, scene: Scene) -> None:
    entry = _kept(app, "parent_unknown")
    visitor = Visitor(app).sign_in("supervisor")
    assert "在等：住户" in visitor.get("/quarantine").text
    assert "它在等的住户还没有收到" in visitor.get(f"/quarantine/{entry.id}").text
    world, client = scene.world, app.test_client()
    home = builders.create("household", world.partition, MISSING_HOME, risk_level="terrible")
    builders.push(
        client, world.tokens["worker2"], (3, builders.transaction(world.users["worker"], home))
    )
    with app.app_context():
        query = select(Quarantined).where(Quarantined.device_id == world.devices["worker2"])
        maker = db.session.scalars(query).one()
    # A transaction that could not be read names nothing that others may wait for.
    page = visitor.get(f"/quarantine/{entry.id}").text
    assert "它在等的住户" in page
    answer = visitor.post(
        f"/quarantine/{maker.id}", **{"action": "correct", "op0.risk_level": "high"}
    )
    assert "已改正并放行" in answer.text
    with app.app_context():
        assert db.session.get(Household, MISSING_HOME).risk_level == "high"
    decided = visitor.get("/quarantine?state=released").text.partition('id="results"')[2]
    assert entry.id in decided and "自动" in decided


def test_an_entry_that_waits_for_a_held_one_leads_to_it(app: Flask, scene: Scene) -> None:
    world, client = scene.world, app.test_client()
    home = builders.create("household", ids.grid_partition(builders.OTHER_GRID), door="9")
    follows = builders.visit(world, target_id=home.id)
    for n, operation in ((3, home), (4, follows)):
        builders.push(
            client, world.tokens["worker2"],
            (n, builders.transaction(world.users["worker"], operation)),
        )  # fmt: skip
    with app.app_context():
        query = select(Quarantined).where(Quarantined.device_id == world.devices["worker2"])
        first, second = db.session.scalars(query.order_by(Quarantined.dseq)).all()
    assert second.waits_for == home.id
    page = Visitor(app).sign_in("supervisor").get(f"/quarantine/{second.id}").text
    assert "也在隔离区" in page and f"/quarantine/{first.id}" in page


def test_a_set_is_corrected_by_its_field(app: Flask, scene: Scene) -> None:
    world, client = scene.world, app.test_client()
    change = Operation(
        "set", "household", world.households[2], world.partition, seq=1, rev=1,
        fields={"risk_level": (None, "awful"), "door": ("201", "202")},
    )  # fmt: skip
    builders.push(
        client, world.tokens["worker2"], (3, builders.transaction(world.users["worker"], change))
    )
    with app.app_context():
        query = select(Quarantined).where(Quarantined.device_id == world.devices["worker2"])
        entry = db.session.scalars(query).one()
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get(f"/quarantine/{entry.id}").text
    assert 'name="op0.risk_level"' in page and 'name="op0.contact_name"' not in page
    form = {"action": "correct", "op0.risk_level": "attention", "op0.door": "202"}
    assert "已改正并放行" in visitor.post(f"/quarantine/{entry.id}", **form).text
    with app.app_context():
        home = db.session.get(Household, world.households[2])
        assert (home.risk_level, home.door) == ("attention", "202")


def test_what_was_right_is_no_correction(app: Flask) -> None:
    values = {
        "target_kind": "shop", "reason": "routine", "outcome": "met", "note": "两行\n字 ",
        "visited_at": 1772332234567, "concern_tags": ["worry", "hard"], "resolved_on_spot": False,
    }  # fmt: skip
    text = json.dumps({"operations": [{"op": "create", "kind": "visit", "values": values}]})
    from werkzeug.datastructures import MultiDict

    with app.test_request_context():
        shown = corrections.sections(text, {})[0]
        sent: MultiDict[str, str] = MultiDict()
        for field in (*shown.fields, *shown.more):
            if isinstance(field.value, list):
                for one in field.value:
                    sent.add(field.name, one)
            else:
                sent.add(field.name, field.value.replace("\n", "\r\n"))
        assert corrections.read(text, sent) == ({}, {})
        sent["op0.note"] = ""
        sent.setlist("op0.concern_tags", [])
        assert corrections.read(text, sent) == ({0: {"note": None, "concern_tags": []}}, {})
