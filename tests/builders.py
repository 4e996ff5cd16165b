"""Small worlds for tests, made through the product's own use cases."""

from __future__ import annotations

import functools
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

from server.operations.clock import now_ms
from server.operations.enrol import new_device
from server.operations.transact import Entry, submit_many
from server.storage.database import write
from server.storage.tables import Assignment, User
from shared import ids, protocol
from shared.operations import Operation, Transaction

STREET = "410103007"
COMMUNITY = "410103007901"
GRID = "410103007901001"
OTHER_GRID = "410103007901002"
FAR_GRID = "410103007902001"
PASSWORD = "Test-1234"


@dataclass
class World:
    """What `build_world` made: user ids by name, device tokens by name, record ids."""

    users: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    compound: str = ""
    households: list[str] = field(default_factory=list)
    partition: str = ids.grid_partition(GRID)


@functools.cache
def _hashed() -> str:
    """The hash of everybody's password, computed once: it is slow on purpose."""
    from server.operations.sign_in import hash_password

    return hash_password(PASSWORD)


def build_world() -> World:
    """A street, two communities, three grids; people of every role; one compound, four homes.

    ``worker`` walks GRID with two phones ("worker", "worker2"); ``other`` walks OTHER_GRID.
    """
    world = World()
    now = now_ms()
    hashed = _hashed()
    people = [
        ("admin", "admin", STREET, None),
        ("supervisor", "supervisor", STREET, None),
        ("far_supervisor", "supervisor", "410103007902", None),
        ("handler", "handler", STREET, "water"),
        ("auditor", "auditor", STREET, None),
        ("worker", "grid_worker", COMMUNITY, None),
        ("other", "grid_worker", COMMUNITY, None),
    ]
    with write() as session:
        for name, role, area, body in people:
            user = User(
                id=ids.new_id(), username=name, name=f"{name}的名字", role=role, area_code=area,
                body=body, password_hash=hashed, active=True, failures=0, language="zh",
                scope_rev=1, created_at=now,
            )  # fmt: skip
            session.add(user)
            world.users[name] = user.id
        for name, grid in (("worker", GRID), ("other", OTHER_GRID)):
            session.add(
                Assignment(
                    id=ids.new_id(),
                    user_id=world.users[name],
                    grid_code=grid,
                    from_at=now,
                    from_rev=1,
                )
            )
        for phone, owner in (("worker", "worker"), ("worker2", "worker"), ("other", "other")):
            world.tokens[phone] = f"token-of-{phone}"
            device = new_device(world.users[owner], phone, world.tokens[phone], "test", now)
            session.add(device)
            world.devices[phone] = device.id
    _build_records(world)
    return world


def _build_records(world: World) -> None:
    areas = [
        ("41", "河南省", "province"), ("4101", "郑州市", "city"), ("410103", "二七区", "county"),
        (STREET, "大学路街道", "street"), (COMMUNITY, "航苑社区", "community"),
        ("410103007902", "康桥社区", "community"), (GRID, "第一网格", "grid"),
        (OTHER_GRID, "第二网格", "grid"), (FAR_GRID, "康桥第一网格", "grid"),
    ]  # fmt: skip
    world.compound = ids.new_id()
    world.households = [ids.new_id() for _ in range(4)]
    operations = [
        create("area", ids.area_partition(code), code=code, name=name, level=level)
        for code, name, level in areas
    ]
    root = ids.area_partition(ids.ROOT_AREA)
    operations += [
        create("reference", root, type="category", code="leak", name="漏水",
               data={"hours": 24, "needs_after": False}, active=True),
        create("reference", root, type="category", code="lamp", name="路灯不亮",
               data={"hours": 168, "needs_after": True}, active=True),
        create("reference", root, type="body", code="water", name="自来水公司", active=True),
        create("compound", world.partition, world.compound, name="航海花园", management="none"),
    ]  # fmt: skip
    operations += [
        create("household", world.partition, home, compound_id=world.compound, building="1",
               unit="1", door=f"{n}01", contact_name=f"张{'一二三四'[n]}",
               contact_phone=f"1380000000{n}", address=f"航海花园1号楼1单元{n}01",
               care_groups=["elder_alone"] if n == 0 else [])
        for n, home in enumerate(world.households)
    ]  # fmt: skip
    list(submit_many([Entry(world.users["admin"], operations)]))


def create(kind: str, partition: str, record_id: str = "", **values: Any) -> Operation:
    """A create operation with a fresh id."""
    return Operation("create", kind, record_id or ids.new_id(), partition, values=values)


def visit(world: World, home: int = 0, **values: Any) -> Operation:
    """A create operation of a visit to one of the world's homes."""
    base: dict[str, Any] = {
        "target_kind": "household", "target_id": world.households[home], "reason": "routine",
        "outcome": "met", "note": "一切正常", "visited_at": now_ms(),
    }  # fmt: skip
    return create("visit", world.partition, **(base | values))


def problem(world: World, **values: Any) -> Operation:
    """A create operation of a problem at the first of the world's homes."""
    base: dict[str, Any] = {
        "target_kind": "household", "target_id": world.households[0], "category": "leak",
        "description": "楼道水管漏水", "place": "航海花园1号楼", "source": "worker",
        "found_at": now_ms(),
    }  # fmt: skip
    return create("problem", world.partition, **(base | values))


def transaction(
    author: str, *operations: Operation, epoch: str = "", scope: int = 1
) -> Transaction:
    """A transaction of a person, made now."""
    return Transaction(
        ids.new_id(), author, now_ms(), 1000, "boot-1", (epoch, scope), tuple(operations), "test"
    )


def header(**more: Any) -> dict[str, Any]:
    """The first line of a push."""
    return {
        "v": 1,
        "epoch": "",
        "clock": {"wall": now_ms(), "mono": 1000, "boot": "boot-1"},
        "waiting": {"transactions": 0, "photos": 0, "bytes": 0},
        **more,
    }


def push_body(lines: list[Any], **more: Any) -> bytes:
    """The body of a push: (dseq, Transaction) pairs, or lines as they are."""
    out = [header(**more)]
    for line in lines:
        if isinstance(line, tuple) and isinstance(line[1], Transaction):
            out.append([line[0], line[1].id, line[1].to_text()])  # type: ignore[arg-type]
        else:
            out.append(line)
    return gzip.compress("\n".join(json.dumps(line) for line in out).encode())


def push(client: FlaskClient, token: str, *lines: Any, **more: Any) -> Any:
    """Push over HTTP; returns the response."""
    return client.post(
        protocol.PUSH,
        data=push_body(list(lines), **more),
        content_type=protocol.NDJSON,
        headers={"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"},
    )


def pull(client: FlaskClient, token: str, **more: Any) -> list[dict[str, Any]]:
    """Pull over HTTP; returns the lines. Without ``partitions`` a new phone's first pull."""
    body = {
        "v": 1, "epoch": "", "scope_rev": 0, "partitions": {}, "clock": header()["clock"],
        "waiting": header()["waiting"], **more,
    }  # fmt: skip
    response = client.post(protocol.PULL, json=body, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]
