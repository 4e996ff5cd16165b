"""Enrolling: a link from the administrator, or a server's address and a code."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import StringProperty

from mobile.sync.phone import EnrolFailed, PhoneError, Recovered
from mobile.ui import banners
from mobile.ui.page import Page
from mobile.ui.words import language, pick, tr

LINK = "gridledger://"


class EnrolPage(Page):
    """The first page of a phone that belongs to nobody yet."""

    problem = StringProperty()
    why = StringProperty()
    doing = StringProperty()
    other_language = StringProperty()

    def enter(self, link: str = "") -> None:
        """An empty form, or with the link that the app was opened with."""
        if link:
            self.ids.link.text = link
        self.other_language = "English" if language() == "zh" else tr("中文")
        self.problem = self.doing = self.why = ""
        phone, found = self.around.phone, self.around.recovered

        def work() -> tuple[bool, bool]:
            return phone.enrolled, phone.status().revoked

        def arrived(now: tuple[bool, bool]) -> None:
            enrolled, revoked = now
            if not enrolled:
                self.why = why(revoked, found)

        self.read(work, arrived)

    def switch(self) -> None:
        """The other language."""
        self.shell.restyle("language", "en" if language() == "zh" else "zh")

    def typed(self) -> None:
        """A correction takes the old complaint away."""
        self.problem = ""
        for name in ("link_field", "server_field", "code_field"):
            self.ids[name].error = ""

    def start(self) -> None:
        """Check what can be checked here, then ask the server."""
        link, server, code = (self.ids[n].text.strip() for n in ("link", "server", "code"))
        if self.doing or not self._complete(link, server, code):
            return
        Window.release_all_keyboards()
        self.doing = tr("正在登记，请稍候…")
        phone, device = self.around.phone, f"{platform.system()} {platform.machine()}"

        def work() -> Any:
            return phone.enrol(link, device) if link else phone.enrol_by_code(server, code, device)

        self.around.bridge.slow(work, self._welcome, self._refused)

    def _complete(self, link: str, server: str, code: str) -> bool:
        if link:
            if not link.startswith(LINK):
                self.ids.link_field.error = tr("链接应以 gridledger:// 开头，请整段复制")
                return False
            return True
        if not server and not code:
            self.ids.link_field.error = tr("请粘贴链接，或填写下面两项")
            return False
        if not server:
            self.ids.server_field.error = tr("请填写服务器地址")
        if not code:
            self.ids.code_field.error = tr("请填写登记码")
        return bool(server and code)

    def _welcome(self, person: Any) -> None:
        self.doing = ""
        self.ids.link.text = self.ids.code.text = ""
        self.shell.enrolled(person)

    def _refused(self, error: Exception) -> None:
        self.doing = ""
        if isinstance(error, (EnrolFailed, PhoneError)):
            self.problem = pick(error.message_zh, error.message_en)
        else:
            self.shell.failed(error)


def why(revoked: bool, found: Recovered | None) -> str:
    """Why a phone that knew its owner asks again; "" for one that is new."""
    if found is not None:
        return banners.recovered(found)
    if revoked:
        return tr(
            "这部手机已停用：内容已全部交给网格长，手机上已清空。要再用，请管理员发一个新的登记码。"
        )
    return ""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
