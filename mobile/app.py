"""The phone app: the only place where its objects are wired together."""

from __future__ import annotations

import gc
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile.storage.people import People
from mobile.storage.vault import DEVICE_KEY, FileKeeper, Keeper
from mobile.ui import given_back, theme

if TYPE_CHECKING:
    from mobile.sync.phone import Phone
    from mobile.ui.handing import Handing
    from mobile.ui.ports import Camera, Dialler, Locator, NetworkKind

WIDTH, HEIGHT = 360, 640
ANSWER_SECONDS = 1.5  # how long after the app is in front again a camera may still answer
FILLED_SECONDS = 0.8  # after the store is open; most rounds are there by then
log = logging.getLogger(__name__)


def now_ms() -> int:
    """Unix milliseconds, for saying how long ago something was."""
    return time.time_ns() // 1_000_000


def default_folder() -> Path:
    """Where this person's store is kept when nobody says otherwise."""
    private = os.environ.get("ANDROID_PRIVATE")
    return Path(private) / "store" if private else Path.home() / ".gridledger-phone"


def keeper() -> Keeper:
    """What wraps the keys of the stores: Android's Keystore, or a file of this user's."""
    if _on_android():
        from mobile.android.keystore import KeystoreKeeper

        return KeystoreKeeper()
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return FileKeeper(Path(home) / "gridledger" / "phone.key")


def keep_quiet(folder: Path) -> None:
    """Before Kivy is imported: what it and others log goes to files in the folder, not here.

    The traceback of a crash still comes to the terminal.
    """
    wanted = {
        "KIVY_NO_ARGS": "1",
        "KIVY_NO_CONSOLELOG": "1",
        "KIVY_LOG_MODE": "MIXED",  # stderr stays what it is
        "KIVY_CLIPBOARD": "sdl2",  # no xclip or xsel is looked for
        "KCFG_KIVY_LOG_DIR": str((folder / "logs").absolute()),
        "KCFG_KIVY_LOG_MAXFILES": "5",
    }
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
    from kivy.config import Config
    from kivy.logger import file_log_handler

    if file_log_handler is not None:
        logging.root.addHandler(file_log_handler)
    for name, provider in Config.items("input"):
        if provider.startswith("probesysfs"):  # needs libmtdev; the window has the touches too
            Config.remove_option("input", name)


def prepare_kivy() -> bool:
    """Settings that must stand before the first window. False: the font is missing."""
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    from kivy.config import Config
    from kivy.core.text import LabelBase

    Config.set("input", "mouse", "mouse,disable_multitouch")
    Config.set("kivy", "exit_on_escape", "1")
    font = theme.font()
    if font is not None:
        LabelBase.register("Roboto", fn_regular=str(font))
    return font is not None


