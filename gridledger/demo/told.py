"""What a person is told of a demo that runs: its address, its accounts, what there is to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROLES = {
    "admin": ("管理员", "admin"), "supervisor": ("网格长", "supervisor"),
    "handler": ("责任单位", "responsible unit"), "auditor": ("审计员", "auditor"),
}  # fmt: skip
SHOWN = 6  # supervisors or workers of a large demo
# Whose page shows what: (role, Chinese, English). All of it is meant to be there.
TO_SEE = (
    ("supervisor", "隔离区有 1 笔：交接 11 天后才传来的走访，等网格长裁定",
     "Quarantine: one visit that came long after a hand-over, to be decided"),
    ("supervisor", "照片未到有 2 张、手机有 1 部：旧手机 4 天没有联系",
     "Photos overdue, Phones: an old phone not heard of for four days"),
    ("supervisor", "问题台账 → 导出 → 我的导出：已做好 1 份 Excel",
     "Ledger, Export, my exports: one sheet is ready"),
    ("admin", "投诉建议有 1 条：网格员提的，还没有答复",
     "Feedback: one suggestion without an answer"),
    ("handler", "我的任务：按时限排好，可以签收、退回、申请销号",
     "My tasks, by deadline: accept, return, ask for closure"),
    ("auditor", "审计日志：谁看过、改过、导出过", "Audit log: who looked, changed, exported"),
)  # fmt: skip


def lines(told: dict[str, Any], data: Path) -> list[str]:
    """The same that `--json` prints, for a person."""
    found = [
        "",
        f"网址 / Address   {told['url']}",
        "",
        "账号 / Accounts（仅限本演示 / this demo only）",
    ]
    for role, (zh, en) in ROLES.items():
        people = told["supervisors"] if role == "supervisor" else [told["accounts"][role]]
        for one in people:
            found.append(f"  {one['username']:<12} {one['password']}   {one['name']} {zh} {en}")
            found.append(f"  {'':<28} {_where(one['where'])}")
    found += ["", "网格员与手机登记码 / Workers and enrolment codes（24 小时有效 / for 24 h）"]
    for one in told["workers"]:
        code = told["enrolment_codes"][one["username"]]
        found.append(
            f"  {one['username']:<12} {one['password']}   {code}   {one['name']} {one['where'][0]}"
        )
    found += ["", "看什么 / What to see"]
    found += [f"  {role:<12} {zh}\n  {'':<12} {en}" for role, zh, en in TO_SEE]
    return [
        *found,
        "",
        "下一步 / Next：另开一个终端 / in another terminal",
        "  .venv/bin/gridledger phone",
        f"  服务器 / server {told['url']}，登记码任选一个 / any of the codes",
        "",
        f"数据在 / Data in {data}；按 Ctrl-C 停止 / Ctrl-C stops.",
    ]


def _where(names: list[str]) -> str:
    zh, en = names
    return zh if zh == en else f"{zh} / {en}"
