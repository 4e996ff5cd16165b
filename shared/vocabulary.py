"""The choices of every coded field, each with its Chinese and English word (DOMAIN terms)."""

from __future__ import annotations

from typing import NamedTuple


class Choice(NamedTuple):
    """One value of a coded field and how a person reads it."""

    code: str
    zh: str
    en: str


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(*row) for row in rows)


LEVELS = _choices(
    ("province", "省", "Province"),
    ("city", "市", "City"),
    ("county", "区县", "County"),
    ("street", "街道", "Street"),
    ("community", "社区", "Community"),
    ("grid", "网格", "Grid"),
)
MANAGEMENT = _choices(
    ("property", "物业管理", "Property company"),
    ("employer", "单位管理", "Employer"),
    ("none", "无主管楼院", "Unmanaged"),
)
FEEDBACK_KINDS = _choices(
    ("complaint", "投诉", "Complaint"),
    ("suggestion", "建议", "Suggestion"),
)
RISK = _choices(
    ("normal", "一般", "Normal"), ("attention", "关注", "Attention"), ("high", "重点", "High")
)
CARE_GROUPS = _choices(
    ("elder_alone", "独居老人", "Elder living alone"),
    ("elder", "高龄老人", "Very old"),
    ("disabled", "残疾人", "Disabled"),
    ("low_income", "低保户", "Low income"),
    ("left_behind_child", "困境儿童", "Child in need"),
    ("serious_illness", "重病", "Seriously ill"),
    ("veteran", "退役军人", "Veteran"),
    ("special_family", "计生特殊家庭", "Bereaved family"),
)
HOUSEHOLD_STATE = _choices(
    ("lived_in", "常住", "Lived in"), ("empty", "空置", "Empty"), ("let", "出租", "Let")
)
AGE_BANDS = _choices(
    ("under_14", "14岁以下", "Under 14"),
    ("minor", "14至17岁", "14 to 17"),
    ("adult", "18至59岁", "18 to 59"),
    ("elder", "60至79岁", "60 to 79"),
    ("very_old", "80岁以上", "80 and over"),
)
LEGAL_BASIS = _choices(
    ("public_duty", "履行法定职责", "Public duty"),
    ("consent", "本人同意", "Consent"),
    ("emergency", "紧急情况", "Emergency"),
)
TARGETS = _choices(
    ("household", "住户", "Household"),
    ("compound", "楼院", "Compound"),
    ("shop", "商户", "Shop"),
    ("employer", "单位", "Employer"),
)
VISIT_REASONS = _choices(
    ("routine", "日常走访", "Routine"),
    ("care", "关爱探访", "Care"),
    ("appeal", "回应诉求", "Appeal"),
    ("recheck", "问题复查", "Re-check"),
    ("campaign", "专项走访", "Campaign"),
    ("callback", "回访", "Call-back"),
)
OUTCOMES = _choices(
    ("met", "见面", "Met"),
    ("not_met", "未遇", "Not met"),
    ("refused", "拒访", "Refused"),
    ("no_change", "无变化", "No change"),
)
CONCERNS = _choices(
    ("urgent", "急", "Urgent"),
    ("hard", "难", "Hard"),
    ("worry", "愁", "Worry"),
    ("hope", "盼", "Hope"),
)
REVIEW_STATES = _choices(
    ("pending", "待审核", "To review"),
    ("approved", "已通过", "Approved"),
    ("returned", "已退回", "Returned"),
)
SOURCES = _choices(
    ("worker", "网格员走访", "Worker"),
    ("resident", "居民反映", "Resident"),
    ("volunteer", "志愿者", "Volunteer"),
    ("party_member", "党员", "Party member"),
    ("hotline", "热线", "Hotline"),
)
TRACKS = _choices(
    ("routine", "常态治理", "Routine"),
    ("campaign", "专项治理", "Campaign"),
    ("innovation", "创新治理", "Innovation"),
    ("long_term", "长远治理", "Long term"),
)
PROBLEM_STATES = _choices(
    ("reported", "待立案", "Reported"),
    ("registered", "已立案", "Registered"),
    ("rejected", "不予立案", "Rejected"),
    ("merged", "已并案", "Merged"),
    ("dispatched", "已派遣", "Dispatched"),
    ("in_progress", "处理中", "In progress"),
    ("suspended", "已挂账", "Suspended"),
    ("closure_requested", "待核查", "To verify"),
    ("closed", "已销号", "Closed"),
    ("reopened", "重新打开", "Reopened"),
    ("archived", "已归档", "Archived"),
)
ROOT_CAUSES = _choices(
    ("facility", "设施老化", "Worn-out facility"),
    ("management", "管理缺位", "No management"),
    ("responsibility", "责任不清", "Unclear responsibility"),
    ("funding", "资金不足", "No funds"),
    ("relations", "邻里矛盾", "Neighbours"),
    ("policy", "政策衔接", "Policy gap"),
    ("other", "其他", "Other"),
)
SATISFACTION = _choices(
    ("satisfied", "满意", "Satisfied"),
    ("fairly", "基本满意", "Fairly satisfied"),
    ("unsatisfied", "不满意", "Unsatisfied"),
)
LIMIT_UNITS = _choices(
    ("urgent_hour", "小时", "Hours"),
    ("work_hour", "工作小时", "Working hours"),
    ("work_day", "工作日", "Working days"),
    ("natural_day", "天", "Days"),
)
PLACES_OF_USE = _choices(
    ("compound", "楼院", "Compound"),
    ("household", "户内", "Household"),
    ("street", "街面", "Street"),
)
RETURN_CAUSES = _choices(
    ("not_ours", "不属本单位职责", "Not this unit's duty"),
    ("wrong_area", "不在本单位辖区", "Outside this unit's area"),
    ("wrong_category", "问题分类有误", "Wrong category"),
)
REOPEN_CAUSES = _choices(
    ("unsatisfied", "回访不满意", "Call-back unsatisfied"),
    ("recurrence", "问题复发", "It came back"),
)
PHASES = _choices(
    ("scene", "现场", "Scene"), ("before", "整改前", "Before"), ("after", "整改后", "After")
)
PHOTO_STATES = _choices(
    ("declared", "等待上传", "Still on the phone"),
    ("stored", "已收到", "Stored"),
    ("verified", "已核实", "Verified"),
    ("corrupt", "损坏，将重传", "Corrupt, to be sent again"),
    ("refused", "无法使用", "Refused"),
)
TASK_TYPES = _choices(
    ("visit_due", "该走访了", "Visit due"),
    ("recheck", "复查", "Re-check"),
    ("returned_visit", "走访被退回", "Visit returned"),
    ("rejected_change", "有内容没有收下", "A change was not accepted"),
    ("conflict_verdict", "冲突已裁定", "A conflict was decided"),
    ("late_action", "这一步来晚了", "An action came too late"),
    ("tell_reporter", "告知反映人", "Tell the reporter"),
    ("callback", "回访", "Call back"),
    ("due_soon", "快到时限", "Deadline near"),
    ("due_now", "时限已到", "Deadline reached"),
    ("overdue", "已超期", "Overdue"),
    ("reminded", "催办", "Reminder"),
    ("whistled", "吹哨", "Whistled for"),
    ("suspension_ended", "挂账到期", "Suspension ended"),
    ("request", "有申请待批", "A request to decide"),
)
TASK_STATES = _choices(("open", "待办", "Open"), ("done", "已办", "Done"))
CONFLICT_STATES = _choices(
    ("open", "待裁定", "Open"), ("decided", "已裁定", "Decided"), ("agreed", "已一致", "Agreed")
)
REFERENCE_TYPES = _choices(
    ("category", "问题类别", "Category"),
    ("body", "责任单位", "Responsible unit"),
    ("form", "走访表", "Visit form"),
    ("person", "人员", "Person"),
    ("calendar", "工作日历", "Work calendar"),
    ("campaign", "专项", "Campaign"),
)
ROLES = _choices(
    ("grid_worker", "网格员", "Grid worker"),
    ("supervisor", "网格长", "Supervisor"),
    ("handler", "责任单位", "Responsible unit"),
    ("admin", "管理员", "Admin"),
    ("auditor", "审计员", "Auditor"),
)


def word(choices: tuple[Choice, ...], code: str | None, language: str = "zh") -> str:
    """How a person reads a code; an unknown code is shown as it is, None as nothing."""
    for choice in choices:
        if choice.code == code:
            return choice.en if language == "en" else choice.zh
    return code or ""


def words(choices: tuple[Choice, ...], codes: list[str] | None, language: str = "zh") -> str:
    """Several codes as one text, in the order of the vocabulary."""
    known = [c for c in choices if c.code in (codes or ())]
    other = [c for c in codes or () if c not in {k.code for k in known}]
    parts = [c.en if language == "en" else c.zh for c in known] + other
    return (", " if language == "en" else "、").join(parts)