def make_app(
    folder: Path,
    *,
    phone: Phone | None = None,
    camera: Camera | None = None,
    dialler: Dialler | None = None,
    locator: Locator | None = None,
    network: NetworkKind | None = None,
    handing: Handing | None = None,
    opened_with: Callable[[Callable[[str], None]], str] | None = None,
    people: People | None = None,
    http: Callable[[], Any] | None = None,
    sync_by_itself: bool = True,
    now: Any = now_ms,
) -> Any:
    """The Kivy app over the stores in a folder; the ports may be given, as tests do.

    ``phone``: one store that is open already; then nobody is asked who they are.
    """
    given_back.from_now_on()
    gc.disable()  # until the first page is in sight; see mobile/ui/tidying.py
    has_font = prepare_kivy()
    from kivy.app import App
    from kivy.clock import Clock
    from kivy.core.window import Window
    from kivy.uix.floatlayout import FloatLayout

    from mobile.sync.phone import Phone as RealPhone
    from mobile.ui import ports, words
    from mobile.ui.gatekeeper import Gatekeeper
    from mobile.ui.left_over import save_left_over
    from mobile.ui.no_font import no_font
    from mobile.ui.page import Around
    from mobile.ui.rows import drop_old_views
    from mobile.ui.screens import page_class
    from mobile.ui.shell import Shell
    from mobile.ui.syncing import Syncer
    from mobile.ui.taking import left_behind
    from mobile.ui.threads import Bridge
    from mobile.ui.tidying import Tidying

    class GridApp(App):
        """Holds the shell of the moment: another language means new pages."""

        title = "网格台账"
        icon = str(theme.ASSETS / "icon.png")
        around: Around

        def build(self) -> Any:
            self.frame = FloatLayout()
            self.tidying = Tidying(lambda: not self.around.bridge.busy)
            self.around = Around(
                phone=None,  # type: ignore[arg-type]
                bridge=Bridge(),
                camera=camera or _camera(),
                dialler=dialler or _dialler(),
                locator=ports.Consent(ports.NoLocator(), False),
                network=network or _network(),
                handing=handing or _handing(),
                syncer=None,  # type: ignore[arg-type]
                shell=None,  # type: ignore[arg-type]
                now=now,
            )
            self.link = (opened_with or _opened_with)(self.linked)
            Window.softinput_mode = "below_target"
            Window.bind(on_keyboard=self._key)
            if has_font:
                self._begin()
            else:
                self.frame.add_widget(no_font(self._try_font))
            return self.frame

        def linked(self, link: str) -> None:
            """A link came while the app was open: into the page that waits for one."""
            self.link = link
            shell = self.around.shell
            if shell is not None and shell.current and shell.current.name == "enrol":
                self._ask_to_enrol()

        def _ask_to_enrol(self) -> None:
            link, self.link = self.link, ""
            shell = self.around.shell
            (shell.instead if shell.current else shell.go)("enrol", link=link)

        def _try_font(self) -> None:
            """The font may be there now."""
            if prepare_kivy():
                self.frame.clear_widgets()
                self._begin()

        def _begin(self) -> None:
            if phone is not None:
                self._opened(phone)
            else:
                self.around.gate = Gatekeeper(
                    people or People(folder, FileKeeper(folder / DEVICE_KEY)),
                    self.frame, self.around.bridge, self._open, self._opened, self._leave, now,
                    self.around.handing, inbox_of,
                )  # fmt: skip
                self.around.gate.start()

        def _open(self, place: Path) -> Any:
            """On a worker thread."""
            gate = self.around.gate
            assert gate is not None
            return RealPhone.open(
                place,
                keeper=gate.people.keeper,
                http=http() if http else None,
                inbox=inbox_of(place),
            )

        def _opened(self, store: Any) -> None:
            """A store is there: its pages, in its language and colours."""
            around = self.around
            words.set_language(store.setting("language", "zh"))
            theme.use(store.setting("palette", "day"), store.setting("text_size", "1.0"))
            around.phone, around.recovered = store, store.recovered
            around.locator = ports.Consent(
                locator or _locator(), store.setting(ports.POSITION_ALLOWED) == "1"
            )
            around.syncer = syncer = Syncer(store, around.bridge, around.network, sync_by_itself)
            syncer.bind(on_done=lambda *_: self._synced() if syncer is around.syncer else None)
            self._new_shell()
            self._note()

        def _leave(self) -> None:
            """Another person comes, or the store is mended: these pages end."""
            self.around.shell.pause()
            self.around.syncer.stop()
            self.frame.remove_widget(self.around.shell)

        def _note(self) -> None:
            """Whose store it is stands beside it, for the choice at the next start."""
            if self.around.gate is not None:
                self.around.bridge.quick(self.around.gate.note)

        def _key(self, window: Any, key: int, scan: int, text: Any, *more: Any) -> bool:
            if self.around.gate is not None and self.around.gate.shut:
                return self.around.gate.key(key, text)
            shell = self.around.shell
            return shell is not None and bool(shell.key(window, key, scan, text, *more))

        def on_pause(self) -> bool:
            """Another app in front, often the camera: nothing is lost, drafts are on the disk."""
            if self.around.shell is not None:
                self.around.shell.pause()
            self.tidying.out_of_sight()
            return True

        def on_resume(self) -> None:
            """In front again, locked if that took long. A camera's answer comes before this."""
            gate = self.around.gate
            if gate is not None:
                gate.look()
            resumed = getattr(self.around.camera, "resumed", None)
            if resumed:
                Clock.schedule_once(lambda _: resumed(), ANSWER_SECONDS)
            open_ = self.around.phone is not None and not (gate is not None and gate.shut)
            if open_ and sync_by_itself:  # who has not enrolled is found out there
                self.around.syncer.start(by_itself=True)

        def on_stop(self) -> None:
            """Flush what is being typed and let go of the store."""
            Window.unbind(on_keyboard=self._key)
            if self.around.gate is not None:
                self.around.gate.close()
            if self.around.syncer is not None:
                self.around.shell.pause()
                self.around.syncer.stop()
            self.around.bridge.close()
            if self.around.phone is not None:
                self.around.phone.close()
            self.tidying.close()

        def restyle(self, setting: str, value: str) -> None:
            """Another language, palette or text_size: keep it, and draw everything anew."""
            self.around.phone.keep_setting(setting, value)
            looks = {"palette": theme.palette(), "text_size": theme.size(), setting: value}
            words.set_language(value if setting == "language" else words.language())
            theme.use(looks["palette"], looks["text_size"])
            tab = self.around.shell.tab
            self._note()
            self._new_shell()
            if tab:
                self.around.shell.open_tab(tab)

        def _new_shell(self) -> None:
            drop_old_views()
            shell = Shell(
                make=lambda name: page_class(name)(self.around, name=name),
                restyle=self.restyle,
                enrolled=self._enrolled,
            )
            first = self.around.shell is None
            if not first:
                self.frame.remove_widget(self.around.shell)
            self.around.shell = shell
            shell.on_damage = self.around.gate.damaged if self.around.gate else None
            if first and self.around.phone.enrolled and not self.around.recovered:
                shell.size = Window.size  # laid out before it is in sight
                shell.bind(filled=lambda *_: self._show(shell))
                Clock.schedule_once(lambda _: self._show(shell), FILLED_SECONDS)
            else:
                self._show(shell)
            if self.around.phone.enrolled:
                self.around.bridge.quick(lambda: save_left_over(self.around.phone))
                shell.open_tab("sync" if self.around.recovered else "round")
                self._take_left_behind()
                if sync_by_itself:
                    self.around.syncer.start(by_itself=True)
            else:
                self._ask_to_enrol()

        def _show(self, shell: Shell) -> None:
            """Into sight: at the start once there is something to see, so no empty page flashes."""
            if shell.parent is None and shell is self.around.shell:
                self.frame.add_widget(shell, len(self.frame.children))  # under the gate
                Clock.schedule_once(lambda _: self.tidying.started(), 1)

        def _take_left_behind(self) -> None:
            """Photos taken while the system had ended the app: back to the form they are for."""
            store, live = self.around.phone, frozenset(self.around.live)

            def arrived(found: list[Any]) -> None:
                if found:
                    left_behind(self.around.shell, found[-1])

            self.around.bridge.quick(lambda: store.photos_left_behind(live), arrived)

        def _synced(self) -> None:
            phone = self.around.phone

            def known(enrolled: bool) -> None:
                if phone is not self.around.phone:
                    return
                if enrolled:
                    self.around.shell.refresh()
                else:  # revoked, handed in, wiped: nothing that a page still holds may be written
                    self.around.shell.forget()
                    self.around.bridge.quick(self._drop_drafts)  # kept between the wipe and now
                    self._new_shell()

            self.around.bridge.quick(lambda: phone.enrolled, known)

        def _drop_drafts(self) -> None:
            for draft in self.around.phone.drafts():
                self.around.phone.drop_draft(draft.key)

        def _enrolled(self, person: Any) -> None:
            self.around.recovered = None
            self._note()
            self.around.shell.open_tab("round")
            self.around.shell.say(
                words.tr("{name}，欢迎。正在下载您的网格…", name=person.name), "disc_check"
            )
            self.around.syncer.start()
            gate = self.around.gate
            if gate is not None and len(gate.people.everyone()) > 1 and not gate.state.has_pin:
                self.around.shell.go("pin")  # who shares a phone wants one

    return GridApp()


