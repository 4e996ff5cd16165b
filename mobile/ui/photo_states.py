"""How a photo's and a record's way to safety reads: a word, a shape and a tone; why it waits."""

from __future__ import annotations

from collections.abc import Sequence

from mobile.core.photo_queue import Verdict
from mobile.sync.phone import PhotoView, ProblemRow, SyncStatus, VisitRow, WaitingPhoto
from mobile.ui.look import Look
from mobile.ui.times import local
from mobile.ui.words import tr

MB = 1024 * 1024
LOST = ("refused", "missing")  # will not arrive any more
ON_THE_PHONE = ("waiting", "uploading", "corrupt")
NOTHING = Look("", "", "mute")


def headline(status: SyncStatus) -> str:
    """14张照片，12张已安全."""
    return tr("{m}张照片，{n}张已安全", m=status.photos, n=status.photos_verified)


def bytes_words(count: int) -> str:
    """A size as a person says it."""
    return f"{count / MB:.1f} MB" if count >= MB else f"{-(-count // 1024)} KB"


def so_far(photo: WaitingPhoto, sent: int | None = None) -> str:
    """n of m bytes."""
    here = photo.sent if sent is None else sent
    if here and photo.state in (*ON_THE_PHONE, "stored"):
        return tr("{n} / {m}", n=bytes_words(here), m=bytes_words(photo.size))
    return bytes_words(photo.size)


def left(status: SyncStatus) -> tuple[int, int]:
    """How many photos are still to be sent, and their bytes."""
    found = [one for one in status.photos_waiting if one.state in ON_THE_PHONE]
    return len(found), sum(one.size - one.sent for one in found)


def photo(one: WaitingPhoto, verdict: Verdict, sent: int | None, now: int) -> Look:
    """Where a photo is and what it waits for; ``sent``: it is on its way in this moment."""
    percent = 100 * (one.sent if sent is None else sent) // max(1, one.size)
    if one.state == "refused":
        return Look(tr("不能用：{why}", why=refused(one.reason)), "warn", "danger")
    if one.state == "missing":
        return Look(tr("照片文件不在手机上了，传不了"), "warn", "danger")
    if one.state in ("stored", "verified"):
        return Look(tr("已传完，等核实"), "clock", "mute")
    if sent is not None:
        return Look(tr("正在传{n}%", n=percent), "sync", "info")
    waits = _waits(one, verdict, now)
    if waits:
        return waits
    if one.state == "corrupt":
        return Look(tr("传坏了，会重新传"), "undo", "warn")
    if percent:
        return Look(tr("已传{n}%，会接着传", n=percent), "cloud_up", "info")
    return Look(tr("排队等上传"), "cloud_up", "info")


def _waits(one: WaitingPhoto, verdict: Verdict, now: int) -> Look | None:
    if verdict == "network":
        return Look(tr("等网络"), "cloud", "mute")
    if not one.queued:
        return Look(tr("等文字先送到"), "clock", "mute")
    if verdict == "wifi":
        return Look(tr("等 Wi-Fi"), "cloud", "mute")
    if verdict == "ask":
        return Look(tr("等您同意用流量"), "cloud", "warn")
    if one.retry_at and one.retry_at > now:
        return Look(tr("没传成，{time}再试", time=f"{local(one.retry_at):%H:%M}"), "clock", "warn")
    return None


def refused(reason: str) -> str:
    """Why the server will not take a photo, in words."""
    return {
        "not_an_image": tr("不是照片"),
        "broken": tr("照片已损坏"),
        "too_many_pixels": tr("像素太多"),
        "too_large": tr("文件太大"),
        "has_position": tr("照片里带着位置"),
        "not_wanted": tr("记录已删除，不用再传"),
    }.get(reason, tr("服务器没有收下"))


def badge(row: VisitRow | ProblemRow) -> Look:
    """A record of this person in a list: safe, or how many photos are still missing."""
    if not row.mine or row.place != "applied":
        return NOTHING
    if row.safe:
        return Look(tr("已安全"), "cloud_check", "good")
    if row.photos_left:
        return Look(tr("差{n}张照片", n=row.photos_left), "cloud_up", "info")
    return Look(tr("核对中"), "clock", "mute")


def receipt(row: VisitRow | ProblemRow, photos: Sequence[PhotoView]) -> Look:
    """The same as a sentence, for the record's own page."""
    if not row.mine:
        return NOTHING
    if row.place in ("waiting", "sent"):
        return Look(tr("现在只存在这部手机上，联网后自动上传"), "cloud_up", "info")
    if row.place != "applied":
        return NOTHING
    states = [one.state for one in photos]
    lost = sum(state in LOST for state in states)
    if lost:
        said = tr("文字已存到服务器，{n}张照片没能交上，下次上门请补拍", n=lost)
        return Look(said, "warn", "warn")
    if row.photos_left and states.count("stored") == row.photos_left:
        return Look(tr("文字和照片都已传到，等服务器核对"), "clock", "mute")
    if row.photos_left:
        said = tr("文字已存到服务器，还差{n}张照片（共{m}张）", m=len(photos), n=row.photos_left)
        return Look(said, "cloud_up", "info")
    if not row.safe:
        return Look(tr("服务器已收下，正在核对"), "clock", "mute")
    if photos:
        said = tr("已安全存到服务器，{n}张照片都核对过", n=len(photos))
        return Look(said, "cloud_check", "good")
    return Look(tr("已安全存到服务器"), "cloud_check", "good")
