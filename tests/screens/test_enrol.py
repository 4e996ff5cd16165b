"""Enrolling a phone: every failure says what is wrong, and success leads to the round."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.sync.phone import EnrolFailed, Phone
from tests.screens.conftest import line
from tests.screens.district import District, Line
from tests.screens.driver import Driver

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]


@pytest.fixture
def fresh(tmp_path: Path) -> Phone:
    """A phone that belongs to nobody."""
    return Phone.open(tmp_path / "fresh", http=Line())


def test_an_empty_form_says_what_to_fill_in(app: Start, fresh: Phone) -> None:
    driver = app(fresh)
    driver.tap(driver.page.ids.go)
    assert driver.page.ids.link_field.error == "请粘贴链接，或填写下面两项"
    driver.fill(driver.page.ids.server, "http://127.0.0.1:1")
    assert driver.page.ids.link_field.error == ""
    driver.tap(driver.page.ids.go)
    assert driver.page.ids.code_field.error == "请填写登记码"


def test_a_wrong_link_is_said_at_the_link(app: Start, fresh: Phone) -> None:
    driver = app(fresh)
    driver.fill(driver.page.ids.link, "https://example.org")
    driver.tap(driver.page.ids.go)
    assert "gridledger://" in driver.page.ids.link_field.error


def test_no_network_and_a_wrong_code_are_told_apart(
    app: Start, fresh: Phone, place: District, shots: Path
) -> None:
    driver = app(fresh)
    line(fresh).on = False
    driver.fill(driver.page.ids.server, place.url)
    driver.fill(driver.page.ids.code, "AAAA-BBBB")
    driver.tap(driver.page.ids.go)
    offline = driver.page.problem
    assert "服务器地址" in offline
    line(fresh).on = True
    driver.tap(driver.page.ids.go)
    assert driver.page.problem and driver.page.problem != offline
    assert "登记码" in driver.page.problem
    driver.shot(shots / "enrol_failed.png")


def test_an_address_that_does_not_answer_is_named_in_both_languages(fresh: Phone) -> None:
    with pytest.raises(EnrolFailed) as failed:
        fresh.enrol_by_code("http://127.0.0.1:1", "AAAA-BBBB", "phone")
    assert failed.value.code == "offline"
    assert "请检查网络和服务器地址" in failed.value.message_zh
    assert "server's address" in failed.value.message_en


def test_a_link_enrols_and_the_doors_come(app: Start, fresh: Phone, place: District) -> None:
    driver = app(fresh)
    driver.fill(driver.page.ids.link, place.link())
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: driver.page.name == "round")
    assert place.worker["name"] in driver.said
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    assert driver.page.ids.rows.data


def test_a_link_that_opens_the_app_stands_in_its_field_and_waits_for_a_tap(
    app: Start, fresh: Phone
) -> None:
    later: list[Callable[[str], None]] = []

    def opened_with(then: Callable[[str], None]) -> str:
        later.append(then)
        return "gridledger://enrol?server=http://10.0.0.1&code=AAAA-BBBB"

    driver = app(fresh, opened_with=opened_with)
    assert driver.page.name == "enrol" and "AAAA-BBBB" in driver.page.ids.link.text
    later[0]("gridledger://enrol?server=http://10.0.0.1&code=CCCC-DDDD")
    driver.settle()
    assert driver.page.ids.link.text.endswith("CCCC-DDDD") and not fresh.enrolled
    assert not driver.shell.back(), "no second page stands under it"
