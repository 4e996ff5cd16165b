"""Content that no database keeps, or that is not what it says: refused or kept aside, no 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.operations import release
from server.operations.clock import now_ms
from server.storage import blobs, leases
from server.storage.database import db
from server.storage.models import Photo
from server.storage.tables import Quarantined
from shared import ids, schemas
from shared.reconcile import Refused
from tests.builders import (
    World,
    header,
    problem,
    pull,
    push,
    transaction,
    visit,
)
from tests.server.hostile import check_sums, count, current_epoch
from tests.server.test_upload import begin, declare, photo_bytes, tus
from tests.web.conftest import Visitor


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_no_database_keeps_are_refused(
    app: Flask, client: Any, world: World, number: float
) -> None:
    poison = transaction(world.users["worker"], visit(world, answers={"a": [number]}))
    answer = push(client, world.tokens["worker"], (1, poison)).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("rejected", "invalid")
    assert pull(client, world.tokens["worker"])[-1]["t"] == "end"


@pytest.mark.parametrize(
    "values",
    [
        {"position": {"lat": "12.5", "lng": 3}},
        {"position": {"lat": 12.5, "lng": 3, "accuracy": "5"}},
        {"position": {"lat": True, "lng": 3}},
        {"resolved_on_spot": 1},
    ],
)
def test_a_value_of_another_type_is_refused_not_read_as_if(
    client: Any, world: World, values: dict[str, Any]
) -> None:
    wrong = transaction(world.users["worker"], visit(world, **values))
    answer = push(client, world.tokens["worker"], (1, wrong)).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("rejected", "invalid")


STRANGE = ["\x00", "\ud800"]


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("where", ["code", "unknown", "partition", "field", "boot", "app", "data"])
def test_text_that_cannot_be_stored_is_quarantined_as_invalid(
    app: Flask, client: Any, world: World, where: str, strange: str
) -> None:
    one = transaction(world.users["worker"], problem(world))
    raw = json.loads(one.to_text())
    operation = raw["operations"][0]
    known = {"kind": "problem", "id": operation["id"], "seq": 1, "rev": 1}
    known["partition"] = world.partition
    match where:
        case "code":
            operation["values"]["category"] = f"a{strange}"
        case "unknown":
            operation["values"][f"x{strange}"] = 1
        case "partition":
            operation["partition"] = f"grid:1{strange}"
        case "field":
            raw["operations"][0] = {"op": "add", **known, "name": strange, "elements": ["x"]}
        case "data":
            raw["operations"][0] = {
                "op": "act", **known, "action": "x", "expect": {}, "data": {strange: strange},
            }  # fmt: skip
        case _:
            raw[where] = strange
    answer = push(client, world.tokens["worker"], [1, one.id, json.dumps(raw)])
    assert answer.status_code == 200
    assert answer.json["answers"][0]["code"] == "invalid"
    assert pull(client, world.tokens["worker"])[-1]["t"] == "end"
    assert count(app, Quarantined) == 1
    check_sums(app)


@pytest.mark.parametrize("strange", STRANGE)
def test_strange_text_in_a_request_is_refused_in_the_one_shape(
    app: Flask, client: Any, world: World, strange: str
) -> None:
    auth = {"Authorization": f"Bearer {world.tokens['worker']}"}
    start = header()
    asked = {
        "v": 1, "epoch": "", "scope_rev": 0, "partitions": {}, "clock": start["clock"],
        "waiting": start["waiting"],
    }  # fmt: skip
    clock = {**start["clock"], "boot": strange}
    row = {
        "p": world.partition, "kind": "household", "id": ids.new_id(), "rev": 1, "by": None,
        "at": 1, "v": {"note": strange},
    }  # fmt: skip
    answers = [
        client.post("/api/v1/pull", json=asked | more, headers=auth)
        for more in (
            {"epoch": strange},
            {"partitions": {f"grid:{strange}": [0, ""]}},
            {"partitions": {world.partition: [0, strange]}},
            {"app": strange},
            {"clock": clock},
            {"repair": {f"grid:{strange}": []}},
            {strange: 1},
        )
    ]
    headers: list[dict[str, Any]] = [
        {"epoch": strange},
        {"app": strange},
        {"clock": clock},
        {"epoch": current_epoch(app), "heads": {f"grid:{strange}": [1, "x"]}},
        {"epoch": current_epoch(app), "heads": {world.partition: [1, strange]}},
    ]
    answers += [push(client, world.tokens["worker"], **more) for more in headers]
    answers += [
        client.post("/api/v1/enrol", json={"code": "ABCD-EFGH", "name": "x", name: strange * 5})
        for name in ("name", "app", "code")
    ]
    wild = row | {"v": {"x": float("nan")}}
    answers += [
        client.post("/api/v1/offer", json={"rows": [one]}, headers=auth) for one in (row, wild)
    ]
    answers.append(client.head("/api/v1/photos/%00", headers={**auth, "Tus-Resumable": "1.0.0"}))
    assert {one.status_code for one in answers} <= {400, 401, 404, 422}
    assert all(one.json["code"] for one in answers if one.data)


def test_a_wild_moment_breaks_no_page(client: Any, world: World) -> None:
    from mobile.ui import times
    from server.core import export_columns
    from server.web import words

    for ms in (-schemas.MS_MAX, schemas.MS_MAX):
        assert words.local(ms).year == times.local(ms).year in (1901, 2199)
        assert export_columns.moment(ms).year in (1901, 2199)  # type: ignore[union-attr]


def test_a_stranger_is_not_given_much_memory(client: Any, world: World) -> None:
    body = b'{"code":"' + b"x" * 20_000 + b'","name":"x"}'
    answer = client.post("/api/v1/enrol", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_phone_asks_for_all_that_it_may_hold_and_no_more_is_read(
    client: Any, world: World
) -> None:
    auth = {"Authorization": f"Bearer {world.tokens['worker']}"}
    start = header()
    asked: dict[str, Any] = {
        "v": 1, "epoch": "", "scope_rev": 0, "clock": start["clock"], "waiting": start["waiting"],
        "partitions": {f"grid:{n:015d}": [2**40, "grid_worker.1"] for n in range(20_000)},
        "photos": [f"{n:064x}" for n in range(5_000)],
    }  # fmt: skip
    assert client.post("/api/v1/pull", json=asked, headers=auth).status_code == 200
    asked["junk"] = "x" * 2 * 2**20
    answer = client.post("/api/v1/pull", json=asked, headers=auth)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_nested_nonsense_in_quarantine_is_refused_not_a_fault(
    app: Flask, client: Any, world: World
) -> None:
    push(client, world.tokens["worker"], [1, ids.new_id(), "[" * 100_000])
    with app.app_context():
        kept = db.session.scalars(select(Quarantined.id)).one()
        with pytest.raises(Refused, match="invalid"):
            release.release(world.users["supervisor"], kept)


def test_an_upload_that_was_whole_when_the_server_died_is_checked_when_asked_about(
    app: Flask, client: Any, world: World
) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    with app.app_context():
        upload_id = url.rsplit("/", 1)[1]
        lease = leases.take(upload_id, now_ms())
        with blobs.current().append(upload_id, 0, []) as tail:
            tail.write(data)
            leases.give_back(lease, len(data), tail.sync())
    assert client.head(url, headers=tus(world)).headers["Upload-State"] == "verified"
    assert count(app, Photo, state="verified") == 1


def test_whatever_lies_in_quarantine_has_a_page(app: Flask, client: Any, world: World) -> None:
    junk = [
        '{"operations":[{"op":"create","kind":"visit","values":{"note":"\\ud800"}}]}',
        '{"operations":[{"op":"set","kind":["x"],"fields":{"outcome":[null,[1]]}}]}',
        '{"operations":[{"op":"create","kind":"visit","values":{"target_kind":[],"target_id":1}}]}',
        '{"operations":[{"op":"act","kind":null,"data":{"reason":{"a":NaN}}}],"made_at":1e999}',
        '{"operations":[{"op":"create","kind":"household","values":{"position":{"lat":"x"}}}],'
        '"made_at":1' + "0" * 60 + "}",
        "[" * 50_000,
        "\ud83d\ude00 not JSON",
    ]
    lines = [[dseq, ids.new_id(), text] for dseq, text in enumerate(junk, 1)]
    assert push(client, world.tokens["worker"], *lines).status_code == 200
    visitor = Visitor(app).sign_in("supervisor")
    assert visitor.get("/quarantine").status_code == 200
    with app.app_context():
        kept = list(db.session.scalars(select(Quarantined.id)))
    assert len(kept) == len(junk)
    for one in kept:
        assert visitor.get(f"/quarantine/{one}").status_code == 200
        assert visitor.post(f"/quarantine/{one}", action="release").status_code in (409, 422)
