"""What to do about something that the server did not take as it was, in one sentence."""

from __future__ import annotations

from mobile.ui.words import label, tr
from shared import records

# Where a field may stand that an answer names: an operation's record need not be the one shown.
_KINDS = ("household", "resident", "visit", "problem", "progress", "photo", "compound", "task")


def next_step(code: str, held: bool) -> str:
    """The next step after a code of `shared.protocol.TRANSACTION_CODES`; ``held`` or returned."""
    steps = {
        "invalid": tr("打开改正，再保存一次"),
        "needs": tr("打开补上，再保存一次"),
        "internal": tr("不用重填，等网格长处理"),
        "gap": tr("请凭记忆再填一次"),
        "out_of_scope": tr("请联系网格长处理，不用重填"),
        "late_handover": tr("不用重填，网格长确认后就算数"),
        "revoked": tr("不用再做什么，网格长会处理"),
        "parent_unknown": tr("不用重填，所属的记录收到后会自动接上"),
        "parent_held": tr("不用重填，所属的记录处理好后会自动接上"),
        "unknown_record": tr("不用重填，那条记录收到后会自动接上"),
        "erased": tr("不用再做什么；有疑问请问网格长"),
        "forbidden": tr("请有权限的人来办，或请教网格长"),
        "forbidden_field": tr("这一项请在办公室的网页上改"),
        "fixed_field": tr("要改这一项，请联系网格长"),
        "late_action": tr("打开看现在办到哪一步，再决定怎么办"),
        "not_allowed": tr("打开看现在办到哪一步，再决定怎么办"),
        "same_person": tr("请另一位同事来核查"),
        "photo_not_verified": tr("等照片核实后，再申请一次"),
        "stale_verdict": tr("打开看新的内容，再裁定一次"),
        "stale_review": tr("打开看新的内容，再审核一次"),
    }
    waits = tr("不用重填，等网格长处理")
    return steps.get(code, waits if held else tr("打开看看；不清楚就问网格长"))


def field_name(kind: str, name: str) -> str:
    """The name of the field that an answer speaks of; "" where a person has no such field."""
    for one in (kind, *_KINDS):
        if name in records.FIELDS.get(one, {}):
            return label(one, name)
    return ""
