"""The report of a run: for a person, or as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from gridledger.simulate.check import Findings
from gridledger.simulate.plan import FAULTS

_KEYS = (
    "transactions", "applied", "conflict", "quarantined", "waiting", "lost", "duplicated",
    "diverged_partitions", "out_of_scope_records", "missing_records", "photos_declared",
    "photos_verified", "photos_on_phone", "photos_lost",
)  # fmt: skip
_WORDS = {
    "phones": ("手机", "phones"),
    "transactions": ("手机保存的操作", "transactions saved on phones"),
    "applied": ("已生效", "applied"),
    "conflict": ("有冲突，两个值都在", "in conflict, both values kept"),
    "quarantined": ("在待处理区", "in quarantine"),
    "waiting": ("还在等待", "still waiting"),
    "lost": ("丢失", "lost"),
    "duplicated": ("重复", "duplicated"),
    "diverged_partitions": ("不一致的分区", "diverged partitions"),
    "out_of_scope_records": ("不该在手机上的记录", "records out of scope"),
    "missing_records": ("手机上缺的记录", "records missing on phones"),
    "photos_declared": ("照片", "photos"),
    "photos_verified": ("照片已核实", "photos verified"),
    "photos_on_phone": ("照片还在手机上", "photos still on a phone"),
    "photos_lost": ("照片丢失", "photos lost"),
    "seconds": ("秒", "seconds"),
}


def as_object(
    phones: int, found: Findings, faults: Mapping[str, int], seconds: float
) -> dict[str, Any]:
    """The report as a mapping; its keys are a promise."""
    return {
        "phones": phones,
        **{key: getattr(found, key) for key in _KEYS},
        "faults": {name: faults[name] for name in FAULTS if faults.get(name)},
        "seconds": seconds,
    }


def as_json(report: Mapping[str, Any]) -> str:
    """One line."""
    return json.dumps(report, ensure_ascii=False)


def show(report: Mapping[str, Any], found: Findings, echo: Callable[[str], Any]) -> None:
    """The report for a person."""
    for key, (zh, en) in _WORDS.items():
        echo(f"{report[key]:>8}  {zh} / {en}")
    faults: Mapping[str, int] = report["faults"]
    echo(f"{sum(faults.values()):>8}  故障 / faults")
    for name, count in faults.items():
        zh, en = FAULTS[name]
        echo(f"{count:>12}  {name}：{zh} / {en}")
    for line in found.told:
        echo(f"  ! {line}")
    echo("一条也没有丢 / Nothing was lost" if found.sound else "有问题 / Something is wrong")
