"""The truth about what this phone has sent: what waits, what is safe, what came back and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kivy.lang import Builder
from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from mobile.core.photo_queue import Verdict
from mobile.sync.phone import (
    ConflictRow,
    Phone,
    SyncItem,
    SyncReport,
    SyncStatus,
    UnknownRecord,
)
from mobile.ui import banners, look
from mobile.ui.next_steps import next_step
from mobile.ui.page import Page
from mobile.ui.parts import LinkCard
from mobile.ui.photo_card import PhotoCard
from mobile.ui.photo_states import ON_THE_PHONE, bytes_words, headline, left
from mobile.ui.syncing import BACK, not_accepted
from mobile.ui.times import moment
from mobile.ui.widgets import AskNote, Note, Progress1, TapNote, text
from mobile.ui.words import pick, tr
from shared import records

MOST = 30
DECIDED = 5
COVERED = frozenset({"care_groups", "risk_level"})  # as what is personal: never in a list
PAGES = {"household": "household", "visit": "visit", "problem": "problem", "task": "task"}


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
            lambda: (phone.status(), phone.conflicts(), syncer.report, syncer.verdict_now()),
            lambda it: self._show(*it),
        )
        self.syncer.count()

    def ask(self) -> None:
        """Once in a session: photos over mobile data, or not?"""
        status = self.syncer.status
        count, size = left(status) if status else (0, 0)
        if not count or self.shell.current is not self:
            return
        told = bytes_words(size)
        self.shell.ask(
            tr("用流量上传照片吗？"),
            tr(
                "现在连的是移动数据，有{n}张照片要传，共{size}。文字不用等，会直接上传。",
                n=count,
                size=told,
            ),
            [
                (tr("用流量上传（{size}）", size=told), "cloud_up", lambda: self._answer(True)),
                (tr("先不传，等 Wi-Fi"), "clock", lambda: self._answer(False)),
            ],
        )

    def _answer(self, allowed: bool) -> None:
        self.syncer.allow(allowed)
        self.refresh()

    def _show(
        self,
        status: SyncStatus,
        conflicts: list[ConflictRow],
        _: SyncReport | None,
        verdict: Verdict,
    ) -> None:
        now = self.around.now()
        self.syncer.status = status
        held = [one for one in status.photos_waiting if one.state in ON_THE_PHONE]
        waiting, (back, disputed) = status.waiting, not_accepted(status)
        if waiting or held:
            self.state_icon = "cloud_up"
            parts = [tr("{n}条记录", n=waiting) if waiting else ""]
            parts.append(tr("{n}张照片", n=len(held)) if held else "")
            self.state = tr("{what}待上传", what=tr("、").join(filter(None, parts)))
        elif back:
            self.state_icon = "flag"
            self.state = tr("都已送到，{n}条还没收下", n=back)
        elif disputed:
            self.state_icon = "split"
            self.state = tr("都已送到，{n}条等网格长裁定", n=disputed)
        else:
            self.state_icon = "cloud_check"
            self.state = tr("全部安全")
        self.contact = (
            tr("上次联系服务器：{when}", when=moment(status.last_contact, now))
            if status.last_contact
            else tr("还没有联系过服务器")
        )
        self.ids.parts.fill(self._widgets(status, conflicts, verdict, now))
        if verdict == "ask" and not self.syncer.running:
            self.ask()

    def _widgets(
        self, status: SyncStatus, conflicts: list[ConflictRow], verdict: Verdict, now: int
    ) -> Iterator[Widget]:
        yield from self._banners(status)
        groups = {
            tr("没有收下"): [i for i in status.items if i.place == "returned"],
            tr("等网格长处理"): [i for i in status.items if i.place == "held"],
            tr("等待上传"): [i for i in status.items if i.place in ("waiting", "sent")],
        }
        for title, items in groups.items():
            if items:
                yield text("Section", tr("{title} · {n}", title=title, n=len(items)))
                yield from (self._item(one, now) for one in items[:MOST])
                yield from _more(len(items) - MOST)
        undecided = [one for one in conflicts if one.state == "open"]
        if undecided:
            yield text("Section", tr("有冲突，两份都保留着 · {n}", n=len(undecided)))
            yield from (self._conflict(one) for one in undecided[:MOST])
            yield from _more(len(undecided) - MOST)
        yield from self._photos(status, verdict, now)
        done = [i for i in status.items if i.place in ("applied", "conflict", "settled")]
        if done:
            yield text("Section", tr("最近已收下"))
            yield from (self._item(one, now) for one in done[:10])
        decided = [one for one in conflicts if one.state != "open" and one.mine]
        if decided:
            yield text("Section", tr("最近裁定的冲突"))
            yield from (self._conflict(one) for one in decided[:DECIDED])
        if not status.items and not status.photos:
            yield text("Section", tr("您保存的走访和问题会列在这里，每一条在哪里一看就知道"))

    def _banners(self, status: SyncStatus) -> Iterator[Widget]:
        if self.around.recovered:
            note = AskNote(text=banners.recovered(self.around.recovered), icon="warn", tone="warn")
            note.bind(on_read=lambda _: self.read_it(note))
            yield note
        told = (
            *banners.of_status(status),
            *banners.of_report(self.syncer.report),
            *banners.repaired(status),
        )
        for one in told:
            yield Note(text=one.text, icon=one.icon, tone=one.tone)

    def read_it(self, note: Widget) -> None:
        """What became of the damaged store has been read: it is not shown again."""
        self.around.recovered = None
        self.ids.parts.remove_widget(note)

    def _photos(self, status: SyncStatus, verdict: Verdict, now: int) -> Iterator[Widget]:
        if not status.photos:
            return
        yield text("Section", headline(status))
        yield Progress1(value=status.photos_verified / status.photos)
        count, size = left(status)
        if count and verdict in ("wifi", "ask"):
            size_told = bytes_words(size)
            said = tr("{n}张照片在等 Wi-Fi（{size}），点这里用流量上传", n=count, size=size_told)
            note = TapNote(text=said, icon="cloud", tone="info")
            note.bind(on_release=lambda _: self.ask())
            yield note
        for one in status.photos_waiting[:MOST]:
            yield PhotoCard(one, self.syncer, verdict, now, self._open)
        yield from _more(len(status.photos_waiting) - MOST)

    def _item(self, item: SyncItem, now: int) -> Widget:
        state = look.place(item.place)
        why, todo = pick(item.reason_zh, item.reason_en), ""
        if item.place in BACK:
            field = look.where(item.about_kind, item.field)
            why = "\n".join(filter(None, (why, field)))
            step = next_step(item.code, item.place == "held")
            todo = tr("下一步：{what}", what=step)
        card = LinkCard(
            title=pick(item.title_zh, item.title_en),
            aside=moment(item.made_at, now),
            badge=state.text,
            badge_icon=state.icon,
            badge_tone=state.tone,
            why=why,
            why_tone="danger" if item.place == "returned" else "warn",
            todo=todo,
        )
        card.bind(on_release=lambda _: self._open_item(item))
        return card

    def _conflict(self, one: ConflictRow) -> Widget:
        field = pick(one.field_zh, one.field_en)
        is_open = one.state == "open"
        declared = records.FIELDS.get(one.about_kind, {}).get(one.field)
        covered = one.field in COVERED or bool(declared and declared.personal)
        values = [look.value(one.about_kind, one.field, v) for v in (one.accepted, one.proposed)]
        said = tr("现用：{a}\n另一个：{b}", a=values[0], b=values[1])
        if not is_open:
            said = look.value(one.about_kind, one.field, one.verdict)
            said = tr("已裁定：{value}", value=said) if one.state == "decided" else ""
        if covered:
            said = tr("点开查看两份内容") if is_open else tr("点开查看结果")
        state = look.conflict(one.state)
        card = LinkCard(
            title=tr("{who}：{field}", who=one.about_name, field=field),
            badge=state.text,
            badge_icon=state.icon,
            badge_tone=state.tone,
            why=said,
            why_tone="mute",
        )
        card.bind(on_release=lambda _: self.shell.go("conflict", conflict_id=one.id))
        return card

    def _open_item(self, item: SyncItem) -> None:
        """To the task that came of it while that is open, else to the record."""
        phone = self.around.phone

        def work() -> tuple[str, str] | None:
            if any(task.id == item.task_id for task in phone.tasks()):
                return "task", item.task_id
            known = is_known(phone, item.about_kind, item.about_id)
            return (item.about_kind, item.about_id) if known else None

        def then(found: tuple[str, str] | None) -> None:
            if found:
                self._open(*found)
            else:
                self.shell.say(tr("手机上没有这条记录了"), "info")

        self.read(work, then)

    def _open(self, kind: str, record_id: str) -> None:
        if kind in PAGES and record_id:
            self.shell.go(PAGES[kind], **{f"{PAGES[kind]}_id": record_id})


def is_known(phone: Phone, kind: str, record_id: str) -> bool:
    """Whether a record with a page of its own is on this phone. On a worker thread."""
    readers = {"household": phone.household, "visit": phone.visit, "problem": phone.problem}
    if kind == "task":
        return any(task.id == record_id for task in phone.tasks(include_done=True))
    try:
        return kind in readers and readers[kind](record_id) is not None
    except UnknownRecord:
        return False


def _more(count: int) -> Iterator[Widget]:
    if count > 0:
        yield text("Sub", tr("还有{n}条", n=count))


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
