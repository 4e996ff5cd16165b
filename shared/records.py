"""Every synced kind: its fields, each field's type and merge rule, declared once.

The server's tables, the phone's checks, the messages' schemas, the conflict page and
docs/protocol.md are all made from, or tested against, these declarations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import vocabulary as v
from shared.protocol import MAX_TEXT

# Types of a field's value. None is allowed wherever the field is not required.
TEXT = "text"  # str
BOOL = "bool"
INT = "int"
MS = "ms"  # Unix milliseconds, UTC
REF = "ref"  # another record's UUID
CODE = "code"  # one of the field's choices, or a free short code where it has none
SET = "set"  # list of distinct codes, sorted
JSON = "json"  # an object or list
POSITION = "position"  # {"lat": float, "lng": float, "accuracy": metres}, WGS-84

# Merge rules: what happens when two devices changed one field without having seen each other.
REVIEW = "review"  # the accepted value stays, a conflict keeps both, a supervisor decides
LATEST = "latest"  # the later arrival wins, the earlier stays in the history
ADD_WINS = "set"  # elements are added and removed one by one; additions win
FIXED = "fixed"  # given when the record is made, never changed
SERVER = "server"  # written by the server's rules alone


@dataclass(frozen=True)
class Field:
    """One field of a kind.

    ``personal`` marks data about a person: masked in exports and lists, scrubbed by erasure.
    ``limit`` is a text's longest length in characters.
    """

    name: str
    type: str
    rule: str
    zh: str
    en: str
    required: bool = False
    choices: tuple[v.Choice, ...] = ()
    limit: int = 200
    personal: bool = False


@dataclass(frozen=True)
class Kind:
    """One synced kind. ``home`` says which sort of partition its records live in.

    ``parents`` are the REF fields that must name a known record: field -> kind. An empty kind
    stands for "the kind that the field <name minus _id>_kind names".
    """

    name: str
    zh: str
    en: str
    home: str  # "grid" | "area" | "person"
    fields: tuple[Field, ...]
    creators: frozenset[str]
    editors: frozenset[str]
    parents: Mapping[str, str]

    def field(self, name: str) -> Field | None:
        """The declaration of a field, None for one that the kind does not have."""
        return FIELDS[self.name].get(name)


def _f(name: str, type_: str, rule: str, zh: str, en: str, **more: Any) -> Field:
    return Field(name, type_, rule, zh, en, **more)


def _kind(
    name: str,
    zh: str,
    en: str,
    home: str,
    *fields: Field,
    creators: str = "",
    editors: str = "",
    parents: Mapping[str, str] | None = None,
) -> Kind:
    return Kind(
        name,
        zh,
        en,
        home,
        fields,
        frozenset(creators.split()),
        frozenset(editors.split()),
        parents or {},
    )


FIELD_STAFF = "grid_worker supervisor"

AREA = _kind(
    "area", "区域", "Area", "area",
    _f("code", TEXT, FIXED, "区划代码", "Code", required=True, limit=15),
    _f("name", TEXT, LATEST, "名称", "Name", required=True, limit=60),
    _f("level", CODE, FIXED, "级别", "Level", required=True, choices=v.LEVELS),
    _f("parent_code", TEXT, FIXED, "上级代码", "Parent code", limit=15),
    _f("boundary", JSON, LATEST, "边界", "Boundary"),
    _f("label", TEXT, LATEST, "特色品牌", "Label", limit=60),
    creators="admin", editors="admin",
)  # fmt: skip
COMPOUND = _kind(
    "compound", "楼院", "Compound", "grid",
    _f("name", TEXT, REVIEW, "名称", "Name", required=True, limit=80),
    _f("address", TEXT, REVIEW, "地址", "Address"),
    _f("management", CODE, REVIEW, "管理方式", "Management", choices=v.MANAGEMENT),
    _f("steward", TEXT, REVIEW, "楼院长", "Steward", limit=60, personal=True),
    _f("steward_phone", TEXT, REVIEW, "楼院长电话", "Steward's phone", limit=30, personal=True),
    _f("position", POSITION, LATEST, "位置", "Position"),
    _f("note", TEXT, REVIEW, "备注", "Note", limit=MAX_TEXT),
    creators=FIELD_STAFF, editors=FIELD_STAFF,
)  # fmt: skip
HOUSEHOLD = _kind(
    "household", "住户", "Household", "grid",
    _f("compound_id", REF, REVIEW, "楼院", "Compound"),
    _f("building", TEXT, REVIEW, "楼栋", "Building", limit=30),
    _f("unit", TEXT, REVIEW, "单元", "Unit", limit=30),
    _f("door", TEXT, REVIEW, "门牌号", "Door", limit=30, personal=True),
    _f("address", TEXT, REVIEW, "标准地址", "Address", personal=True),
    _f("contact_name", TEXT, REVIEW, "联系人", "Contact", limit=60, personal=True),
    _f("contact_phone", TEXT, REVIEW, "联系电话", "Phone", limit=30, personal=True),
    _f("risk_level", CODE, REVIEW, "关注等级", "Risk level", choices=v.RISK),
    _f("care_groups", SET, ADD_WINS, "重点人群", "Care groups", choices=v.CARE_GROUPS,
       personal=True),
    _f("state", CODE, REVIEW, "居住状态", "State", choices=v.HOUSEHOLD_STATE),
    _f("residents_count", INT, LATEST, "居住人数", "Residents"),
    _f("position", POSITION, LATEST, "位置", "Position", personal=True),
    _f("note", TEXT, REVIEW, "备注", "Note", limit=MAX_TEXT, personal=True),
    creators=FIELD_STAFF, editors=FIELD_STAFF, parents={"compound_id": "compound"},
)  # fmt: skip
RESIDENT = _kind(
    "resident", "居民", "Resident", "grid",
    _f("household_id", REF, REVIEW, "住户", "Household", required=True),
    _f("name", TEXT, REVIEW, "姓名", "Name", required=True, limit=60, personal=True),
    _f("phone", TEXT, REVIEW, "电话", "Phone", limit=30, personal=True),
    _f("age_band", CODE, REVIEW, "年龄段", "Age band", choices=v.AGE_BANDS, personal=True),
    _f("care_groups", SET, ADD_WINS, "重点人群", "Care groups", choices=v.CARE_GROUPS,
       personal=True),
    _f("legal_basis", CODE, LATEST, "处理依据", "Legal basis", choices=v.LEGAL_BASIS),
    _f("retain_until", MS, LATEST, "保存至", "Retain until"),
    creators=FIELD_STAFF, editors=FIELD_STAFF, parents={"household_id": "household"},
)  # fmt: skip
VISIT = _kind(
    "visit", "走访", "Visit", "grid",
    _f("target_kind", CODE, FIXED, "走访对象类型", "Target kind", required=True, choices=v.TARGETS),
    _f("target_id", REF, FIXED, "走访对象", "Target"),
    _f("target_name", TEXT, REVIEW, "对象名称", "Target name", limit=80, personal=True),
    _f("reason", CODE, REVIEW, "走访事由", "Reason", required=True, choices=v.VISIT_REASONS),
    _f("outcome", CODE, REVIEW, "走访结果", "Outcome", required=True, choices=v.OUTCOMES),
    _f("note", TEXT, REVIEW, "走访情况", "Note", limit=MAX_TEXT, personal=True),
    _f("appeal", TEXT, REVIEW, "诉求与建议", "Appeal", limit=MAX_TEXT, personal=True),
    _f("concern_tags", SET, ADD_WINS, "急难愁盼", "Concerns", choices=v.CONCERNS),
    _f("early_sign", TEXT, REVIEW, "苗头", "Early sign", limit=MAX_TEXT, personal=True),
    _f("resolved_on_spot", BOOL, REVIEW, "现场办结", "Solved on the spot"),
    _f("answers", JSON, LATEST, "专项问答", "Answers"),
    _f("visited_at", MS, REVIEW, "走访时间", "Time", required=True),
    _f("position", POSITION, LATEST, "位置", "Position", personal=True),
    _f("review_state", CODE, SERVER, "审核状态", "Review", choices=v.REVIEW_STATES),
    _f("review_note", TEXT, SERVER, "审核意见", "Review note", limit=MAX_TEXT),
    _f("reviewed_by", REF, SERVER, "审核人", "Reviewer"),
    _f("reviewed_at", MS, SERVER, "审核时间", "Reviewed at"),
    creators=FIELD_STAFF, editors=FIELD_STAFF,
    parents={"target_id": ""},
)  # fmt: skip
PROBLEM = _kind(
    "problem", "台账项", "Problem", "grid",
    _f("category", CODE, REVIEW, "问题类别", "Category", required=True),
    _f("description", TEXT, REVIEW, "问题描述", "Description", required=True, limit=MAX_TEXT,
       personal=True),
    _f("place", TEXT, REVIEW, "地址", "Place", required=True, personal=True),
    _f("target_kind", CODE, FIXED, "地点类型", "Place kind", choices=v.TARGETS),
    _f("target_id", REF, FIXED, "地点", "Place record"),
    _f("visit_id", REF, FIXED, "走访", "Visit"),
    _f("position", POSITION, LATEST, "位置", "Position", personal=True),
    _f("concern_tags", SET, ADD_WINS, "急难愁盼", "Concerns", choices=v.CONCERNS),
    _f("source", CODE, REVIEW, "问题来源", "Source", required=True, choices=v.SOURCES),
    _f("reporter_name", TEXT, REVIEW, "反映人", "Reporter", limit=60, personal=True),
    _f("reporter_phone", TEXT, REVIEW, "反映人电话", "Reporter's phone", limit=30, personal=True),
    _f("found_at", MS, FIXED, "发现时间", "Found at", required=True),
    _f("solved_on_spot", BOOL, FIXED, "现场办结", "Solved on the spot"),
    _f("track", CODE, LATEST, "治理类型", "Track", choices=v.TRACKS),
    _f("hard", BOOL, SERVER, "疑难", "Hard case"),
    _f("state", CODE, SERVER, "状态", "State", choices=v.PROBLEM_STATES),
    _f("step", INT, SERVER, "步数", "Step"),
    _f("round", INT, SERVER, "轮次", "Round"),
    _f("ledger_no", TEXT, SERVER, "台账编号", "Ledger no.", limit=30),
    _f("body", CODE, SERVER, "责任单位", "Responsible unit"),
    _f("owner", TEXT, SERVER, "责任人", "Owner", limit=60),
    _f("co_bodies", SET, SERVER, "协办单位", "Assisting units"),
    _f("measure", TEXT, SERVER, "整改措施", "Measure", limit=MAX_TEXT),
    _f("due_at", MS, SERVER, "整改时限", "Due"),
    _f("overdue_at", MS, SERVER, "超期时间", "Overdue since"),
    _f("supervised", BOOL, SERVER, "挂牌督办", "Supervised"),
    _f("extensions", INT, SERVER, "延期次数", "Extensions"),
    _f("suspended_until", MS, SERVER, "挂账至", "Suspended until"),
    _f("suspend_requested", BOOL, SERVER, "申请挂账", "Suspension asked"),
    _f("result", TEXT, SERVER, "完成情况", "Result", limit=MAX_TEXT),
    _f("root_cause", CODE, SERVER, "问题根源", "Root cause", choices=v.ROOT_CAUSES),
    _f("merged_into", REF, SERVER, "并入", "Merged into"),
    _f("closure_by", REF, SERVER, "申请销号人", "Closure asked by"),
    _f("closed_by", REF, SERVER, "销号人", "Closed by"),
    _f("closed_at", MS, SERVER, "销号时间", "Closed at"),
    _f("callback_note", TEXT, SERVER, "回访结果", "Call-back", limit=MAX_TEXT),
    _f("satisfaction", CODE, SERVER, "满意度", "Satisfaction", choices=v.SATISFACTION),
    # When each thing happened, in the round that runs (the server's clock).
    _f("reported_at", MS, SERVER, "收到时间", "Received at"),
    _f("registered_at", MS, SERVER, "立案时间", "Registered at"),
    _f("dispatched_at", MS, SERVER, "派遣时间", "Dispatched at"),
    _f("accepted_at", MS, SERVER, "签收时间", "Accepted at"),
    _f("closure_asked_at", MS, SERVER, "申请销号时间", "Closure asked at"),
    _f("callback_at", MS, SERVER, "回访时间", "Called back at"),
    _f("archived_at", MS, SERVER, "归档时间", "Archived at"),
    # The clocks (shared.timers). `deadline_at` is the nearest that runs; `next_at` is when the
    # scheduled tick looks at the problem again.
    _f("dispatch_due_at", MS, SERVER, "派遣时限", "To be dispatched by"),
    _f("dispatch_overdue_at", MS, SERVER, "派遣超期时间", "Dispatch overdue since"),
    _f("accept_due_at", MS, SERVER, "签收时限", "To be accepted by"),
    _f("accept_overdue_at", MS, SERVER, "签收超期时间", "Acceptance overdue since"),
    _f("due_unit", CODE, SERVER, "时限单位", "Unit of the limit", choices=v.LIMIT_UNITS),
    _f("paused_at", MS, SERVER, "暂停计时起", "Clock stands since"),
    _f("deadline_at", MS, SERVER, "最近时限", "Nearest deadline"),
    _f("next_at", MS, SERVER, "下次到点", "Next due moment"),
    _f("extension_requested", BOOL, SERVER, "申请延期", "Extension asked"),
    _f("extension_until", MS, SERVER, "申请延至", "Extension asked until"),
    # {body: {"at", "by", "accepted_at", "accepted_by"}}: each body that was whistled for.
    _f("whistle", JSON, SERVER, "吹哨", "Whistle"),
    _f("remind_count", INT, SERVER, "催办次数", "Reminders"),
    _f("recurring", BOOL, SERVER, "复发", "Recurring"),
    _f("root_whys", JSON, SERVER, "多问为什么", "Whys"),
    _f("return_cause", CODE, SERVER, "退回原因", "Cause of return", choices=v.RETURN_CAUSES),
    _f("reopen_cause", CODE, SERVER, "重开原因", "Cause of reopening", choices=v.REOPEN_CAUSES),
    _f("merged_count", INT, SERVER, "并入件数", "Merged into this"),
    # Where it is, for finding what is near: from the target, and from the position.
    _f("compound_id", REF, SERVER, "楼院", "Compound"),
    _f("cell", TEXT, SERVER, "方格", "Map cell", limit=20),
    creators=FIELD_STAFF, editors=FIELD_STAFF,
    parents={"target_id": "", "visit_id": "visit"},
)  # fmt: skip
PROGRESS = _kind(
    "progress", "进展", "Progress", "grid",
    _f("problem_id", REF, FIXED, "台账项", "Problem", required=True),
    _f("action", CODE, FIXED, "动作", "Action", required=True),
    _f("from_state", CODE, FIXED, "原状态", "From", choices=v.PROBLEM_STATES),
    _f("to_state", CODE, FIXED, "新状态", "To", choices=v.PROBLEM_STATES),
    _f("step", INT, FIXED, "步数", "Step"),
    _f("actor", REF, FIXED, "经办人", "Who"),
    _f("acted_at", MS, FIXED, "时间", "When"),
    _f("reason", TEXT, FIXED, "原因", "Why", limit=MAX_TEXT),
    _f("detail", JSON, FIXED, "内容", "Detail"),
    _f("round", INT, FIXED, "轮次", "Round"),
    _f("made_at", MS, FIXED, "手机时间", "Made on the phone at"),
    _f("attempt", BOOL, FIXED, "未办成", "Came too late"),
    parents={"problem_id": "problem"},
)  # fmt: skip
PHOTO = _kind(
    "photo", "照片", "Photo", "grid",
    _f("owner_kind", CODE, FIXED, "所属类型", "Owner kind", required=True),
    _f("owner_id", REF, FIXED, "所属记录", "Owner", required=True),
    _f("sha256", TEXT, FIXED, "校验值", "SHA-256", required=True, limit=64),
    _f("size", INT, FIXED, "大小", "Bytes", required=True),
    _f("width", INT, FIXED, "宽", "Width"),
    _f("height", INT, FIXED, "高", "Height"),
    _f("mime", CODE, FIXED, "格式", "Format"),
    _f("phase", CODE, FIXED, "阶段", "Phase", required=True, choices=v.PHASES),
    _f("taken_at", MS, FIXED, "拍摄时间", "Taken at"),
    _f("position", POSITION, FIXED, "位置", "Position", personal=True),
    _f("state", CODE, SERVER, "状态", "State", choices=v.PHOTO_STATES),
    _f("verified_at", MS, SERVER, "核实时间", "Verified at"),
    _f("redacts", REF, SERVER, "遮挡自哪张照片", "Redacted from"),
    _f("replaced_by", REF, SERVER, "换成了哪张照片", "Replaced by"),
    creators=FIELD_STAFF + " handler", editors="",
    parents={"owner_id": ""},
)  # fmt: skip
TASK = _kind(
    "task", "任务", "Task", "person",
    _f("user_id", REF, FIXED, "谁", "Who", required=True),
    _f("type", CODE, FIXED, "类型", "Type", required=True, choices=v.TASK_TYPES),
    _f("about_kind", CODE, FIXED, "对象类型", "About kind"),
    _f("about_id", REF, FIXED, "对象", "About"),
    _f("tx_id", REF, FIXED, "提交", "Transaction"),
    _f("reason", TEXT, FIXED, "原因", "Reason", limit=MAX_TEXT),
    _f("detail", JSON, FIXED, "内容", "Detail"),
    _f("due_at", MS, SERVER, "期限", "Due"),
    _f("state", CODE, SERVER, "状态", "State", choices=v.TASK_STATES),
    _f("done_at", MS, SERVER, "办结时间", "Done at"),
)  # fmt: skip
REFERENCE = _kind(
    "reference", "基础资料", "Reference", "area",
    _f("type", CODE, FIXED, "类型", "Type", required=True, choices=v.REFERENCE_TYPES),
    _f("code", TEXT, FIXED, "代码", "Code", required=True, limit=60),
    _f("name", TEXT, LATEST, "名称", "Name", required=True, limit=80),
    _f("name_en", TEXT, LATEST, "英文名", "English name", limit=120),
    _f("data", JSON, LATEST, "内容", "Data"),
    _f("active", BOOL, LATEST, "启用", "Active"),
    _f("position_no", INT, LATEST, "次序", "Order"),
    creators="admin", editors="admin",
)  # fmt: skip
CONFLICT = _kind(
    "conflict", "冲突", "Conflict", "grid",
    _f("about_kind", CODE, FIXED, "对象类型", "About kind", required=True),
    _f("about_id", REF, FIXED, "对象", "About", required=True),
    _f("field", CODE, FIXED, "字段", "Field", required=True),
    _f("version", INT, SERVER, "版本", "Version"),
    _f("accepted", JSON, SERVER, "现用的值", "Accepted value"),
    _f("accepted_by", REF, SERVER, "现用的值是谁写的", "Accepted value's author"),
    _f("accepted_at", MS, SERVER, "现用的值何时写的", "Accepted value's time"),
    _f("accepted_rev", INT, SERVER, "现用的值的修订号", "Accepted value's rev"),
    _f("proposed", JSON, SERVER, "另一个值", "Proposed value"),
    _f("proposed_by", REF, FIXED, "另一个值是谁写的", "Proposed value's author"),
    _f("proposed_device", REF, FIXED, "另一个值的设备", "Proposed value's device"),
    _f("proposed_at", MS, SERVER, "另一个值何时写的", "Proposed value's time"),
    _f("seen_rev", INT, SERVER, "写时见到的修订号", "What its author had seen"),
    _f("state", CODE, SERVER, "状态", "State", choices=v.CONFLICT_STATES),
    _f("verdict", JSON, SERVER, "裁定的值", "Verdict"),
    _f("decided_by", REF, SERVER, "裁定人", "Decided by"),
    _f("decided_at", MS, SERVER, "裁定时间", "Decided at"),
)  # fmt: skip

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        AREA, COMPOUND, HOUSEHOLD, RESIDENT, VISIT, PROBLEM, PROGRESS, PHOTO, TASK, REFERENCE,
        CONFLICT,
    )
}  # fmt: skip
FIELDS: dict[str, dict[str, Field]] = {
    name: {field.name: field for field in kind.fields} for name, kind in KINDS.items()
}

# A conflict about the record as a whole: deleted by one, changed by another who had not seen it.
DELETED = "deleted"


def parent_of(kind: Kind, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The (kind, id) pairs of other records that these values need."""
    found = []
    for name, parent in kind.parents.items():
        record_id = values.get(name)
        parent_kind = parent or values.get(name.removesuffix("_id") + "_kind")
        if record_id and isinstance(parent_kind, str) and parent_kind in KINDS:
            found.append((parent_kind, record_id))
    return found


def first_values(kind: Kind) -> dict[str, Any]:
    """The values of the server's own fields in a new record."""
    if kind is VISIT:
        return {"review_state": "pending"}
    if kind is PHOTO:
        return {"state": "declared"}
    return {}
