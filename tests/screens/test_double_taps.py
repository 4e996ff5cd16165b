"""Hands that tap everything twice, and a back key pressed too early, do nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mobile.sync.phone import Phone
from mobile.ui.threads import Bridge
from tests.screens.driver import Driver
from tests.screens.finger import Finger

Start = Callable[..., Driver]


def tap_twice(driver: Driver, what: Any) -> None:
    """A double tap, as fast as a hand is: nothing is waited for in between."""
    driver.reach(what)
    x, y = what.to_window(*what.center)
    for second in (False, True):
        touch = Finger(x, y)
        touch.is_double_tap = second
        touch.down()
        driver.let_pass(0.08)
        touch.up()
        driver.let_pass(0.06)
    driver.settle()


def test_a_double_tap_opens_a_form_and_does_not_send_it(app: Start, store: Phone) -> None:
    home = store.households()[0].id
    driver = app(store)
    driver.shell.go("household", household_id=home)
    driver.settle()
    tap_twice(driver, driver.page.ids.new_visit)
    form = driver.page
    assert form.name == "visit_form" and not form.ids.outcome_field.error
    driver.tap(form.ids.outcome.chip("met"))
    before = len(store.household(home).visits)
    tap_twice(driver, form.ids.save)
    assert driver.page.name == "household"
    assert len(store.household(home).visits) == before + 1


def test_no_change_tapped_twice_is_one_visit_and_undo_takes_it_back(
    app: Start, store: Phone
) -> None:
    home = store.households()[0].id
    before = len(store.household(home).visits)
    driver = app(store)
    driver.shell.go("household", household_id=home)
    driver.settle()
    tap_twice(driver, driver.page.ids.no_change)
    driver.tap(driver.find("SnackBtn", driver.shell, text="撤销"))
    driver.shell.open_tab("round")
    driver.settle()
    assert len(store.household(home).visits) == before and store.drafts() == []


def test_a_task_ticked_off_twice_can_still_be_taken_back(app: Start, store: Phone) -> None:
    task = store.tasks()[0].id
    driver = app(store)
    driver.shell.open_tab("ledger")
    driver.settle()
    driver.shell.go("task", task_id=task)
    driver.settle()
    tap_twice(driver, driver.page.ids.done)
    assert driver.page.name == "ledger"
    driver.tap(driver.find("SnackBtn", driver.shell, text="撤销"))
    assert task in [one.id for one in store.tasks()] and store.drafts() == []


def test_back_while_a_visit_is_being_saved_leads_back_once(app: Start, store: Phone) -> None:
    home = store.households()[0].id
    driver = app(store)
    driver.shell.go("household", household_id=home)
    driver.shell.go("visit_form", household_id=home)
    driver.settle()
    driver.tap(driver.page.ids.outcome.chip("met"))
    driver.page.save()
    driver.shell.back()
    driver.settle()
    assert driver.page.name == "household"


@pytest.mark.screen
def test_after_the_end_nothing_comes_back_to_the_pages_and_nothing_is_begun(
    app: Start, store: Phone
) -> None:
    driver = app(store)
    came: list[Any] = []
    bridge = Bridge()
    bridge.quick(lambda: 1, came.append)
    bridge.close()
    bridge.quick(lambda: 2, came.append)
    driver.frames(3)
    assert came == []
