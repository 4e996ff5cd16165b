"""Versions, paths, limits and codes of the protocol: the one place both sides read them from.

docs/protocol.md explains them to a stranger who writes a client.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 1
OLDEST_PULL = 1  # an older phone may still push, never pull
NDJSON = "application/x-ndjson"
PROBLEM_JSON = "application/problem+json"

PREFIX = "/api/v1"
ENROL = f"{PREFIX}/enrol"
IDENTITY = f"{PREFIX}/identity"
PUSH = f"{PREFIX}/push"
PULL = f"{PREFIX}/pull"
OFFER = f"{PREFIX}/offer"
PHOTOS = f"{PREFIX}/photos"
FEEDBACK = f"{PREFIX}/feedback"
LOOKS = f"{PREFIX}/looks"
UNSENT_KEY = f"{PREFIX}/unsent-key"
OPENAPI = f"{PREFIX}/openapi.json"

# Limits, in bytes unless said otherwise. A phone checks them when it saves, so that nothing can be
# saved which the server would have to refuse.
MAX_BODY = 8 * 2**20  # a request's body, after decompression
MAX_COMPRESSED = 4 * 2**20  # a request's body as sent
MAX_TRANSACTION = 256 * 2**10  # one frozen transaction
MAX_OPERATIONS = 500  # operations of one transaction
PUSH_BATCH = 200  # transactions of one push
MAX_PHOTO = 20 * 2**20
PHOTO_CHUNK = 256 * 2**10
MAX_PHOTO_SIDE = 2048  # pixels
MAX_FEEDBACK = 2000  # characters of a complaint or suggestion
MAX_LOOKS = 200  # looks of one request
MAX_TEXT = 4000  # characters of a long text
CODE_MINUTES = 10  # life of an enrolment code
JOURNAL_DAYS = 30
LATE_DAYS = 7  # work made in good faith is applied this long after a hand-over
CLOCK_WARNING_MS = 5 * 60 * 1000
KEEP_ORIGINAL_DAYS = 7

# What becomes of a transaction.
APPLIED, MERGED, CONFLICT, HELD, REJECTED = "applied", "merged", "conflict", "held", "rejected"
RESULTS = (APPLIED, MERGED, CONFLICT, HELD, REJECTED)


@dataclass(frozen=True)
class Code:
    """An error code: may the same request be sent again, and what to tell a person."""

    status: int
    retry: bool
    zh: str
    en: str


# Codes of a request that failed as a whole (RFC 9457 problem+json, member "code").
REQUEST_CODES: dict[str, Code] = {
    "bad_envelope": Code(400, False, "请求格式不对", "The request is malformed"),
    "bad_request": Code(400, False, "请求内容不对", "The request is not valid"),
    "unknown_field": Code(400, False, "请求里有不认识的字段", "The request has an unknown field"),
    "sign_in_needed": Code(401, False, "请先登录", "Please sign in"),
    "token_unknown": Code(401, False, "这部手机没有登记，请重新扫码", "This phone is not enrolled"),
    "token_revoked": Code(401, False, "这部手机已停用，请联系管理员", "This phone was revoked"),
    "code_invalid": Code(401, False, "登记码不对或已用过，请管理员再发一个", "Code wrong or used"),
    "code_expired": Code(401, False, "登记码已过期，请管理员再发一个", "The code has expired"),
    "forbidden": Code(403, False, "您没有这项权限", "You may not do this"),
    "csrf": Code(400, False, "页面已过期，请刷新后再提交", "The page has expired; reload it"),
    "not_found": Code(404, False, "没有找到", "Not found"),
    "method_not_allowed": Code(405, False, "不支持这种请求方法", "Method not allowed"),
    "not_acceptable": Code(406, False, "无法按要求的格式回答", "Not acceptable"),
    "identity_needed": Code(409, False, "这部手机需要新的身份", "This phone needs a new identity"),
    "dseq_gap": Code(409, True, "中间缺了几条，请从缺口处重发", "Send again from the gap"),
    "epoch_changed": Code(409, True, "服务器恢复过备份，请重新下载", "The server was restored"),
    "offset_mismatch": Code(409, True, "上传位置不对，请先查询进度", "Wrong upload offset"),
    "stale": Code(409, False, "内容已被别人改过，请刷新后再看", "Changed meanwhile; reload"),
    "gone": Code(410, False, "已经不在了", "It is gone"),
    "too_large": Code(413, False, "内容太大，请分几次发送", "Too large: send it in parts"),
    "media_type": Code(415, False, "内容类型不对", "Unsupported media type"),
    "invalid": Code(422, False, "内容不合要求", "The content is not valid"),
    "locked": Code(423, True, "正在处理，请稍后再试", "Busy; try again"),
    "upgrade_required": Code(
        426, False, "请先升级应用，未上传的内容仍会收下", "Please update the app"
    ),
    "too_many": Code(429, True, "请求太多，请稍后再试", "Too many requests; try later"),
    "checksum_mismatch": Code(
        460, True, "传输中出错，请重传这一段", "Checksum mismatch: send again"
    ),
    "internal": Code(500, True, "服务器出错，已记录", "The server failed; it was logged"),
    "unavailable": Code(
        503, True, "服务器暂时不可用，请稍后再试", "The server is not available now"
    ),
}

# Codes of one transaction's answer: why it was held or rejected. Its content is then in quarantine.
TRANSACTION_CODES: dict[str, Code] = {
    "invalid": Code(200, False, "内容不合要求", "The content is not valid"),
    "internal": Code(200, False, "服务器没能处理，已转人工", "The server could not process it"),
    "gap": Code(200, False, "手机上这一条已读不出", "The phone could not read this entry"),
    "hash_mismatch": Code(200, False, "同一编号的内容前后不一致", "Same id, other content"),
    "out_of_scope": Code(200, False, "不在您负责的网格", "Not in your grids"),
    "late_handover": Code(200, False, "网格已交接，等网格长确认", "Made after the hand-over"),
    "revoked": Code(200, False, "手机已停用，内容已转交网格长", "The phone was revoked; kept safe"),
    "parent_unknown": Code(200, False, "所属的住户或问题还没有收到", "Its parent has not arrived"),
    "parent_held": Code(200, False, "所属的记录还在等网格长处理", "Its parent is held"),
    "unknown_record": Code(200, False, "要改的记录服务器上还没有", "The record has not arrived"),
    "erased": Code(200, False, "该记录已依法删除", "The record was erased"),
    "exists": Code(200, False, "同一编号的记录已存在", "A record with this id exists"),
    "forbidden": Code(200, False, "您没有这项权限", "You may not do this"),
    "forbidden_field": Code(200, False, "这一项不能由手机修改", "This field cannot be set"),
    "fixed_field": Code(200, False, "这一项建立后不能改", "This field is fixed once made"),
    "late_action": Code(200, False, "问题状态已变，这一步没有生效", "The problem has moved on"),
    "not_allowed": Code(200, False, "当前状态不能这样办", "Not possible in this state"),
    "needs": Code(200, False, "还缺必填内容", "Something required is missing"),
    "same_person": Code(200, False, "自己办的不能由自己核查", "Another person must verify"),
    "photo_not_verified": Code(200, False, "整改照片还没有核实", "The photo is not verified yet"),
    "stale_verdict": Code(200, False, "冲突内容已变，请重新裁定", "The conflict has moved on"),
    "stale_review": Code(200, False, "走访内容已变，请重新审核", "The visit has changed"),
}


def title(code: str, language: str = "zh") -> str:
    """What a code means, for a person; the code itself where it is not known."""
    found = REQUEST_CODES.get(code) or TRANSACTION_CODES.get(code)
    if found is None:
        return code
    return found.en if language == "en" else found.zh


def may_retry(code: str) -> bool:
    """Whether the same request may be sent again later; an unknown code may."""
    found = REQUEST_CODES.get(code)
    return found is None or found.retry
