"""Every action that the code writes into the audit log reads in words."""

from __future__ import annotations

import ast
from pathlib import Path

from flask import Flask

import server
from server.operations import export
from server.web import audit

WRITERS = {"record": 2, "record_once": 3}  # function -> the place of its action


def _written() -> dict[str, str]:
    """action -> the file that writes it, from every call of the audit log's functions."""
    found: dict[str, str] = {}
    root = Path(server.__file__).parent.parent
    for path in sorted([*root.glob("server/**/*.py"), *root.glob("gridledger/**/*.py")]):
        if path.name == "audit_log.py":
            continue
        source = path.read_text()
        tree = ast.parse(source)
        bare = "audit_log import" in source
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            call = node.func
            if isinstance(call, ast.Attribute):
                ours = isinstance(call.value, ast.Name) and call.value.id == "audit_log"
                name = call.attr
            elif isinstance(call, ast.Name):
                ours, name = bare, call.id
            else:
                continue
            if not ours or name not in WRITERS:
                continue
            place = WRITERS[name]
            assert len(node.args) > place, (path, node.lineno)
            for action in _texts(node.args[place], tree):
                found[action] = path.name
    return found


def _texts(node: ast.expr, tree: ast.Module) -> list[str]:
    """The texts that an expression can be; fails where that cannot be told."""
    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.IfExp():
            return [*_texts(node.body, tree), *_texts(node.orelse, tree)]
        case ast.JoinedStr(values=[ast.Constant(value="export_"), ast.FormattedValue()]):
            return [f"export_{kind}" for kind in export.KINDS]
        case ast.Subscript(value=ast.Name(id=name)):
            for one in ast.walk(tree):
                if isinstance(one, ast.Assign) and getattr(one.targets[0], "id", "") == name:
                    return [str(value) for value in ast.literal_eval(one.value).values()]
        case ast.Name(id=name):
            values = [
                one.value
                for one in ast.walk(tree)
                if isinstance(one, ast.Assign) and getattr(one.targets[0], "id", "") == name
            ]
            if values:
                return [text for value in values for text in _texts(value, tree)]
    raise AssertionError(ast.dump(node))


def test_every_action_has_its_words(app: Flask) -> None:
    written = _written()
    assert {"user_disable", "look.homes", "offer.take", "device.identity", "restore"} <= set(
        written
    )
    with app.test_request_context():
        known = audit.action_texts()
        assert set(written) - set(known) == set()
        assert set(known) - set(written) == set(), "words of an action that nothing writes"


def test_details_read_as_a_sentence(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        text = audit.detail_text({"fields": ["name", "area_code"], "from": "grid:41", "to": "42"})
        assert text == "哪一项：姓名、区域；从：41；到：42"
        assert (
            audit.detail_text({"corrected": True, "result": "applied"})
            == "改正过：是；结果：已生效"
        )
        assert audit.detail_text(None) == ""
