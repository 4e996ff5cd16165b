"""Every route tells its errors in one shape, and bad input leaves nothing behind."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.storage.database import db
from server.storage.models import MODELS
from server.storage.tables import Quarantined
from shared import ids, protocol, schemas
from tests.builders import World, header, push_body, transaction, visit


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def bearer(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.tokens['worker']}"}


def rows(app: Flask) -> int:
    with app.app_context():
        models = [*MODELS.values(), Quarantined]
        return sum(db.session.scalar(select(func.count()).select_from(m)) or 0 for m in models)


def check_shape(response: Any) -> dict[str, Any]:
    assert response.content_type == protocol.PROBLEM_JSON, response.text
    body: dict[str, Any] = json.loads(response.text)
    schemas.Trouble().load(body)
    assert body["status"] == response.status_code
    assert body["code"] in protocol.REQUEST_CODES
    assert body["type"].endswith(body["code"])
    return body


def test_every_api_route_refuses_strangers_and_wrong_methods_in_one_shape(
    app: Flask, client: Any, world: World
) -> None:
    seen = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/"):
            continue
        url = rule.rule.replace("<upload_id>", ids.new_id())
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            response = client.open(url, method=method, headers={"Tus-Resumable": "1.0.0"})
            if response.status_code >= 400:
                check_shape(response)
                seen += 1
    assert seen > 20


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/push"])
def test_an_unknown_path_is_told_the_same_way(client: Any, path: str) -> None:
    assert check_shape(client.get(path))["code"] == "not_found"


def test_every_page_tells_a_program_the_same_way(app: Flask, client: Any, world: World) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api/", "/static/")) or "GET" not in (rule.methods or ()):
            continue
        url = rule.rule
        for argument in rule.arguments:
            for form in (f"<{argument}>", f"<int:{argument}>", f"<path:{argument}>"):
                url = url.replace(form, "1")
        response = client.get(url, headers={"Accept": "application/json"})
        if response.status_code >= 400:
            check_shape(response)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{not json", {}, 400, "bad_envelope"),
        (b"", {}, 400, "bad_envelope"),
        (b"[1,2,3]", {}, 400, "bad_envelope"),
        (b'{"v": 1}', {}, 400, "bad_envelope"),
        (b"not gzip at all", {"Content-Encoding": "gzip"}, 400, "bad_envelope"),
        (gzip.compress(b"x" * 1000)[:-9], {"Content-Encoding": "gzip"}, 400, "bad_envelope"),
        (gzip.compress(bytes(64 * 2**20)), {"Content-Encoding": "gzip"}, 413, "too_large"),
        (bytes(protocol.MAX_COMPRESSED + 1), {}, 413, "too_large"),
        (b"{}", {"Content-Encoding": "br"}, 415, "media_type"),
        (b"[" * 100_000, {}, 400, "bad_envelope"),
    ],
    ids=["not json", "empty", "no header", "half a header", "not gzip", "cut off", "zip bomb",
         "too large", "brotli", "deep"],
)  # fmt: skip
def test_a_bad_push_is_told_clearly_and_leaves_nothing(
    app: Flask,
    client: Any,
    world: World,
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    before = rows(app)
    response = client.post(protocol.PUSH, data=body, headers=bearer(world) | headers)
    assert response.status_code == status
    assert check_shape(response)["code"] == code
    assert rows(app) == before


def test_an_unknown_field_of_a_request_is_named(client: Any, world: World) -> None:
    response = client.post(protocol.PULL, json={"nonsense": 1, **_pull()}, headers=bearer(world))
    body = check_shape(response)
    assert (response.status_code, body["code"]) == (400, "unknown_field")
    assert "nonsense" in body["errors"]


def test_a_wrong_field_of_a_request_is_named(client: Any, world: World) -> None:
    response = client.post(protocol.PULL, json={**_pull(), "scope_rev": "x"}, headers=bearer(world))
    body = check_shape(response)
    assert (response.status_code, body["code"]) == (422, "invalid")
    assert "scope_rev" in body["detail"]


@pytest.mark.parametrize(
    ("authorization", "code"),
    [("", "sign_in_needed"), ("Basic eDp5", "sign_in_needed"), ("Bearer x", "token_unknown")],
)
def test_a_wrong_token_is_told_apart(client: Any, authorization: str, code: str) -> None:
    response = client.post(
        protocol.PUSH, data=push_body([]), headers={"Authorization": authorization}
    )
    assert (response.status_code, check_shape(response)["code"]) == (401, code)


def test_a_fault_of_the_server_is_told_without_its_inside(
    app: Flask, client: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.operations import pull

    def broken(*_: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(pull, "pull", broken)
    response = client.post(protocol.PULL, json=_pull(), headers=bearer(world))
    assert check_shape(response)["code"] == "internal"
    assert "secret" not in response.text


def test_too_many_transactions_are_asked_for_in_parts(client: Any, world: World) -> None:
    one = transaction(world.users["worker"], visit(world))
    lines = [[n, ids.new_id(), one.to_text()] for n in range(1, protocol.PUSH_BATCH + 2)]
    body = gzip.compress("\n".join(json.dumps(x) for x in [header(), *lines]).encode())
    response = client.post(
        protocol.PUSH, data=body, headers=bearer(world) | {"Content-Encoding": "gzip"}
    )
    assert check_shape(response)["code"] == "too_large"


def _pull() -> dict[str, Any]:
    return {
        "v": 1, "epoch": "", "scope_rev": 0, "partitions": {}, "clock": header()["clock"],
        "waiting": header()["waiting"],
    }  # fmt: skip
