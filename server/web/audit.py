"""The audit log, for the auditor alone."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.storage.database import db
from server.storage.queries import audited, names
from server.web import args, session, words
from shared import ids

pages = Blueprint("audit", __name__)


@pages.get("/audit")
def listed() -> ResponseReturnValue:
    """Entries, newest first."""
    viewer = session.need("audit")
    reading = db.session()
    given = {n: request.args.get(n, "").strip() for n in ("action", "actor", "since", "until")}
    actions = audited.actions(reading)
    given["action"] = args.one_of(given["action"], actions)
    given["actor"] = given["actor"] if ids.is_id(given["actor"]) else ""
    page = audited.listed(
        reading,
        viewer,
        args.number("page"),
        given["action"],
        given["actor"],
        args.day_start(given["since"]),
        args.day_end(given["until"]),
    )
    named = [who for one in page.rows for who in (one.actor, one.target)]
    return render_template(
        "audit.html",
        page=page,
        chosen=given,
        actions=[(code, action_text(code)) for code in actions],
        action_text=action_text,
        detail_text=detail_text,
        people=names.people(reading, [*named, given["actor"]]),
        areas=names.areas(reading, [one.area_code for one in page.rows]),
        viewer=viewer,
    )


def action_text(code: str) -> str:
    """An action of the log as a person reads it; an unknown one as it is."""
    texts = {
        "sign_in": _("登录"),
        "sign_in_failed": _("登录失败"),
        "sign_out": _("退出"),
        "idle_sign_out": _("超时退出"),
        "user_add": _("新建账号"),
        "password_set": _("重设密码"),
        "assign": _("分配网格"),
        "unassign": _("收回网格"),
        "enrolment_code": _("发登记码"),
        "device.enrol": _("登记手机"),
        "device.identity": _("手机换新身份"),
        "device_revoke": _("停用手机"),
        "export_ledger": _("导出台账"),
        "export_visits": _("导出走访"),
        "import_roster": _("导入住户名册"),
        "area_import": _("导入区划"),
        "household.move": _("住户换网格"),
        "quarantine.release": _("放行隔离内容"),
        "quarantine.refuse": _("不予收下"),
        "erase": _("依法删除"),
        "restore": _("恢复备份"),
        "epoch.rewind": _("发现数据被回退"),
    }
    return texts.get(code, code)


def detail_text(detail: object) -> str:
    """An entry's details as one line."""
    if not isinstance(detail, dict):
        return ""
    pairs = []
    for key, value in detail.items():
        shown = words.choice("ROLES", value) if key == "role" else value
        pairs.append(f"{key}={shown}")
    return ", ".join(pairs)
