"""A lived-in world for the pages: visits, problems in every state, photos, conflicts, quarantine.

Made through the product's own use cases, on top of tests.builders.build_world.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from PIL import Image, ImageDraw

from server.operations.clock import now_ms
from server.operations.transact import Entry, submit_many
from server.operations.upload import settle
from server.storage import blobs
from server.storage.database import write
from server.storage.tables import Device, User
from shared import ids
from shared.operations import ACT, SET, Operation
from tests import builders
from tests.builders import GRID, OTHER_GRID, World

HOUR = 3600 * 1000
DAY = 24 * HOUR
MISSING_HOME = "01920000-0000-7000-8000-00000000abcd"  # its creation never arrived
NAMES = {
    "admin": "陈向东", "supervisor": "王秀兰", "far_supervisor": "赵建国", "handler": "孙立军",
    "auditor": "周文静", "worker": "李敏", "other": "刘海燕",
}  # fmt: skip
NOTES = (
    "老人身体好，儿子周末回来，药够吃到下月。提醒燃气用完关阀门。",
    "家中两人上班，晚上七点后在家。反映楼道灯坏了两周，夜里上楼看不清。",
    "无变化。",
    "敲门无人应，邻居说去外地带孙子，下月回来。",
    "新搬来的租户，已告知垃圾分类点和社区电话。",
)
PROBLEMS = (
    ("二单元三楼水管接头漏水，楼道积水结冰，老人出门容易滑倒。", "leak", "urgent"),
    ("小区东门路灯不亮已两周，下夜班的居民反映多次。", "lamp", "worry"),
    ("地下室污水外溢，气味大，一楼住户无法开窗。", "leak", "hard"),
    ("5号楼前窨井盖松动，车辆经过有响声。", "lamp", "worry"),
    ("顶楼雨水渗漏，墙皮脱落。", "leak", "hope"),
    ("楼道感应灯损坏。", "lamp", "hope"),
    ("单元门禁失灵，陌生人可随意进出。", "lamp", "worry"),
    ("自来水水压不足，三楼以上早晚用水困难。", "leak", "urgent"),
)


@dataclass
class Scene:
    """The world and the records made on top of it."""

    world: World
    visits: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)


def build(app: Flask, world: World) -> Scene:
    """Make it; call outside an application context."""
    scene = Scene(world)
    with app.app_context():
        now = now_ms()
        _name(world)
        _visits(scene, now)
        _problems(scene, now)
        _photos(scene, now)
    _pushes(app, scene)
    with app.app_context():
        _phones(world, now_ms())
    return scene


def act(kind: str, record_id: str, action: str, **data: Any) -> Operation:
    """An action without expectations, as a job takes it."""
    return Operation(ACT, kind, record_id, ids.grid_partition(GRID), action=action, data=data)


def picture(colour: tuple[int, int, int], width: int = 1200, height: int = 900) -> bytes:
    """A JPEG that looks a little like a photo: a wall, a door, a stain."""
    image = Image.new("RGB", (width, height), colour)
    draw = ImageDraw.Draw(image)
    for y in range(0, height, 60):
        draw.line((0, y, width, y), fill=tuple(max(0, c - 18) for c in colour), width=3)
        for x in range((y // 60 % 2) * 60, width, 120):
            draw.line((x, y, x, y + 60), fill=tuple(max(0, c - 18) for c in colour), width=3)
    draw.rectangle((700, 250, 980, height), fill=(92, 70, 52))
    draw.ellipse((930, 560, 955, 585), fill=(210, 190, 90))
    draw.ellipse((180, 500, 520, 690), fill=tuple(max(0, c - 60) for c in colour))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def _run(*entries: Entry) -> None:
    for _ in submit_many(entries):
        pass


def _name(world: World) -> None:
    with write() as session:
        for username, name in NAMES.items():
            user = session.get(User, world.users[username])
            assert user is not None
            user.name = name
        for owner, name in (
            ("worker", "李敏的手机"),
            ("worker2", "李敏的旧手机"),
            ("other", "红米 Note 12"),
        ):
            device = session.get(Device, world.devices[owner])
            assert device is not None
            device.name = name


def _visits(scene: Scene, now: int) -> None:
    world = scene.world
    entries = []
    for n in range(14):
        at = now - n * 5 * HOUR - HOUR
        visit = builders.visit(
            world,
            n % 4,
            visited_at=at,
            note=NOTES[n % 5],
            outcome=("met", "met", "no_change", "not_met", "met")[n % 5],
            reason=("care", "routine", "routine", "recheck", "campaign")[n % 5],
            concern_tags=["worry"] if n % 5 == 1 else [],
            early_sign="楼下两家为停车位起过争执。" if n == 1 else None,
        )
        scene.visits.append(visit.id)
        entries.append(Entry(world.users["worker"], [visit], at))
    _run(*entries)
    supervisor = world.users["supervisor"]
    _run(
        *(Entry(supervisor, [_review(v, "approve")], now - 2 * HOUR) for v in scene.visits[8:]),
        Entry(supervisor, [_review(scene.visits[7], "return", reason="请补充老人用药情况。")], now),
    )


def _review(visit_id: str, action: str, **data: Any) -> Operation:
    return Operation(
        ACT, "visit", visit_id, ids.grid_partition(GRID), rev=1, action=action,
        expect={"rev": 1}, data=data,
    )  # fmt: skip


def _problems(scene: Scene, now: int) -> None:
    world = scene.world
    worker, supervisor, handler = (world.users[n] for n in ("worker", "supervisor", "handler"))
    for n, (text, category, tag) in enumerate(PROBLEMS):
        at = now - (n + 1) * DAY - 3 * HOUR
        made = builders.problem(
            world, category=category, description=text, concern_tags=[tag], found_at=at,
            place=f"航海花园{n % 3 + 1}号楼{n % 2 + 1}单元",
            source="worker" if n % 3 else "resident",
            visit_id=scene.visits[n % len(scene.visits)],
            reporter_name="张一" if n % 3 == 0 else None,
            reporter_phone="13800001234" if n % 3 == 0 else None,
        )  # fmt: skip
        scene.problems.append(made.id)
        _run(Entry(worker, [made], at))
        steps = []
        if n >= 1:
            hard = {"hard": True} if n == 2 else {}
            steps.append((supervisor, "register", hard))
        if n >= 2:
            due = now + (5 - 2 * n) * DAY + (5 * DAY if n == 3 else 0)
            steps.append(
                (supervisor, "dispatch", {"body": "water", "owner": "孙立军", "due_at": due,
                                          "measure": "派维修工上门检修，更换老化部件。"})
            )  # fmt: skip
        if n >= 3:
            steps.append((handler, "accept", {}))
        if n == 4:
            steps.append((supervisor, "supervise", {"reason": "居民多次反映，请优先处理。"}))
        if n in (5, 6):
            steps.append((handler, "request_closure", {"result": "已更换新灯，当场试亮。"}))
        if n == 7:
            until = now + 20 * DAY
            asked = {"reason": "等供水公司换管计划。", "suspended_until": until}
            steps.append((handler, "request_suspend", asked))
            steps.append((supervisor, "approve_suspend", {}))
        photos = n in (5, 6)
        for k, (author, action, data) in enumerate(steps):
            if action == "request_closure" and photos:
                _photo(scene, "problem", made.id, "after", (150, 170, 150 + n), now, n == 6)
            _run(Entry(author, [act("problem", made.id, action, **data)], at + (k + 1) * 4 * HOUR))
        if n == 6:
            _run(
                Entry(
                    supervisor, [act("problem", made.id, "close", reason="现场看过，灯亮。")], now
                )
            )


def _photos(scene: Scene, now: int) -> None:
    first = scene.visits[0]
    _photo(scene, "visit", first, "scene", (170, 160, 150), now, True)
    _photo(scene, "visit", first, "scene", (120, 150, 170), now, True)
    _photo(scene, "visit", first, "scene", (130, 150, 130), now - 5 * HOUR, False)
    _photo(scene, "problem", scene.problems[2], "before", (160, 140, 130), now, True)
    _photo(scene, "problem", scene.problems[5], "before", (140, 140, 150), now, True)


def _photo(
    scene: Scene, kind: str, owner: str, phase: str, colour: tuple[int, int, int], at: int,
    arrived: bool,
) -> None:  # fmt: skip
    data = picture(colour)
    digest = hashlib.sha256(data).hexdigest()
    operation = builders.create(
        "photo", ids.grid_partition(GRID), owner_kind=kind, owner_id=owner, sha256=digest,
        size=len(data), phase=phase, taken_at=at, mime="image/jpeg",
    )  # fmt: skip
    _run(Entry(scene.world.users["worker"], [operation], at))
    scene.photos.append(operation.id)
    if arrived:
        blobs.current().write(digest, data)
        settle(digest, len(data), "verified")


def _phones(world: World, now: int) -> None:
    with write() as session:
        for name, ago, waiting, offset in (
            ("worker", HOUR, (0, 1), 1200), ("worker2", 53 * HOUR, (7, 12), -9 * 60_000),
            ("other", 3 * HOUR, (0, 0), 300),
        ):  # fmt: skip
            device = session.get(Device, world.devices[name])
            assert device is not None
            device.last_contact_at, device.clock_offset = now - ago, offset
            device.waiting = {"transactions": waiting[0], "photos": waiting[1], "bytes": 0}
            device.app = "gridledger 0.1.0"


def _pushes(app: Flask, scene: Scene) -> None:
    """Two phones that change one note without seeing each other; work in another's grid."""
    world, client = scene.world, app.test_client()
    visit = scene.visits[1]
    for phone, note in (
        ("worker", "家中两人上班，晚上七点后在家。楼道灯坏了两周，已报修。"),
        ("worker2", "家中两人上班，晚上八点后在家。反映楼道灯坏了两周，夜里上楼看不清。"),
    ):
        change = Operation(
            SET, "visit", visit, world.partition, seq=1, rev=1, fields={"note": (NOTES[1], note)}
        )
        done = builders.push(
            client, world.tokens[phone], (1, builders.transaction(world.users["worker"], change))
        )
        assert done.status_code == 200, done.text
    household = Operation(
        SET, "household", world.households[1], world.partition, seq=1, rev=1,
        fields={"contact_phone": ("13800000001", "13900001111")},
    )  # fmt: skip
    builders.push(
        client, world.tokens["worker"], (2, builders.transaction(world.users["worker"], household))
    )
    household = Operation(
        SET, "household", world.households[1], world.partition, seq=1, rev=1,
        fields={"contact_phone": ("13800000001", "13700002222")},
    )  # fmt: skip
    builders.push(
        client, world.tokens["worker2"], (2, builders.transaction(world.users["worker"], household))
    )
    away = builders.create(
        "visit", ids.grid_partition(OTHER_GRID), target_kind="shop", target_name="便民超市",
        reason="routine", outcome="met", visited_at=now_ms() - HOUR,
        note="灭火器已到期，提醒更换。",
    )  # fmt: skip
    late = Operation(
        ACT, "problem", scene.problems[1], world.partition, seq=1, rev=1, action="progress",
        expect={"state": "reported", "step": 0}, data={"reason": "物业说下周来修。"},
    )  # fmt: skip
    early = builders.visit(world, target_id=MISSING_HOME, note="新搬来一家三口，先记一次走访。")
    wrong = builders.visit(
        world, 2, outcome="moved", visited_at=now_ms() - HOUR, concern_tags=["worry", "anger"],
        note="老人说夜里暖气不热，室温只有14度。",
    )  # fmt: skip
    for n, operation in ((3, away), (4, late), (5, early), (6, wrong)):
        builders.push(
            client,
            world.tokens["worker"],
            (n, builders.transaction(world.users["worker"], operation)),
        )
