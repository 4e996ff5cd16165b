"""The report for the supervisor, and the file of unsent work by the hands of a worker."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mobile.storage import meta, unsent
from mobile.sync.phone import Phone
from mobile.ui.handing import Done, FolderHanding
from shared import unsent as shape
from tests.screens.driver import Driver
from tests.screens.test_sync import open_sync, visit_with_photo

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]


class PhonesHanding:
    """As Android offers it: two ways."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Path]] = []

    def ways(self) -> Sequence[tuple[str, str, str]]:
        return (("share", "发给别人", "out"), ("save", "存到手机", "keep"))

    def give(self, way: str, file: Path, done: Done) -> None:
        self.given.append((way, file))
        done(file.name)


def test_the_report_says_what_waits_and_the_file_goes_where_the_worker_says(
    app: Start, store: Phone, tmp_path: Path, shots: Path
) -> None:
    visit_with_photo(store, tmp_path)
    driver = app(store, handing=FolderHanding(lambda _, then: then(tmp_path)))
    open_sync(driver)
    driver.tap(driver.page.ids.report)
    assert driver.page.name == "standing"
    for words in ("还没上传", "最早一条", "1条", "1张", "走访：", "资料库"):
        assert driver.reads(words), words
    driver.shot(shots / "standing.png")
    driver.tap(driver.page.ids.copy_text)
    assert driver.said == "文字已复制，可以粘贴到消息里"
    from kivy.core.clipboard import Clipboard

    assert "还没上传\n记录 1条\n最早一条 今天" in Clipboard.paste()
    driver.tap(driver.page.ids.export)
    assert driver.reads("已导出1条记录、1张照片"), driver.texts()
    driver.shot(shots / "standing_exported.png")
    with zipfile.ZipFile(next(tmp_path.glob(f"{unsent.NAME}*"))) as file:
        assert shape.WORK_FILE in file.namelist()
    driver.back()
    assert driver.page.name == "sync"


def test_on_a_phone_the_worker_chooses_and_trouble_is_said_in_place(
    app: Start, store: Phone, tmp_path: Path, shots: Path
) -> None:
    handing = PhonesHanding()
    driver = app(store, handing=handing)
    driver.shell.go("standing")
    driver.settle()
    driver.tap(driver.page.ids.export)
    assert driver.reads("没有未上传的内容")
    visit_with_photo(store, tmp_path)
    driver.tap(driver.page.ids.export)
    driver.shot(shots / "standing_ways.png")
    driver.tap(driver.find("Quiet", driver.shell.asked, text="存到手机"))
    assert [way for way, _ in handing.given] == ["save"] and handing.given[0][1].exists()
    with store._store.writing() as db:
        meta.put(db, unsent.KEY, "")
    driver.tap(driver.page.ids.export)
    assert driver.reads("同步一次")
