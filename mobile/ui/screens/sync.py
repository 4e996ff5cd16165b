"""The truth about what this phone has sent: what waits, what is safe, what came back and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kivy.lang import Builder
from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from mobile.sync.phone import ConflictRow, SyncItem, SyncStatus, WaitingPhoto
from mobile.ui import look
from mobile.ui.page import Page
from mobile.ui.parts import LinkCard
from mobile.ui.syncing import ON_THE_PHONE
from mobile.ui.times import moment
from mobile.ui.widgets import Note, Progress1, text
from mobile.ui.words import pick, tr
from shared import records

MOST = 30
PAGES = {"household": "household", "visit": "visit", "problem": "problem", "task": "task"}
PHOTO_LOOKS = {
    "waiting": ("cloud_up", "info"),
    "uploading": ("sync", "info"),
    "stored": ("clock", "mute"),
    "corrupt": ("warn", "danger"),
    "refused": ("warn", "danger"),
}


class SyncPage(Page):
    """The third tab."""

    state = StringProperty()
    state_icon = StringProperty("cloud_check")
    contact = StringProperty()

    def enter(self) -> None:
        """From the top."""
        self.ids.body.scroll_y = 1
        self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        phone, syncer = self.around.phone, self.syncer
        self.read_new(
            lambda: (phone.status(), phone.conflicts(False), syncer.report),
            lambda it: self._show(it[0], it[1]),
        )
        self.syncer.count()

    def _show(self, status: SyncStatus, conflicts: list[ConflictRow]) -> None:
        now = self.around.now()
        held = [one for one in status.photos_waiting if one.state in ON_THE_PHONE]
        waiting = status.waiting
        if waiting or held:
            self.state_icon = "cloud_up"
            parts = [tr("{n}条记录", n=waiting) if waiting else ""]
            parts.append(tr("{n}张照片", n=len(held)) if held else "")
            self.state = tr("{what}待上传", what=tr("、").join(filter(None, parts)))
        else:
            self.state_icon = "cloud_check"
            self.state = tr("全部安全")
        self.contact = (
            tr("上次联系服务器：{when}", when=moment(status.last_contact, now))
            if status.last_contact
            else tr("还没有联系过服务器")
        )
        self.ids.parts.fill(self._widgets(status, conflicts, now))

    def _widgets(
        self, status: SyncStatus, conflicts: list[ConflictRow], now: int
    ) -> Iterator[Widget]:
        yield from self._warnings(status)
        groups = {
            tr("没有收下"): [i for i in status.items if i.place in ("returned", "held")],
            tr("等待上传"): [i for i in status.items if i.place in ("waiting", "sent")],
        }
        for title, items in groups.items():
            if items:
                yield text("Section", tr("{title} · {n}", title=title, n=len(items)))
                yield from (self._item(one, now) for one in items[:MOST])
                yield from _more(len(items) - MOST)
        if conflicts:
            yield text("Section", tr("有冲突，两份都保留着 · {n}", n=len(conflicts)))
            yield from (self._conflict(one) for one in conflicts[:MOST])
        yield from self._photos(status)
        done = [i for i in status.items if i.place in ("applied", "conflict", "settled")]
        if done:
            yield text("Section", tr("最近已收下"))
            yield from (self._item(one, now) for one in done[:10])
        if not status.items and not status.photos:
            yield text("Section", tr("您保存的走访和问题会列在这里，每一条在哪里一看就知道"))

    def _warnings(self, status: SyncStatus) -> Iterator[Widget]:
        if status.clock_wrong and status.clock_offset is not None:
            minutes = abs(status.clock_offset) // 60_000
            fast = status.clock_offset > 0
            yield Note(
                text=tr("手机时间快了{n}分钟，请校准。记录不受影响。", n=minutes)
                if fast
                else tr("手机时间慢了{n}分钟，请校准。记录不受影响。", n=minutes),
                icon="clock",
                tone="warn",
            )
        report = self.syncer.report
        for trouble in report.troubles if report else ():
            said = pick(trouble.message_zh, trouble.message_en)
            if trouble.retry:
                said = tr("{what}。内容都在手机上，稍后自动再试。", what=said.rstrip("。"))
            yield Note(text=said, icon="warn", tone="warn" if trouble.retry else "danger")

    def _photos(self, status: SyncStatus) -> Iterator[Widget]:
        if not status.photos:
            return
        yield text(
            "Section",
            tr("照片 {n} / {m} 已核实", n=status.photos_verified, m=status.photos),
        )
        yield Progress1(value=status.photos_verified / status.photos)
        for one in status.photos_waiting[:MOST]:
            yield self._photo(one)
        yield from _more(len(status.photos_waiting) - MOST)

    def _item(self, item: SyncItem, now: int) -> Widget:
        state = look.place(item.place)
        card = LinkCard(
            title=pick(item.title_zh, item.title_en),
            aside=moment(item.made_at, now),
            badge=state.text,
            badge_icon=state.icon,
            badge_tone=state.tone,
            why=pick(item.reason_zh, item.reason_en),
            why_tone="danger" if item.place == "returned" else "warn",
        )
        card.bind(on_release=lambda _: self._open(item.about_kind, item.about_id))
        return card

    def _photo(self, photo: WaitingPhoto) -> Widget:
        icon, tone = PHOTO_LOOKS.get(photo.state, ("cloud_up", "info"))
        said = {
            "waiting": tr("还在手机上"),
            "uploading": tr("已传 {n}%", n=100 * photo.sent // max(1, photo.size)),
            "stored": tr("已收到，等核实"),
            "corrupt": tr("传坏了，会重传"),
            "refused": tr("无法使用"),
        }.get(photo.state, photo.state)
        card = LinkCard(
            title=photo.owner_name,
            line=tr("{what}的照片 · {n} KB", what=_kind(photo.owner_kind), n=photo.size // 1024),
            badge=said,
            badge_icon=icon,
            badge_tone=tone,
        )
        card.bind(on_release=lambda _: self._open(photo.owner_kind, photo.owner_id))
        return card

    def _conflict(self, one: ConflictRow) -> Widget:
        field = pick(one.field_zh, one.field_en)
        card = LinkCard(
            title=tr("{who}：{field}", who=one.about_name, field=field),
            line="",
            badge=tr("等网格长裁定"),
            badge_icon="split",
            badge_tone="warn",
            why=tr(
                "现用：{a}（{who_a}）\n另一个：{b}（{who_b}）",
                a=look.value(one.about_kind, one.field, one.accepted),
                who_a=one.accepted_by,
                b=look.value(one.about_kind, one.field, one.proposed),
                who_b=one.proposed_by,
            ),
            why_tone="mute",
        )
        card.bind(on_release=lambda _: self._open(one.about_kind, one.about_id))
        return card

    def _open(self, kind: str, record_id: str) -> None:
        if kind in PAGES and record_id:
            self.shell.go(PAGES[kind], **{f"{PAGES[kind]}_id": record_id})


def _kind(name: str) -> str:
    kind = records.KINDS.get(name)
    return pick(kind.zh, kind.en) if kind else name


def _more(count: int) -> Iterator[Widget]:
    if count > 0:
        yield text("Sub", tr("还有{n}条", n=count))


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
