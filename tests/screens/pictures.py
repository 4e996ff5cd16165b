"""Pictures of the phone app on the demo district, for the README and for the eye.

`save(folder)` writes phone_*.png; tests.screenshots calls it. One picture per screen.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from mobile.sync.phone import DraftPhoto, Phone, ProblemDraft, VisitDraft
from mobile.ui.ports import SampleCamera
from tests.screens import district
from tests.screens.district import District, Line
from tests.screens.driver import Driver, running, sample_photos

NOTE = "老人在家，精神不错，药够吃到下月。楼道灯坏了三天，夜里不敢下楼。"


def save(folder: Path) -> list[Path]:
    """All pictures into a folder; takes half a minute."""
    saved: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="phone-pictures-") as made:
        work = Path(made)
        with district.running(work / "demo") as place:
            _enrol(place, work, folder, saved)
            phone = place.phone(work / "phone")
            _work_offline(phone, work)
            camera = SampleCamera(sample_photos(work))
            with running(work / "unused", phone=phone, camera=camera) as driver:
                _walk(driver, phone, folder, saved)
    return saved


def _enrol(place: District, work: Path, folder: Path, saved: list[Path]) -> None:
    with running(work / "new") as driver:
        driver.page.ids.server.text = "http://10.0.8.21:8321"
        driver.page.ids.code.text = "K7QF-93MT"
        driver.frames(4)
        saved.append(driver.shot(folder / "phone_enrol.png"))


def _work_offline(phone: Phone, work: Path) -> None:
    """A morning without a network: visits, a problem, photos; one visit each way."""
    line = phone._session
    assert isinstance(line, Line)
    photos = sample_photos(work)
    homes = [home for home in phone.households() if home.state != "empty"]
    for number, home in enumerate(homes[:3]):
        draft = phone.new_visit(home.id)
        taken = (DraftPhoto(phone.prepare_photo(photos[number % 2])),) if number < 2 else ()
        values = {**draft.values, "outcome": "met", "note": NOTE}
        phone.save_visit(VisitDraft(values, taken, draft.grid))
        if number == 0:
            phone.sync()
            line.on = False
    phone.report_problem(
        ProblemDraft(
            {
                "category": "emergency_trapped",
                "description": "2单元电梯停运，老人上下楼困难",
                "place": homes[3].address,
            },
            (DraftPhoto(phone.prepare_photo(photos[1])),),
        )
    )


def _walk(driver: Driver, phone: Phone, folder: Path, saved: list[Path]) -> None:
    def shot(name: str) -> None:
        driver.frames(6)
        driver.settle()
        saved.append(driver.shot(folder / f"phone_{name}.png"))

    def go(name: str, **args: str) -> None:
        driver.shell.go(name, **args)
        driver.settle()

    shell = driver.shell
    homes = phone.households()
    cared = next(home for home in homes if home.care)
    shot("round")
    go("household", household_id=cared.id)
    shot("household")
    go("visit_form", household_id=cared.id)
    page = driver.page
    driver.tap(page.ids.outcome.chip("met"))
    driver.fill(page.ids.note, NOTE)
    page.ids.note.focus = False
    shot("visit_form")
    driver.reach(page.ids.photos)
    for _ in range(2):
        page.add_photo()
        driver.settle()
    page.ids.body.scroll_y = 0
    driver.frames(4)
    shot("visit_form_photos")
    page._asked.begin_all()
    driver.settle()
    driver.reach(page.ids.campaigns)
    shot("visit_form_campaign")
    driver.tap(page.ids["gas_safety.gas_hose_field"].ids.slot.children[0].chip("metal"))
    driver.tap(page.ids.save)
    shot("saved")
    go("report", household_id=cared.id)
    shot("report")
    driver.tap(driver.page.ids.pick)
    shot("category")
    driver.back()
    driver.page._picked("emergency_trapped")
    shot("report_urgent")
    shell.open_tab("ledger")
    driver.settle()
    shot("ledger")
    far = max(phone.problems(), key=lambda row: len(phone.problem(row.id).progress))
    go("problem", problem_id=far.id)
    shot("problem")
    driver.page.ids.body.scroll_y = 0
    shot("problem_history")
    shell.open_tab("ledger")
    driver.settle()
    driver.tap(driver.page.ids.shown.chip("tasks"))
    shot("tasks")
    go("task", task_id=phone.tasks()[0].id)
    shot("task")
    shell.open_tab("sync")
    driver.settle()
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    shot("sync")
    driver.page.ids.body.scroll_y = 0
    shot("sync_photos")
    go("conflict", conflict_id=phone.conflicts()[0].id)
    shot("conflict")
    shell.open_tab("me")
    driver.settle()
    shot("me")
    shell.restyle("language", "en")
    driver.settle()
    driver.shell.open_tab("round")
    driver.settle()
    shot("english")


if __name__ == "__main__":
    import sys

    for path in save(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")):
        print(path)
