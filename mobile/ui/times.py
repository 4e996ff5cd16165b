"""How a moment reads on the screen: Asia/Shanghai, the nearer the plainer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from mobile.ui.words import language, tr

SHANGHAI = timezone(timedelta(hours=8))
FIRST_MS, LAST_MS = -2_177_452_800_000, 7_258_003_200_000  # 1901 to 2199
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def local(ms: int) -> datetime:
    """The wall clock in Shanghai at a moment; the nearest that can be told for a wild one.

    Another phone's clock may have said anything.
    """
    return datetime.fromtimestamp(min(max(ms, FIRST_MS), LAST_MS) / 1000, UTC).astimezone(SHANGHAI)


def days_apart(ms: int, now: int) -> int:
    """Calendar days from a moment to now; negative for the future."""
    return (local(now).date() - local(ms).date()).days


def day(ms: int | None, now: int) -> str:
    """今天, 昨天, 5天前, 3月2日, 2025年3月2日."""
    if not ms:
        return ""
    gone = days_apart(ms, now)
    when = local(ms)
    if gone == 0:
        return tr("今天")
    if gone == 1:
        return tr("昨天")
    if gone == -1:
        return tr("明天")
    if 1 < gone < 7:
        return tr("{n}天前", n=gone)
    month = _MONTHS[when.month - 1] if language() == "en" else when.month
    if when.year == local(now).year:
        return tr("{m}月{d}日", m=month, d=when.day)
    return tr("{y}年{m}月{d}日", y=when.year, m=month, d=when.day)


def moment(ms: int | None, now: int) -> str:
    """The day and the time of day."""
    return f"{day(ms, now)} {local(ms):%H:%M}" if ms else ""


def due(ms: int | None, now: int) -> tuple[str, str]:
    """A time limit as a text and a tone: (还剩3天, good), (超期2天, danger)."""
    if not ms:
        return "", "mute"
    left = -days_apart(ms, now)
    if ms < now:
        return (tr("超期{n}天", n=-left) if left < 0 else tr("今天到期，已超时")), "danger"
    if left == 0:
        return tr("今天 {time} 到期", time=f"{local(ms):%H:%M}"), "warn"
    return tr("还剩{n}天", n=left), ("warn" if left <= 2 else "mute")
