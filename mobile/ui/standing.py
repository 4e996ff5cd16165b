"""The report a worker shows the supervisor: facts in plain words, on the page and as a text."""

from __future__ import annotations

from collections.abc import Iterator

from mobile.storage.standing import Standing
from mobile.sync.enrolment import told
from mobile.ui.photo_states import bytes_words, left
from mobile.ui.syncing import not_accepted
from mobile.ui.times import moment
from mobile.ui.words import language, pick, tr
from shared import protocol

MOST = 20
Facts = list[tuple[str, str]]


def report(now_is: Standing, version: str, now: int) -> Iterator[tuple[str, Facts]]:
    """Sections of (label, value): what is not sent, what came back, the phone."""
    status = now_is.status
    photos, size = left(status)
    waits = tr("{n}条", n=status.waiting)
    yield (
        tr("还没上传"),
        [
            (tr("记录"), waits),
            *([(tr("最早一条"), moment(now_is.since, now))] if now_is.since else []),
            (tr("照片"), tr("{n}张，{size}", n=photos, size=bytes_words(size)) if photos else "0"),
            (tr("上次联系"), moment(status.last_contact, now) if status.last_contact else tr("无")),
            *(
                [(tr("最近的问题"), told(status.last_error, language()))]
                if status.last_error
                else []
            ),
        ],
    )
    waiting = [one for one in status.items if one.place in ("waiting", "sent")]
    if waiting:
        rows = [(moment(one.made_at, now), pick(one.title_zh, one.title_en)) for one in waiting]
        more = len(rows) - MOST
        yield tr("没上传的"), rows[:MOST] + ([("…", tr("还有{n}条", n=more))] if more > 0 else [])
    back, disputed = not_accepted(status)
    if back or disputed:
        yield (
            tr("送到了还没收下"),
            [(tr("被退回"), tr("{n}条", n=back)), (tr("待裁定"), tr("{n}条", n=disputed))],
        )
    grids = tr("、").join(grid.name for grid in now_is.person.grids) if now_is.person else ""
    used = now_is.usage
    versions = tr(
        "应用 {app}，协议 {protocol}，资料库 {store}",
        app=version, protocol=protocol.VERSION, store=now_is.store_version,
    )  # fmt: skip
    yield (
        tr("这部手机"),
        [
            (tr("网格"), grids or "—"),
            (tr("服务器"), now_is.server or "—"),
            (tr("编号"), now_is.device or "—"),
            (tr("版本"), versions),
            (tr("占用"), bytes_words(used.texts + used.photos)),
            (tr("手机剩余"), bytes_words(used.free)),
            *_clock(status.clock_offset),
        ],
    )


def _clock(offset: int | None) -> Facts:
    if offset is None:
        return []
    minutes = abs(offset) // 60_000
    if not minutes:
        return [(tr("手机时间"), tr("准"))]
    said = tr("快{n}分钟", n=minutes) if offset > 0 else tr("慢{n}分钟", n=minutes)
    return [(tr("手机时间"), said)]


def as_text(title: str, sections: list[tuple[str, Facts]]) -> str:
    """The same to be pasted into a message."""
    lines = [title]
    for name, facts in sections:
        lines += ["", name, *(f"{label} {value}" for label, value in facts)]
    return "\n".join(lines)
