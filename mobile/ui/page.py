"""What every screen is: a page that gets its surroundings handed in and knows how to open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.factory import Factory
from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.ui import inputs as _inputs  # noqa: F401  with widgets: the rules of rules/
from mobile.ui.handing import Handing
from mobile.ui.ports import Camera, Consent, Dialler, NetworkKind
from mobile.ui.threads import Bridge
from mobile.ui.widgets import Column

if TYPE_CHECKING:
    from mobile.sync.phone import Phone, Recovered
    from mobile.ui.gatekeeper import Gatekeeper
    from mobile.ui.shell import Shell
    from mobile.ui.syncing import Syncer


@dataclass
class Around:
    """All that a page may use; wired in mobile/app.py."""

    phone: Phone
    bridge: Bridge
    camera: Camera
    dialler: Dialler
    locator: Consent
    network: NetworkKind
    handing: Handing
    syncer: Syncer
    shell: Shell
    now: Callable[[], int]
    recovered: Recovered | None = None  # until it has been read
    live: set[str] = field(default_factory=set)  # photos that a camera has not answered for yet
    gate: Gatekeeper | None = None  # none where one store was handed in, as tests do


class Page(Screen):
    """One screen. ``enter`` is called with its arguments; ``resume`` when it is uncovered."""

    around: Around = ObjectProperty(None, allownone=True)
    syncer: Syncer = ObjectProperty(None, rebind=True)
    args: dict[str, Any]
    PARTS: tuple[str, ...] = ()  # rules of what stands in ``ids.sheet``, built one after another

    def __init__(self, around: Around, **kwargs: Any) -> None:
        self.args = {}
        self.seen: Any = None
        self._unbuilt = list(self.PARTS)
        super().__init__(around=around, syncer=around.syncer, **kwargs)

    @property
    def shell(self) -> Shell:
        """Navigation and messages."""
        return self.around.shell

    def on_kv_post(self, _: Any) -> None:
        """A page without parts is whole now."""
        if not self.PARTS:
            self.built()

    def build_part(self) -> bool:
        """Build the next part; True while there is another. A slow phone builds one a frame."""
        if self._unbuilt:
            name = self._unbuilt.pop(0)
            part = getattr(Factory, name)(page=self)
            self.ids.update(part.ids)
            self.ids.sheet.add_widget(part)
            if not self._unbuilt:
                self.built()
        return bool(self._unbuilt)

    def built(self) -> None:
        """All parts are there: bind what they hold."""

    def enter(self, *args: Any, **kwargs: Any) -> None:
        """Shown for this: read what is needed."""
        self.refresh()

    def resume(self) -> None:
        """Uncovered again."""
        self.refresh()

    def refresh(self) -> None:
        """Read again what the page shows."""

    def leave(self) -> None:
        """About to be covered or left: flush what was typed."""

    def forget(self) -> None:
        """The phone was wiped: what was being typed must not be kept."""

    def back(self) -> bool:
        """Back was pressed; True if the page has dealt with it."""
        return False

    def read(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Read from the store in the background; a failure is told, never swallowed."""
        self.around.bridge.quick(work, then, self.shell.failed)

    def read_new(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """The same, but what is shown already is not drawn again."""

        def arrived(found: Any) -> None:
            if found != self.seen:
                self.seen = found
                then(found)

        self.read(work, arrived)

    def later(self, do: Callable[[], None], seconds: float) -> Any:
        """A trigger that runs once, ``seconds`` after its last call."""
        return _Debounce(do, seconds)


class Part(Column):
    """A part of a page, built in a slice of its own; its rule stands in the page's .kv file."""

    page = ObjectProperty(None, rebind=True)


class _Debounce:
    def __init__(self, do: Callable[[], None], seconds: float) -> None:
        self._event = Clock.create_trigger(lambda _: do(), seconds)

    def __call__(self, *_: Any) -> None:
        self._event.cancel()
        self._event()

    def cancel(self) -> None:
        self._event.cancel()

    @property
    def waiting(self) -> bool:
        return bool(self._event.is_triggered)
