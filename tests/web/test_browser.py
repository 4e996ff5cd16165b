"""The pages in a real browser: scripts, keyboard, both sizes, and a picture of each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.builders import PASSWORD
from tests.web import pictures
from tests.web.scene import Scene

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]
ACCOUNTS = {
    "supervisor": ("supervisor", PASSWORD), "admin": ("admin", PASSWORD),
    "handler": ("handler", PASSWORD), "auditor": ("auditor", PASSWORD),
    "grid_worker": ("worker", PASSWORD),
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all of them."""
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser, served: str) -> Iterator[Page]:
    """A page of 1280 x 800; whatever the browser complains of fails the test."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="zh-CN", base_url=served
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert not [c for c in complaints if "status of 4" not in c]


def _enter(page: Page, served: str, role: str) -> None:
    pictures.sign_in(page, served, *ACCOUNTS[role])


def test_a_filter_answers_at_once_and_stands_in_the_address(
    page: Page, served: str, scene: Scene
) -> None:
    _enter(page, served, "supervisor")
    page.goto("/ledger")
    expect(page.locator("#results tbody tr")).to_have_count(7)
    page.select_option("#f-flag", "overdue")
    expect(page.locator("#results tbody tr")).to_have_count(4)
    assert "flag=overdue" in page.url
    # The export goes with the filter.
    assert "flag=overdue" in (page.locator("#export form").get_attribute("action") or "")
    page.go_back()
    expect(page.locator("#results tbody tr")).to_have_count(7)
    page.fill("#f-q", "井盖")
    page.press("#f-q", "Enter")
    expect(page.locator("#results tbody tr")).to_have_count(1)


def test_the_queue_is_reviewed_with_the_keyboard(page: Page, served: str, scene: Scene) -> None:
    page.goto("/sign-in")
    page.keyboard.type("supervisor")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="今天")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.goto(f"/visits/{scene.visits[0]}")
    button = page.get_by_role("button", name="通过，看下一条")
    for _ in range(40):
        page.keyboard.press("Tab")
        if button.evaluate("e => e === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/visits/{scene.visits[1]}")
    expect(page.get_by_text("已通过。")).to_be_visible()


def test_a_problem_is_dispatched_and_a_wrong_field_gets_the_focus(
    page: Page, served: str, scene: Scene
) -> None:
    _enter(page, served, "supervisor")
    page.goto(f"/ledger/{scene.problems[1]}")
    form = page.locator("form[action$='/dispatch']")
    form.get_by_label("责任单位").select_option("water")
    expect(form.get_by_role("checkbox", name="自来水公司")).to_be_hidden()
    form.get_by_role("button", name="派遣").click()
    expect(form.get_by_label("整改措施")).to_be_focused()
    form.get_by_label("整改措施").fill("更换灯头")
    page.context.clear_cookies()  # signed out meanwhile: what was written is kept
    form.get_by_role("button", name="派遣").click()
    expect(page.get_by_text("您写的会填回去")).to_be_visible()
    page.get_by_role("link", name="回到刚才那一页").click()
    page.get_by_label("用户名").fill("supervisor")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(form.get_by_label("整改措施")).to_have_value("更换灯头")
    expect(form.get_by_role("status")).to_contain_text("已填回")
    form.get_by_role("button", name="派遣").click()
    expect(page.get_by_text("派遣给自来水公司")).to_be_visible()


def test_writing_a_third_value_chooses_it(page: Page, served: str, scene: Scene) -> None:
    _enter(page, served, "supervisor")
    page.goto("/conflicts")
    page.locator("a.main-link", has_text="走访").click()
    page.get_by_label("第三个值", exact=True).fill("晚上八点后在家。")
    expect(page.get_by_label("都不对，写第三个值")).to_be_checked()
    page.get_by_role("button", name="就用选中的值").click()
    expect(page.get_by_text("已裁定")).to_be_visible()


def test_a_form_is_sent_once_and_revoking_asks_first(page: Page, served: str, scene: Scene) -> None:
    _enter(page, served, "admin")
    page.goto("/phones")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="停用").first.click()
    expect(page.get_by_text("使用中")).to_have_count(3)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="停用").first.click()
    expect(page.get_by_text("使用中")).to_have_count(2)


def test_photos_in_the_viewer_with_the_keyboard_alone(
    page: Page, served: str, scene: Scene
) -> None:
    _enter(page, served, "supervisor")
    page.goto(f"/visits/{scene.visits[0]}")
    first = page.locator("a[data-photo]").first
    first.focus()
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_text("第 1 张，共 2 张")).to_be_visible()
    expect(viewer.locator(".pane img").first).to_have_js_property("naturalWidth", 1200)
    expect(viewer.locator(".viewer-caption")).to_contain_text("李敏 拍摄")
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_text("第 2 张，共 2 张")).to_be_visible()
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(viewer.locator("output")).to_have_text("169%")
    page.keyboard.press("ArrowRight")  # zoomed in, the arrows move the picture
    expect(viewer.get_by_text("第 2 张，共 2 张")).to_be_visible()
    page.keyboard.press("0")
    expect(viewer.locator("output")).to_have_text("100%")
    viewer.locator(".viewer-stage").hover()
    page.mouse.wheel(0, -100)
    expect(viewer.locator("output")).to_have_text("115%")
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(first).to_be_focused()


def test_a_face_is_covered_with_the_mouse_and_the_keyboard(
    page: Page, served: str, scene: Scene
) -> None:
    _enter(page, served, "supervisor")
    page.goto(f"/visits/{scene.visits[0]}")
    link = page.locator("a[data-photo]").first.get_attribute("href") or ""
    page.goto(link)
    page.get_by_role("link", name="遮挡人脸、车牌").click()
    masks = page.locator(".mask")
    box = page.locator(".masks").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.up()
    expect(masks).to_have_count(1)
    expect(masks).to_be_focused()
    expect(page.locator("input[name=x]").first).to_have_value(re.compile("^(299|300|301)$"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("input[name=x]").first).to_have_value(re.compile("^(311|312|313)$"))
    page.keyboard.press("Shift+ArrowDown")
    page.get_by_role("button", name="加一个黑框").click()
    expect(masks).to_have_count(2)
    page.keyboard.press("Delete")
    expect(masks).to_have_count(1)
    page.get_by_role("button", name="退回一步").click()
    expect(masks).to_have_count(2)
    page.get_by_role("button", name="退回一步").click()
    expect(masks).to_have_count(1)
    page.get_by_role("button", name="保存遮挡后的照片").click()
    expect(page.get_by_text("已换成遮挡后的照片")).to_be_visible()
    expect(page.get_by_text("王秀兰 遮挡过")).to_be_visible()


def test_an_export_is_downloaded_twice_from_one_page(page: Page, served: str, scene: Scene) -> None:
    _enter(page, served, "supervisor")
    page.goto("/ledger")
    page.locator("#export summary").click()
    for name, ending in (("Excel", ".xlsx"), ("CSV", ".csv")):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert download.value.suggested_filename.endswith(ending)


def test_everything_works_without_scripts(browser: Browser, served: str, scene: Scene) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=served, locale="zh-CN")
    page = context.new_page()
    _enter(page, served, "supervisor")
    page.goto("/ledger")
    page.select_option("#f-flag", "overdue")
    page.get_by_role("button", name="筛选").click()
    expect(page.locator("#results tbody tr")).to_have_count(4)
    context.close()


def test_no_page_is_wider_than_its_screen_and_each_has_its_picture(
    browser: Browser, served: str, scene: Scene, tmp_path: Path
) -> None:
    wide: list[str] = []

    def measure(page: Page, name: str) -> None:
        size = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        if size[0] > size[1]:
            wide.append(f"{name}: {size}")

    made = pictures.take(browser, served, ACCOUNTS, tmp_path, seen=measure)
    assert not wide
    assert {path.name for path in made} >= {
        f"{size}-{name}.png"
        for size in pictures.SIZES
        for name in ("sign_in", "home", "visit", "problem", "conflict", "person", "code", "audit")
    }


def test_every_field_and_button_has_a_name(page: Page, served: str, scene: Scene) -> None:
    _enter(page, served, "supervisor")
    home = f"/homes/{scene.world.households[0]}"
    problem = f"/ledger/{scene.problems[3]}"
    visit = f"/visits/{scene.visits[0]}"
    for path in (
        "/visits",
        visit,
        "/photos/overdue?days=0",
        "/ledger",
        problem,
        "/conflicts",
        "/homes",
        home,
        "/offers",
    ):
        page.goto(path)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('main input:not([type=hidden]), main select,'
               + 'main textarea, main button, main a')].filter(e => !(e.labels && e.labels.length)
               && !e.getAttribute('aria-label') && !e.textContent.trim()
               && !e.querySelector('img[alt]')).map(e => e.outerHTML)"""
        )
        assert not nameless


