"""Every action that the code writes into the audit log reads in words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from flask import Flask

import server
from server.operations import audit_log, export
from server.storage.database import db, write
from server.storage.queries import ledger_page, rates
from server.storage.queries.paging import PER_PAGE
from server.storage.queries.problems import ProblemFilter
from server.storage.queries.visits import VisitFilter
from server.storage.tables import AuditEntry, User
from server.web import audit, audit_details, ledger_list
from shared import ledger
from shared.ids import ROOT_AREA
from tests.web.conftest import Visitor
from tests.web.scene import Scene

WRITERS = {"record": 2, "record_once": 3}  # function -> the place of its action


DETAIL = 3  # places behind its action


def _written() -> dict[str, str]:
    """action -> the file that writes it, from every call of the audit log's functions."""
    return {
        action: path.name
        for path, tree, call, place in _calls()
        for action in _texts(call.args[place], tree)
    }


def _keys() -> set[str]:
    """Every key of the details that any call writes; fails where they cannot be told."""
    found: set[str] = set()
    for path, tree, call, place in _calls():
        given = [one.value for one in call.keywords if one.arg == "detail"]
        for node in [*call.args[place + DETAIL : place + DETAIL + 1], *given]:
            keys = _keys_of(node, tree)
            assert keys or isinstance(node, ast.Constant), (path, node.lineno)
            found |= keys
    return found


def _keys_of(node: ast.expr, tree: ast.Module) -> set[str]:
    """The keys of a dict as it is written, or of one kept under a name, with what joins later."""
    if isinstance(node, ast.Dict):
        return {key.value for key in node.keys if isinstance(key, ast.Constant)}
    if not isinstance(node, ast.Name | ast.Attribute):
        return set()
    name = ast.unparse(node)
    found: set[str] = set()
    for one in ast.walk(tree):
        if isinstance(one, ast.Assign):
            targets = one.targets
        elif isinstance(one, ast.AnnAssign | ast.AugAssign):
            targets = [one.target]
        else:
            continue
        for target in targets:
            if ast.unparse(target) == name and isinstance(one.value, ast.Dict):
                found |= _keys_of(one.value, tree)
            elif isinstance(target, ast.Subscript) and ast.unparse(target.value) == name:
                assert isinstance(target.slice, ast.Constant)
                found.add(target.slice.value)
    return found


def _calls() -> Iterator[tuple[Path, ast.Module, ast.Call, int]]:
    """Every call of the audit log's functions, its file, and the place of its action."""
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
            yield path, tree, node, place


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
        text = audit_details.text({"fields": ["name", "area_code"], "from": "grid:41", "to": "42"})
        assert text == "哪一项：姓名、区域；从：41；到：42"
        assert (
            audit_details.text({"corrected": True, "result": "applied"})
            == "改正过：是；结果：已生效"
        )
        assert audit_details.text(None) == ""
        told = audit_details.text(
            {"format": "xlsx", "by": "street", "filters": {"state": "open", "flag": "overdue"}}
        )
        assert told == "格式：Excel；怎么列：按街道；筛选：状态 全部未办结、标记 已超期"
        look = audit_details.text({"page": "phone", "at": 1_790_000_000_000})
        assert look == "页面：手机上；看的时间：2026-09-21 22:13"


def test_the_log_names_its_phones_and_counts_all_it_has(app: Flask, scene: Scene) -> None:
    phone = scene.world.devices["worker"]
    with app.app_context(), write() as session:
        auditor = session.get(User, scene.world.users["auditor"])
        assert auditor is not None
        auditor.area_code = ROOT_AREA
        for _ in range(PER_PAGE):
            audit_log.record(session, None, "device_revoke", phone, ROOT_AREA)
    page = Visitor(app).sign_in("auditor").get("/audit").text
    assert phone not in page and "李敏" in page
    with app.app_context():
        entries = db.session.query(AuditEntry).count()
    assert entries > PER_PAGE and f"共 {entries} 条" in page and "page=2" in page


def test_every_key_and_every_code_of_the_details_has_its_words(app: Flask) -> None:
    keys = _keys()
    assert {"by", "reason", "filters", "who", "from", "scope_rev", "bytes"} <= keys
    with app.test_request_context():
        assert keys - set(audit_details.labels()) == set()
        assert set(audit_details.labels()) - keys == set(), "words of a key that nothing writes"
        known = audit_details.coded()
        filters = {one.name for kind in (ProblemFilter, VisitFilter) for one in fields(kind)}
        assert filters == set(audit_details.filters())
        assert set(known["by"]) == set(rates.GROUPS)
        assert set(known["sort"]) == set(ledger_page.SORTS)
        assert set(known["flag"]) == set(ledger_list.FLAGS)
        assert {*ledger.STATES, "pending", "approved", "returned"} <= set(known["state"])
        assert set(known["format"]) == set(export.MIME)
        assert set(known["kind"]) == set(export.KINDS)
