"""An audit entry's details in words: every key and every coded value that the code writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext

from server.web import clocks, ledger_list, words
from shared import ids

FORMATS = {"xlsx": "Excel", "csv": "CSV", "geojson": "GeoJSON"}


def text(detail: object, people: Mapping[str, Any] | None = None) -> str:
    """Details as one line. ``people``: account id -> who that is."""
    if not isinstance(detail, dict):
        return ""
    pairs = [
        f"{labels().get(key, key)}{_('：')}{_value(key, value, people or {})}"
        for key, value in detail.items()
        if value not in (None, "", {}, [])
    ]
    return _("；").join(pairs)


def people_in(detail: object) -> list[str]:
    """The accounts that details name."""
    filters = detail.get("filters") if isinstance(detail, dict) else None
    worker = filters.get("worker") if isinstance(filters, dict) else None
    return [worker] if isinstance(worker, str) else []


def labels() -> dict[str, str]:
    """What each key of the details is called."""
    return {
        "username": _("用户名"),
        "role": _("角色"),
        "fields": _("哪一项"),
        "from": _("从"),
        "to": _("到"),
        "records": _("记录数"),
        "stay": _("收不回"),
        "reason": _("原因"),
        "corrected": _("改正过"),
        "result": _("结果"),
        "format": _("格式"),
        "unmasked": _("不隐藏个人信息"),
        "filters": _("筛选"),
        "who": _("谁"),
        "name": _("手机名称"),
        "device": _("手机"),
        "kind": _("记录"),
        "page": _("页面"),
        "at": _("看的时间"),
        "scope_rev": _("第几次变动"),
        "file": _("文件"),
        "created": _("新建"),
        "changed": _("改动"),
        "renamed": _("改名"),
        "rows": _("行数"),
        "bad": _("有错的行"),
        "photos": _("照片数"),
        "thumbnails": _("缩略图"),
        "uploads": _("过期上传"),
        "bytes": _("字节"),
        "into": _("新照片"),
        "boxes": _("遮挡几处"),
        "by": _("怎么列"),
        "period": _("统计时间"),
        "problems": _("问题"),
        "drafts": _("草稿"),
    }


def filters() -> dict[str, str]:
    """What each part of a list's filter is called."""
    return {
        "state": _("状态"),
        "category": _("问题类别"),
        "body": words.field_name("problem", "body"),
        "area": _("区域"),
        "flag": _("标记"),
        "text": _("搜索"),
        "sort": _("排序"),
        "since": _("从"),
        "until": _("到"),
        "worker": _("网格员"),
        "outcome": words.field_name("visit", "outcome"),
    }


def coded() -> dict[str, dict[str, str]]:
    """Values that are codes: key of the details or of a filter -> code -> words."""
    states = {"open": _("全部未办结"), "all": _("全部")}
    for kind, field in (("problem", "state"), ("visit", "review_state")):
        states |= dict(words.codes(kind, field))
    return {
        "fields": {
            "name": _("姓名"), "area_code": _("区域"), "phone": _("电话"),
            "body": words.field_name("problem", "body"),
        },
        "format": FORMATS,
        "page": {"home": _("住户"), "visit": _("走访"), "problem": _("问题"), "phone": _("手机上")},
        "result": {"applied": _("已生效"), "merged": _("已合并"), "conflict": _("有冲突")},
        "by": {
            "street": _("按街道"), "community": _("按社区"), "area": _("按网格"),
            "body": _("按责任单位"), "category": _("按类别"), "month": _("按月"),
        },
        "kind": {"ledger": _("问题台账"), "visits": _("走访记录")},
        "state": states,
        "flag": ledger_list.flags(),
        "sort": {
            "due": _("按期限"), "found": pgettext("log", "新发现的在前"),
            "oldest": pgettext("log", "早发现的在前"), "number": pgettext("log", "按编号"),
            "received": pgettext("log", "新收到的在前"),
        },
        "outcome": dict(words.codes("visit", "outcome")),
    }  # fmt: skip


def _value(key: str, value: object, people: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("、").join(_value(key, one, people) for one in value)
    if isinstance(value, dict):
        parts = [
            f"{filters().get(name, name)} {_value(name, one, people)}"
            for name, one in value.items()
        ]
        return _("、").join(parts)
    if isinstance(value, int):
        if key in ("at", "since", "until"):
            return words.stamp(value)
        return words.size(value) if key == "bytes" else str(value)
    return _text(key, str(value), people)


def _text(key: str, code: str, people: Mapping[str, Any]) -> str:
    known = coded().get(key, {}).get(code)
    if known is not None:
        return known
    match key:
        case "role":
            return words.choice("ROLES", code)
        case "kind":
            return words.kind_name(code)
        case "category" | "created" | "changed":
            return words.reference_name(clocks.categories().get(code), code)
        case "body":
            return words.reference_name(clocks.bodies().get(code), code)
        case "worker":
            return people[code].name if code in people else _("不清楚")
    if ids.is_id(code):
        return f"…{code[-6:]}"  # a phone or a photo: enough to tell two apart
    return code.removeprefix("grid:").removeprefix("area:")
