"""Photos on the pages: states in words, covering, what has not come, the ZIP."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select, text, update

from server.core.access import Viewer
from server.operations.clock import now_ms
from server.storage import blobs
from server.storage.database import db, is_sqlite, write
from server.storage.models import Photo, Problem
from server.storage.queries import overdue
from server.storage.tables import AuditEntry
from tests.builders import STREET
from tests.web.conftest import Visitor
from tests.web.scene import DAY, Scene

# What the database has no part in is tried on one of them.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def _photos(app: Flask, owner: str) -> list[Any]:
    with app.app_context():
        query = select(Photo).where(Photo.owner_id == owner).order_by(Photo.taken_at, Photo.id)
        return list(db.session.scalars(query))


def _verified(app: Flask, owner: str) -> Any:
    return next(p for p in _photos(app, owner) if p.state == "verified" and not p.replaced_by)


def _waits(app: Flask, scene: Scene, days: int) -> str:
    """One photo that a phone named so long ago; its id."""
    with app.app_context(), write() as session:
        photo = session.scalars(select(Photo).where(Photo.owner_id == scene.visits[0],
                                                    Photo.state == "declared")).one()  # fmt: skip
        photo.updated_at = now_ms() - days * DAY
        photo.field_revs = {"*": [1, scene.world.devices["worker2"], 0]}
        return str(photo.id)


def test_a_photo_on_a_phone_says_whose_and_since_when(app: Flask, scene: Scene) -> None:
    _waits(app, scene, 5)
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get(f"/visits/{scene.visits[0]}").text
    assert "3 张里 2 张已核实，还有 1 张没有到。" in page
    assert "还在手机上" in page and "李敏的旧手机" in page and "已等 5 天" in page
    assert page.count("李敏 拍摄") == 3
    with app.app_context(), write() as session:
        one = update(Photo).where(Photo.owner_id == scene.visits[0], Photo.state == "declared")
        session.execute(one.values(state="corrupt"))
    assert "传坏了，手机会重传" in visitor.get(f"/visits/{scene.visits[0]}").text
    with app.app_context(), write() as session:
        one = update(Photo).where(Photo.owner_id == scene.visits[0], Photo.state == "corrupt")
        session.execute(one.values(state="refused"))
    assert "用不了" in visitor.get(f"/visits/{scene.visits[0]}").text


@ON_ONE
def test_every_photo_is_a_link_to_a_page_of_its_own(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get(f"/visits/{scene.visits[0]}").text
    links = re.findall(r'href="(/photos/[0-9a-f-]+/view)" data-photo', page)
    assert len(links) == 2
    assert "<script>" not in page and " onclick=" not in page and " style=" not in page
    page = visitor.get(links[0]).text
    assert "共 3 张" in page and ('rel="next"' in page or 'rel="prev"' in page)
    assert Visitor(app).sign_in("far_supervisor").get(links[0]).status_code == 404


@ON_ONE
def test_before_and_after_stand_side_by_side(app: Flask, scene: Scene) -> None:
    problem = scene.problems[5]
    with app.app_context(), write() as session:
        session.execute(update(Photo).where(Photo.owner_id == problem).values(state="verified"))
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get(f"/ledger/{problem}").text
    assert 'class="beside"' in page
    link = re.search(r'href="(/photos/[^"]+\?beside=[^"]+)"', page)
    assert link and visitor.get(link[1]).text.count("<figure") == 2
    assert 'class="beside"' not in visitor.get(f"/ledger/{scene.problems[2]}").text


def _cover(visitor: Visitor, photo_id: str, **boxes: str) -> Any:
    visitor.get(f"/photos/{photo_id}/redact")
    rev, into = visitor.hidden("rev"), visitor.hidden("into")
    data = {"x": "700", "y": "250", "width": "200", "height": "300"} | boxes
    return visitor.post(f"/photos/{photo_id}/redact", rev=rev, into=into, **data)


@ON_ONE
def test_a_covered_photo_replaces_the_old_one_on_every_page(app: Flask, scene: Scene) -> None:
    owner = scene.visits[0]
    old = _verified(app, owner)
    supervisor, admin = Visitor(app).sign_in("supervisor"), Visitor(app).sign_in("admin")
    answer = _cover(supervisor, old.id)
    assert "已换成遮挡后的照片" in answer.text
    new = next(p for p in _photos(app, owner) if p.redacts == old.id)
    picture = Image.open(io.BytesIO(supervisor.get(f"/photos/{new.id}").data)).convert("L")
    assert picture.size == (1200, 900) and picture.getpixel((800, 400)) < 12
    small = Image.open(io.BytesIO(supervisor.get(f"/photos/{new.id}?size=320").data)).convert("L")
    assert small.getpixel((213, 106)) < 30
    page = supervisor.get(f"/visits/{owner}").text
    assert f"/photos/{new.id}/view" in page and old.id not in page and "王秀兰 遮挡过" in page
    assert page.count("李敏 拍摄") == 3, "who took it, not who covered it"
    for path in ("", "?size=320", "?size=1280", "/view", "/redact"):
        assert supervisor.get(f"/photos/{old.id}{path}").status_code == 404, path
    assert admin.get(f"/photos/{old.id}").status_code == 200
    assert "只有管理员能看" in admin.get(f"/photos/{old.id}/view").text
    with app.app_context():
        actions = set(db.session.scalars(select(AuditEntry.action)))
        assert {"photo.redact", "photo.original"} <= actions


@ON_ONE
def test_only_the_admin_takes_a_covering_back(app: Flask, scene: Scene) -> None:
    old = _verified(app, scene.visits[0])
    supervisor, admin = Visitor(app).sign_in("supervisor"), Visitor(app).sign_in("admin")
    _cover(supervisor, old.id)
    new = next(p for p in _photos(app, scene.visits[0]) if p.redacts == old.id)
    assert "撤销这次遮挡" not in supervisor.get(f"/photos/{new.id}/view").text
    assert supervisor.post(f"/photos/{new.id}/undo-redaction").status_code == 403
    assert "撤销这次遮挡" in admin.get(f"/photos/{new.id}/view").text
    assert "已撤销" in admin.post(f"/photos/{new.id}/undo-redaction").text
    assert supervisor.get(f"/photos/{old.id}").status_code == 200
    assert admin.get(f"/photos/{new.id}").status_code == 404


@ON_ONE
def test_a_box_that_is_none_is_told_and_what_was_typed_stays(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    photo = _verified(app, scene.visits[0])
    answer = _cover(visitor, photo.id, x="many")
    assert answer.status_code == 422 and "要填整数" in answer.text and 'value="many"' in answer.text
    answer = _cover(visitor, photo.id, x="", y="", width="", height="")
    assert answer.status_code == 422 and "先在照片上画出" in answer.text
    assert not _photos(app, scene.visits[0])[0].replaced_by
    handler = Visitor(app).sign_in("handler")
    assert handler.get(f"/photos/{photo.id}/redact").status_code in (403, 404)


def test_photos_overdue_by_days_person_grid_and_phone(app: Flask, scene: Scene) -> None:
    photo_id = _waits(app, scene, 5)
    visitor = Visitor(app).sign_in("supervisor")
    assert "照片未到" in visitor.get("/").text
    page = visitor.get("/photos/overdue").text
    assert "共 1 张" in page and f"/visits/{scene.visits[0]}#photo-{photo_id}" in page
    assert "李敏的旧手机" in page and "最近联系" in page
    assert "没有等这么久的照片" in visitor.get("/photos/overdue?days=7").text
    phone, person = scene.world.devices["worker2"], scene.world.users["worker"]
    assert "共 1 张" in visitor.get(f"/photos/overdue?phone={phone}").text
    assert "共 0 张" in visitor.get(f"/photos/overdue?phone={scene.world.devices['worker']}").text
    assert "共 1 张" in visitor.get(f"/photos/overdue?person={person}&days=1").text
    for by, name in (("person", "李敏"), ("grid", "第一网格"), ("phone", "李敏的旧手机")):
        page = visitor.get(f"/photos/overdue?by={by}").text
        assert name in page and "已等 5 天" in page and "1 张" in page, by
    far = Visitor(app).sign_in("far_supervisor").get("/photos/overdue?days=0").text
    assert "共 0 张" in far and photo_id not in far
    assert Visitor(app).sign_in("handler").get("/photos/overdue").status_code == 403


def test_the_list_goes_on_after_a_place_and_uses_its_index(app: Flask, scene: Scene) -> None:
    _waits(app, scene, 5)
    with app.app_context(), write() as session:
        of_problem = update(Photo).where(Photo.owner_id == scene.problems[2])
        session.execute(of_problem.values(state="corrupt"))
    viewer = Viewer("", "supervisor", STREET)
    chosen = overdue.OverdueFilter(now_ms() + DAY)
    with app.app_context():
        whole = overdue.listed(db.session, viewer, chosen)
        assert whole.after is None and len(whole.rows) == overdue.count(db.session, viewer, chosen)
        found, after = [], None
        while True:
            part = overdue.listed(db.session, viewer, chosen, after, size=1)
            found += [one.id for one in part.rows]
            after = part.after
            if after is None:
                break
        assert found == [one.id for one in whole.rows] and len(found) >= 2
        assert "ix_photo_not_arrived" in _plan(viewer, chosen)


def _plan(viewer: Viewer, chosen: overdue.OverdueFilter) -> str:
    query = overdue.matching(viewer, chosen).order_by(Photo.updated_at, Photo.id).limit(50)
    session = db.session()
    compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    sql = str(compiled).replace(":", "\\:")
    if is_sqlite(session):
        rows = session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))
        return " ".join(str(row[3]) for row in rows)
    session.execute(text("SET LOCAL enable_seqscan = off"))
    return " ".join(str(row[0]) for row in session.execute(text(f"EXPLAIN {sql}")))


@ON_ONE
def test_the_photos_of_a_problem_as_one_file(app: Flask, scene: Scene) -> None:
    problem = scene.problems[6]
    admin = Visitor(app).sign_in("admin")
    path = f"/ledger/{problem}/photos.zip"
    assert "打包下载" in admin.get(f"/ledger/{problem}").text
    assert "用途" in admin.post(path, reason=" ").text
    answer = admin.post(path, reason="上级检查")
    assert answer.mimetype == "application/zip" and len(answer.data) == answer.content_length
    assert "UTF-8''" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        assert packed.testzip() is None
        names = packed.namelist()
        assert len(names) == 2 and re.fullmatch(r"\d+-\d{4}-\d{5}_整改后_1\.jpg", names[1])
        info = packed.getinfo(names[1])
        assert info.flag_bits & 0x800 and info.compress_type == zipfile.ZIP_STORED
        photo = _verified(app, problem)
        with app.app_context():
            assert packed.read(names[1]) == b"".join(blobs.current().read(photo.sha256))
        note = packed.read(names[0]).decode("utf-8-sig")
        assert "陈向东" in note and "上级检查" in note and photo.sha256 in note
    _cover(admin, photo.id)
    with zipfile.ZipFile(io.BytesIO(admin.post(path, reason="上级检查").data)) as packed:
        assert len(packed.namelist()) == 2
        image = Image.open(io.BytesIO(packed.read(packed.namelist()[1]))).convert("L")
        assert image.getpixel((800, 400)) < 12
    with app.app_context():
        rows = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export_photos"))
        assert [row.detail["reason"] for row in rows] == ["上级检查"] * 2


@ON_ONE
def test_who_may_not_take_photos_away(app: Flask, scene: Scene) -> None:
    path = f"/ledger/{scene.problems[6]}/photos.zip"
    for name in ("supervisor", "handler", "auditor"):
        visitor = Visitor(app).sign_in(name)
        assert "打包下载" not in visitor.get(f"/ledger/{scene.problems[6]}").text
        assert visitor.post(path, reason="看看").status_code in (403, 404), name
    admin = Visitor(app).sign_in("admin")
    assert admin.post(f"/ledger/{scene.problems[1]}/photos.zip", reason="x").status_code == 404


@ON_ONE
def test_a_zip_is_made_as_it_is_read(app: Flask, scene: Scene, monkeypatch: Any) -> None:
    """No photo is opened before its turn."""
    from server.operations import export_photos

    viewer = Viewer(scene.world.users["admin"], "admin", STREET)
    opened: list[str] = []
    with app.app_context():
        store = blobs.current()
        read = store.read

        def noted(sha256: str, *more: Any) -> Any:
            opened.append(sha256)
            return read(sha256, *more)

        monkeypatch.setattr(store, "read", noted)
        packed = export_photos.export_photos(viewer, scene.problems[6], "上级检查")
        assert not opened
        blocks = [len(block) for block in packed.blocks]
        assert opened and sum(blocks) == packed.size and max(blocks) <= 2 * blobs.BLOCK


@ON_ONE
def test_photos_of_a_merged_problem_are_in_the_file_under_its_own_number(
    app: Flask, scene: Scene
) -> None:
    main, other = scene.problems[4], scene.problems[5]
    with app.app_context():
        rows = [db.session.get(Problem, one) for one in (main, other)]
        rows[1].state, rows[1].merged_into, rows[0].merged_count = "merged", main, 1
        numbers = [one.ledger_no for one in rows]
        db.session.commit()
    admin = Visitor(app).sign_in("admin")
    path = f"/ledger/{main}/photos.zip"
    photo = _verified(app, other)
    for covered in (False, True):
        if covered:
            _cover(admin, photo.id)
        with zipfile.ZipFile(io.BytesIO(admin.post(path, reason="上级检查").data)) as packed:
            names = packed.namelist()
            assert names[0] == f"{numbers[0]}_照片说明.txt"
            image = packed.read(f"并案_{numbers[1]}_整改后_1.jpg")
            assert sum(numbers[1] in one and "整改后" in one for one in names) == 1
        with app.app_context():
            original = b"".join(blobs.current().read(photo.sha256))
            assert (image == original) is not covered


def test_names_in_the_zip_suit_every_system() -> None:
    from server.operations import export_photos

    assert export_photos.safe('a/b\\c:"d"*\n. ') == "a-b-c-d-"
    assert export_photos.safe("...") == "-"
    photos = [Photo(phase="before", mime="image/jpeg"), Photo(phase="before", mime="image/webp"),
              Photo(phase="after", mime=None)]  # fmt: skip
    assert export_photos.names("4101-2026-00007", photos) == [
        "4101-2026-00007_整改前_1.jpg",
        "4101-2026-00007_整改前_2.webp",
        "4101-2026-00007_整改后_1.jpg",
    ]


@ON_ONE
def test_the_bar_says_how_many_photos_are_overdue(app: Flask, scene: Scene) -> None:
    supervisor = Visitor(app).sign_in("supervisor")
    assert "nav-count" not in supervisor.get("/visits").text
    _waits(app, scene, 5)
    page = supervisor.get("/visits").text
    assert re.search(r'照片未到 <span class="nav-count">1</span>', page)
    assert "nav-count" not in Visitor(app).sign_in("far_supervisor").get("/visits").text
    assert "照片未到" not in Visitor(app).sign_in("handler").get("/ledger").text
