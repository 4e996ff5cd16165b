"""Nothing waits for the disk or the network on the thread that draws."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from mobile.storage.store import Store
from mobile.sync.phone import Phone
from tests.screens.conftest import line
from tests.screens.district import District
from tests.screens.driver import Driver

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]
# Before there is anything to draw, and when the app ends.
ALLOWED = {"_opened", "on_stop"}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Where the store or the network was used on the Kivy thread: one place of ours each."""
    found: set[str] = set()

    def guard(owner: Any, name: str) -> None:
        true = getattr(owner, name)

        def guarded(*args: Any, **more: Any) -> Any:
            if threading.current_thread() is threading.main_thread():
                ours = [one for one in traceback.extract_stack() if "/mobile/" in one.filename]
                if ours and not ALLOWED & {one.name for one in ours}:
                    above = [
                        one for one in ours if "/ui/" in one.filename or "app.py" in one.filename
                    ]
                    at = (above or ours)[-1]
                    found.add(f"{at.filename.rpartition('/mobile/')[2]}:{at.lineno} {at.line}")
            return true(*args, **more)

        monkeypatch.setattr(owner, name, guarded)

    guard(Store, "reading")
    guard(Store, "writing")
    guard(requests.Session, "send")
    yield found


def test_no_page_reads_saves_or_sends_on_the_thread_that_draws(
    app: Start, store: Phone, place: District, seen: set[str]
) -> None:
    driver = app(store)
    home = next(home.id for home in store.households() if home.care)
    problem = store.problems()[0].id
    seen.clear()  # what this test itself has read
    for name in ("ledger", "sync", "me", "round"):
        driver.tap(driver.shell.ids[f"tab_{name}"])
    driver.shell.go("household", household_id=home)
    driver.settle()
    driver.tap(driver.page.ids.care)
    driver.tap(driver.page.ids.new_visit)
    driver.tap(driver.page.ids.outcome.chip("met"))
    driver.fill(driver.page.ids.note, "楼道灯坏了")
    driver.let_pass(1)
    driver.tap(driver.find("PhotoTile", icon="camera"))
    driver.tap(driver.page.ids.save)
    driver.shell.go("problem", problem_id=problem)
    driver.settle()
    driver.shell.go("report", household_id=home)
    driver.settle()
    driver.back()
    line(store).on = True
    driver.shell.open_tab("sync")
    driver.settle()
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    assert not seen, "\n".join(sorted(seen))
