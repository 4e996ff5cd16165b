"""What a list asks of the database does not grow with its rows."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event

from server.storage.database import db
from tests.web.conftest import Visitor
from tests.web.scene import Scene


def _count(app: Flask, visitor: Visitor, path: str) -> int:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert visitor.get(path).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(statements)


@pytest.mark.parametrize(
    ("few", "many"),
    [
        ("/visits?state=returned", "/visits?state=all"),
        ("/ledger?state=closed", "/ledger?state=all"),
        ("/phones?only=waiting", "/phones"),
        ("/homes?q=1-1-101", "/homes"),
        ("/quarantine?state=all&page=1", "/quarantine"),
    ],
)
def test_more_rows_ask_nothing_more(app: Flask, scene: Scene, few: str, many: str) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get(many)
    assert _count(app, visitor, many) <= _count(app, visitor, few)
    assert _count(app, visitor, many) < 16


def test_the_home_page_asks_little(app: Flask, scene: Scene) -> None:
    assert _count(app, Visitor(app).sign_in("supervisor"), "/") < 18
