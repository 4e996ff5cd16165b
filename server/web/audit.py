"""The audit log, for the auditor alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext

from server.storage.database import db
from server.storage.queries import audited, gallery, names
from server.web import args, audit_details, clocks, session, words
from server.web import gallery as photo_words
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
    named += [who for one in page.rows for who in audit_details.people_in(one.detail)]
    devices = gallery.devices(reading, [one.target for one in page.rows if one.target])
    named += [one.user_id for one in devices.values()]
    people = names.people(reading, [*named, given["actor"]])
    return render_template(
        "audit.html",
        page=page,
        chosen=given,
        actions=[(code, action_text(code)) for code in actions],
        action_text=action_text,
        detail_text=lambda detail: audit_details.text(detail, people),
        people=people,
        targets=_targets(devices, people),
        areas=names.areas(reading, [one.area_code for one in page.rows]),
        viewer=viewer,
    )


def _targets(devices: Mapping[str, Any], people: Mapping[str, names.Person]) -> dict[str, str]:
    """What beside people an entry may be about, by id or code: phones and bodies."""
    owners = {one.id: one.name for one in people.values()}
    phones = {i: photo_words.phone_text(one, owners, one.user_id) for i, one in devices.items()}
    bodies = {code: words.reference_name(one, code) for code, one in clocks.bodies().items()}
    return bodies | phones


def action_text(code: str) -> str:
    """An action of the log as a person reads it; an unknown one as it is."""
    return action_texts().get(code, code)


def action_texts() -> dict[str, str]:
    """Every action that the code writes, in words; "log" where a button says the same."""
    return {
        "sign_in": pgettext("log", "登录"),
        "sign_in_failed": _("登录失败"),
        "sign_out": pgettext("log", "退出"),
        "idle_sign_out": _("超时退出"),
        "user_add": pgettext("log", "新建账号"),
        "user_edit": pgettext("log", "改账号资料"),
        "user_disable": pgettext("log", "停用账号"),
        "user_enable": _("重新启用账号"),
        "password_set": pgettext("log", "重设密码"),
        "assign": pgettext("log", "分配网格"),
        "unassign": _("收回网格"),
        "enrolment_code": pgettext("log", "发登记码"),
        "device.enrol": _("登记手机"),
        "device.identity": _("手机换新身份"),
        "device_revoke": _("停用手机"),
        "export_ledger": _("导出台账"),
        "export_visits": _("导出走访"),
        "export_rates": _("导出三率"),
        "export.fetch": _("下载导出的文件"),
        "export_photos": _("下载问题照片"),
        "import_roster": _("导入住户名册"),
        "import_ledger": pgettext("log", "导入台账"),
        "reindex": _("重建搜索内容"),
        "import_unsent": _("导入手机未发送内容"),
        "categories": _("改问题类别"),
        "body_edit": _("改责任单位资料"),
        "area_import": _("导入区划"),
        "household.move": _("住户换网格"),
        "look.visits": _("打开走访列表"),
        "look.homes": _("打开住户名单"),
        "home.reveal": _("查看隐藏的住户信息"),
        "offer.take": _("收回手机里的内容"),
        "offer.take_all": _("全部收回手机里的内容"),
        "offer.leave": _("不要手机里的内容"),
        "quarantine.release": _("放行隔离内容"),
        "quarantine.refuse": pgettext("log", "不予收下"),
        "photo.redact": _("遮挡照片"),
        "photo.undo_redaction": _("撤销照片遮挡"),
        "photo.original": _("查看照片原图"),
        "photo.sweep": _("清理无主照片"),
        "feedback.answer": _("答复投诉建议"),
        "erase": pgettext("log", "依法删除"),
        "restore": _("恢复备份"),
        "epoch.rewind": _("发现数据被回退"),
    }
