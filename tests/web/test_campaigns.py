"""A campaign from its file to the phones, and its answers from the visit to page and export."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from flask import Flask

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import campaigns
from server.operations.export import export
from server.operations.transact import submit
from server.storage.database import db
from server.storage.models import Visit
from shared.operations import SET, Operation
from tests.builders import GRID, pull
from tests.web.conftest import Visitor
from tests.web.scene import Scene

GAS = {
    "code": "gas", "name": "燃气安全", "name_en": "Gas safety", "starts": "2026-11-01",
    "ends": "2027-02-28",
    "questions": [{"code": "alarm", "zh": "装了报警器", "en": "Alarm fitted", "type": "yes_no"},
                  {"code": "more", "zh": "还有", "en": "More", "type": "text"}],
}  # fmt: skip


def written(folder: Path, **change: object) -> Path:
    """A campaign's file."""
    path = folder / "gas.json"
    path.write_text(json.dumps(GAS | change), encoding="utf-8")
    return path


def test_a_campaign_goes_to_the_phones_and_its_answers_are_read_everywhere(
    app: Flask, scene: Scene, tmp_path: Path
) -> None:
    world, visit_id = scene.world, scene.visits[0]
    with app.app_context():
        values = campaigns.read(written(tmp_path))
        assert [campaigns.save(values) for _ in range(2)] == ["created", "unchanged"]
        assert campaigns.save({**values, "name": "冬季燃气"}) == "changed"
        found, active = campaigns.listed()[0]
        assert active and (found.ends_at or 0) - (found.starts_at or 0) == 120 * 24 * 3_600_000
        visit = db.session.get(Visit, visit_id)
        answers = {"gas": {"alarm": True, "more": "=张三家软管旧"}}
        change = Operation(
            SET, "visit", visit_id, visit.partition_id, visit.seq, visit.rev,
            fields={"answers": (None, answers)},
        )  # fmt: skip
        submit(world.users["worker"], [change])
        file = io.BytesIO()
        export("visits", Viewer(world.users["admin"], "admin", ""), GRID, "csv", file)
        rows = csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig")))
        told = {row["专项问答"] for row in rows}
        assert any("冬季燃气：装了报警器=是" in one for one in told)
    lines = pull(app.test_client(), world.tokens["worker"])
    assert "冬季燃气" in json.dumps(lines, ensure_ascii=False, default=str)
    page = Visitor(app).sign_in("supervisor").get(f"/visits/{visit_id}").text
    assert "冬季燃气" in page and "装了报警器" in page
    assert (
        "Alarm fitted" in Visitor(app, "en").sign_in("supervisor").get(f"/visits/{visit_id}").text
    )


def test_a_campaign_that_cannot_be_asked_is_told_by_its_mistake(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="问题应有"):
        campaigns.read(written(tmp_path, questions=[]))
    with pytest.raises(Trouble, match="读不了"):
        campaigns.read(written(tmp_path, starts="next week"))
