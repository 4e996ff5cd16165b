"""What a page hands out beside HTML: photos, exports, its own files."""

from __future__ import annotations

import io
import json

import openpyxl
from flask import Flask
from PIL import Image
from sqlalchemy import select

from server.storage.database import db
from server.storage.tables import AuditEntry
from tests.web.conftest import Visitor
from tests.web.scene import Scene


def test_a_photo_comes_once_and_privately(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    photo = f"/photos/{scene.photos[-2]}"
    whole = visitor.get(photo)
    assert whole.mimetype == "image/jpeg" and whole.data[:2] == b"\xff\xd8"
    assert whole.cache_control.private and not whole.cache_control.no_store
    again = visitor.get(photo, headers={"If-None-Match": whole.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    small = visitor.get(f"{photo}?size=320")
    with Image.open(io.BytesIO(small.data)) as picture:
        assert max(picture.size) == 320 and not picture.getexif()
    assert len(small.data) < len(whole.data)
    assert small.headers["ETag"] != whole.headers["ETag"]


def test_a_thumbnail_comes_as_the_browser_can_show_it_and_is_made_once(
    app: Flask, scene: Scene
) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    photo = f"/photos/{scene.photos[-2]}?size=1280"
    webp = visitor.get(photo, headers={"Accept": "image/avif,image/webp,*/*;q=0.8"})
    plain = visitor.get(photo, headers={"Accept": "*/*"})
    assert (webp.mimetype, plain.mimetype) == ("image/webp", "image/jpeg")
    assert "Accept" in webp.headers["Vary"] and webp.headers["ETag"] != plain.headers["ETag"]
    assert webp.headers["X-Content-Type-Options"] == "nosniff"
    kept = list((app.config["GRIDLEDGER"].data / "photos" / "thumbnails").rglob("*-1280.webp"))
    assert len(kept) == 1 and kept[0].read_bytes() == webp.data
    kept[0].write_bytes(b"as kept")
    assert visitor.get(photo, headers={"Accept": "image/webp"}).data == b"as kept"


def test_a_part_of_a_photo_may_be_asked_for(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    photo = f"/photos/{scene.photos[-2]}"
    whole = visitor.get(photo)
    part = visitor.get(photo, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.data)}"
    tail = visitor.get(photo, headers={"Range": "bytes=-5", "If-Range": whole.headers["ETag"]})
    assert tail.data == whole.data[-5:]
    longer = visitor.get(photo, headers={"Range": "bytes=-99999999"})
    assert (longer.status_code, longer.data) == (206, whole.data)
    changed = visitor.get(photo, headers={"Range": "bytes=-5", "If-Range": '"another"'})
    assert (changed.status_code, changed.data) == (200, whole.data)
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    dated = visitor.get(photo, headers={"Range": "bytes=-5", "If-Range": date})
    assert (dated.status_code, dated.data) == (200, whole.data)
    beyond = visitor.get(photo, headers={"Range": "bytes=99999999-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (
        416,
        f"bytes */{len(whole.data)}",
    )
    assert Visitor(app).get(photo, headers={"Range": "bytes=0-1"}).status_code != 206


def test_a_photo_without_bytes_is_not_found(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    declared = scene.photos[-3]
    assert visitor.get(f"/photos/{declared}").status_code == 404


def _csv(visitor: Visitor, path: str, **data: str) -> list[str]:
    answer = visitor.post(path, format="csv", **data)
    assert answer.status_code == 200, answer.text
    return answer.data.decode("utf-8-sig").strip().splitlines()


def test_an_export_has_the_rows_of_the_filter(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    assert len(_csv(visitor, "/export/ledger?state=all")) >= 8
    closed = _csv(visitor, "/export/ledger?state=closed")
    assert len([row for row in closed if "单元门禁" in row]) == 1
    assert not [row for row in closed if "井盖" in row]
    met = _csv(visitor, "/export/visits?state=all&outcome=not_met")
    assert len([row for row in met if "敲门无人应" in row]) == 3
    assert "张一" not in "".join(met)


def test_each_format_opens(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    answer = visitor.post("/export/ledger?state=all", format="xlsx")
    assert "attachment" in answer.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    values = [cell.value for row in book.active.iter_rows() for cell in row]
    assert "台账编号" in values and "自来水公司" in values
    book.close()
    places = json.loads(visitor.post("/export/ledger?state=all", format="geojson").data)
    assert places["type"] == "FeatureCollection"


def test_unmasked_needs_the_permission_and_a_reason(app: Flask, scene: Scene) -> None:
    supervisor, admin = Visitor(app).sign_in("supervisor"), Visitor(app).sign_in("admin")
    path = "/export/visits?state=all"
    assert supervisor.post(path, format="csv", unmasked="1", reason="核对").status_code == 403
    without = admin.post(path, format="csv", unmasked="1")
    assert without.mimetype == "text/html" and "要写明用途" in without.text
    assert "张一" in "".join(_csv(admin, path, unmasked="1", reason="年度核对"))
    with app.app_context():
        details = db.session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "export_visits")
        ).all()
    assert [d["reason"] for d in details if d and d["unmasked"]] == ["年度核对"]


def test_other_roles_and_kinds_export_nothing(app: Flask, scene: Scene) -> None:
    handler = Visitor(app).sign_in("handler")
    assert handler.post("/export/ledger", format="csv").status_code == 403
    supervisor = Visitor(app).sign_in("supervisor")
    assert supervisor.post("/export/people", format="csv").status_code == 404
    other = supervisor.post("/export/ledger?area=410103", format="csv")
    assert other.status_code == 403


def test_files_with_a_version_are_kept_by_browsers(app: Flask) -> None:
    visitor = Visitor(app)
    page = visitor.get("/sign-in").text
    address = page.partition('href="/static/app.css')[2].partition('"')[0]
    answer = visitor.get(f"/static/app.css{address}")
    assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
    answer.close()
    plain = visitor.get("/static/app.css")
    assert "immutable" not in (plain.headers["Cache-Control"] or "")
    plain.close()
