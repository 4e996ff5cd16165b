"""What this phone knows about itself and its owner should know too: one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from mobile.sync.phone import Recovered, SyncReport, SyncStatus
from mobile.ui import look
from mobile.ui.words import language, pick, tr

TOLD_BY_STATUS = frozenset({"token_revoked", "upgrade_required"})
NO_USE = ("verified", "refused", "missing")  # such a photo need not be handed in, or cannot be


def of_status(status: SyncStatus) -> Iterator[look.Look]:
    """What stands whether or not a sync has just run, the gravest first."""
    if status.revoked:
        yield revoked(status)
    if status.upgrade_needed:
        yield look.Look(tr("请更新应用；内容仍会上传，但收不到新内容。"), "phone", "warn")
    if status.clock_wrong and status.clock_offset is not None:
        minutes = abs(status.clock_offset) // 60_000
        said = (
            tr("手机时间快了{n}分钟，请校准。记录不受影响。", n=minutes)
            if status.clock_offset > 0
            else tr("手机时间慢了{n}分钟，请校准。记录不受影响。", n=minutes)
        )
        yield look.Look(said, "clock", "warn")


def revoked(status: SyncStatus) -> look.Look:
    """Whether all was handed in; on a wiped phone, that it was."""
    if status.handed_in:
        said = tr("这部手机已停用，手里的内容已交给网格长。下次同步时手机会清空。")
        return look.Look(said, "disc_check", "warn")
    photos = sum(photo.state not in NO_USE for photo in status.photos_waiting)
    parts = [
        tr("{n}条记录", n=status.waiting) if status.waiting else "",
        tr("{n}张照片", n=photos) if photos else "",
    ]
    left = tr("、").join(filter(None, parts))
    said = (
        tr("这部手机已停用，还有{what}没交上，请保持联网。", what=left)
        if left
        else tr("这部手机已停用，正在核对交上的内容，请保持联网。")
    )
    return look.Look(said, "warn", "danger")


def of_report(report: SyncReport | None) -> Iterator[look.Look]:
    """What went wrong in the last sync, but for what the status tells."""
    for trouble in report.troubles if report else ():
        if trouble.code in TOLD_BY_STATUS:
            continue
        said = pick(trouble.message_zh, trouble.message_en)
        if trouble.retry:
            said = tr("{what}。内容都在手机上，稍后自动再试。", what=said.rstrip("。"))
        yield look.Look(said, "warn", "warn" if trouble.retry else "danger")


def repaired(status: SyncStatus) -> Iterator[look.Look]:
    """That checking against the server found differences and mended them."""
    if status.repairs:
        said = tr("核对时修复过{n}次：与服务器不同的内容已重新下载。", n=status.repairs)
        yield look.Look(said, "check", "info")


def recovered(found: Recovered) -> str:
    """What became of a damaged store, in sentences."""
    said = [
        tr("本机数据库损坏，已恢复{n}条未上传，旧文件保留。", n=found.waiting)
        if found.waiting
        else tr("本机数据库损坏，没有未上传的内容，旧文件保留。")
    ]
    if found.lost:
        said.append(tr("有{n}条读不出来，请凭记忆补填。", n=found.lost))
    if not found.enrolled:
        said.append(tr("请重新登记，登记后自动上传。"))
    else:
        said.append(tr("其余内容会重新下载。"))
    return ("" if language() == "zh" else " ").join(said)