def inbox_of(folder: Path) -> Path | None:
    """Where the camera may write: on Android what the FileProvider shows, else the store's own."""
    private = os.environ.get("ANDROID_PRIVATE")
    return Path(private) / "photos_in" / folder.name if private else None


def _on_android() -> bool:
    return "ANDROID_ARGUMENT" in os.environ


def _camera() -> Camera:
    if _on_android():
        from mobile.android.camera import make_camera

        return make_camera()
    from mobile.ui import ports

    return ports.FileCamera()


def _dialler() -> Dialler:
    if _on_android():
        from mobile.android.dialler import AndroidDialler

        return AndroidDialler()
    from mobile.ui import ports

    return ports.WebDialler()


def _locator() -> Locator:
    if _on_android():
        from mobile.android.locator import AndroidLocator

        return AndroidLocator()
    from mobile.ui import ports

    return ports.NoLocator()


def _opened_with(then: Callable[[str], None]) -> str:
    if _on_android():
        from mobile.android.opening import opened_with

        return opened_with(then)
    return ""


def _handing() -> Handing:
    if _on_android():
        from mobile.android.handing import AndroidHanding

        return AndroidHanding()
    from mobile.ui.chooser import choose_folder
    from mobile.ui.handing import FolderHanding

    return FolderHanding(choose_folder)


def _network() -> NetworkKind:
    if _on_android():
        from mobile.android.network import AndroidNetwork

        return AndroidNetwork()
    from mobile.ui import ports

    return ports.FixedNetwork()


def run(folder: Path | None = None, network: NetworkKind | None = None) -> None:
    """Open the app; on a desktop in a window the size of a phone."""
    folder = folder or default_folder()
    people = People(folder, keeper())
    if not _on_android():
        keep_quiet(folder)
        from kivy.config import Config

        Config.set("graphics", "width", str(WIDTH))
        Config.set("graphics", "height", str(HEIGHT))
        Config.set("graphics", "resizable", "0")
    else:
        from mobile.android.window import keep_secret

        keep_secret()
    make_app(folder, people=people, network=network).run()
