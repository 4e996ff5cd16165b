"""The packed app at work, where there is nothing but what the package brings.

Run by tools/check_apk.py: the folder of the app first on the path, its Python files compiled as
on the phone; then only the packages that the phone has, and this proof with its driver.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

# Of the standard library, what python-for-android leaves out or cannot build.
NOT_ON_ANDROID = (
    "_bz2", "_curses", "_dbm", "_gdbm", "_lzma", "_posixshmem", "_tkinter", "bz2", "curses",
    "ensurepip", "grp", "idlelib", "lib2to3", "lzma", "nis", "readline", "test", "tkinter",
)  # fmt: skip
ON_ANDROID_ALONE = "mobile.android"
NOTE = "老人在家，药够吃到下月䶮"
DOORS = 30


class Absent:
    """Refuses the modules that a phone has not."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """As an import that fails."""
        if name in NOT_ON_ANDROID:
            raise ModuleNotFoundError(f"{name} is not on Android", name=name)


def modules() -> list[str]:
    """All that the package brings, but what only starts on Android itself."""
    found = []
    for top in ("shared", "mobile"):
        package = importlib.import_module(top)
        found += [one.name for one in pkgutil.walk_packages(package.__path__, f"{top}.",
                                                            onerror=lambda _: None)]  # fmt: skip
    return [name for name in found if not name.startswith(ON_ANDROID_ALONE)]


def as_on_the_phone(app: Path) -> None:
    """Every module comes from the package, compiled without asserts, and nothing else does."""
    for name in modules():
        origin = importlib.import_module(name).__file__ or ""
        assert origin.startswith(str(app)) and origin.endswith(".pyc"), (name, origin)
    for name in ("flask", "sqlalchemy", "click", "structlog", "server", "gridledger", "pytest"):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        raise AssertionError(f"{name} is here, and is not on a phone")


def filled(folder: Path) -> Any:
    """A phone with a few doors."""
    from bench.phone import checkpoint, enrolled, row, take
    from shared import ids

    phone = enrolled(folder)
    lines = [
        row(n, "household", ids.new_id(), {"building": "1", "unit": str(n % 3 + 1),
            "door": f"{n}01", "contact_name": f"王秀{n}", "contact_phone": "13800001111"})
        for n in range(1, DOORS + 1)
    ]  # fmt: skip
    take(phone, [*lines, checkpoint(DOORS, {line["id"]: 1 for line in lines})])
    return phone


def work(folder: Path) -> None:
    """A visit with a photo by touch, every tab, and the same visit after a restart."""
    from mobile.sync.phone import Phone
    from mobile.ui.ports import SampleCamera
    from tests.screens.driver import running, sample_photos

    with running(folder / "new") as driver:
        assert driver.page.name == "enrol"
    phone = filled(folder / "phone")
    home = phone.households()[0].id
    with running(folder / "x", phone=phone, camera=SampleCamera(sample_photos(folder))) as driver:
        assert driver.reads("1号楼")
        driver.shell.go("visit_form", household_id=home)
        driver.settle()
        driver.tap(driver.page.ids.outcome.chip("met"))
        driver.fill(driver.page.ids.note, NOTE)
        driver.tap(driver.find("PhotoTile", icon="camera"))
        driver.tap(driver.page.ids.save)
        assert driver.said == "已保存，联网后自动上传", driver.said
        for name in ("ledger", "sync", "me", "about", "report", "feedback"):
            driver.shell.go(name)
            driver.settle()
            assert driver.page.name == name and driver.texts()
    again = Phone.open(folder / "phone")
    visit = again.visit(again.household(home).visits[0].id)
    assert visit.values["note"] == NOTE and len(visit.photos) == 1
    again.close()


def main() -> None:
    """All of it."""
    app = Path(sys.argv[1])
    for name in NOT_ON_ANDROID:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Absent())  # type: ignore[arg-type]
    folder = Path(tempfile.mkdtemp(prefix="packed-"))
    try:
        importlib.import_module("tests.screens.driver").set_up()
        as_on_the_phone(app)
        work(folder)
    finally:
        shutil.rmtree(folder)
    print(f"{len(modules())} modules")


if __name__ == "__main__":
    main()