def test_a_body_works_off_its_board_and_sends_photos_with_progress(
    page: Page, served: str, scene: Scene, tmp_path: Path
) -> None:
    noise = Image.frombytes("RGB", (2200, 400), os.urandom(2200 * 400 * 3))
    noise.save(tmp_path / "after.png")
    (tmp_path / "wrong.jpg").write_bytes(b"no picture")
    _enter(page, served, "handler")
    expect(page.get_by_role("heading", name="我的任务")).to_be_visible()
    overdue = page.locator("section", has=page.locator("#overdue"))
    overdue.get_by_role("button", name="签收").click()
    expect(page.get_by_text("已办：签收。")).to_be_visible()
    page.locator(f"a[href*='{scene.problems[3]}'][href*='do=request_closure']").click()
    form = page.locator("form[action$='/request_closure']")
    form.get_by_label("完成情况").fill("已换新灯。")
    form.get_by_label("问题根源").select_option("facility")
    form.get_by_label("选照片或拍照").set_input_files(tmp_path / "wrong.jpg")
    expect(form.locator(".picked li")).to_have_count(1)
    form.get_by_role("button", name="申请销号").click()
    expect(form.get_by_role("status")).to_contain_text("不是照片")
    expect(form.get_by_label("选照片或拍照")).to_be_focused()
    form.get_by_role("button", name="去掉第 1 张").click()
    form.get_by_label("选照片或拍照").set_input_files(tmp_path / "after.png")
    expect(form.get_by_role("img", name="after.png")).to_be_visible()
    form.get_by_role("button", name="申请销号").click()
    expect(page.get_by_text("已办：申请销号。")).to_be_visible()
    picture = page.get_by_role("img", name="整改后照片 1")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 320)
    assert page.locator("[role=progressbar]").count() == 3
