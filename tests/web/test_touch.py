"""Photos under fingers, at the width of a phone: swiped, pinched, covered."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser import chromium
from tests.builders import PASSWORD
from tests.web import pictures
from tests.web.scene import Scene

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]
Point = tuple[float, float]


class Fingers:
    """Fingers on the glass: real touches of the browser, not events made by a script."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page, self._session = page, session

    def _send(self, kind: str, at: float, *points: Point) -> None:
        touches = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        self._session.send(
            "Input.dispatchTouchEvent",
            {"type": f"touch{kind}", "touchPoints": touches, "timestamp": at},
        )

    def drag(self, *ways: tuple[Point, Point], steps: int = 6) -> None:
        """Each finger from one point to another, all at the same time; there they rest, and lift.

        By the times that the events bear, it takes most of a second: nothing is flung.
        """
        at = time.time() - 1
        self._send("Start", at, *(start for start, _ in ways))
        for step in range(1, steps + 1):
            part = step / steps
            self._send("Move", at + 0.05 * step, *(
                (a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part) for a, b in ways
            ))  # fmt: skip
        self._send("Move", at + 0.9, *(end for _, end in ways))
        self._send("End", at + 0.95)


@pytest.fixture
def page(served: str) -> Iterator[Page]:
    """A phone of 390 x 844 with a touch screen; whatever the browser complains of fails."""
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True,
            locale="zh-CN", base_url=served,
        )  # fmt: skip
        opened = context.new_page()
        complaints: list[str] = []
        opened.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        context.close()
        assert not [c for c in complaints if "status of 4" not in c]


@pytest.fixture
def fingers(page: Page) -> Fingers:
    return Fingers(page, page.context.new_cdp_session(page))


def value(page: Page, side: str) -> int:
    return int(page.locator(f"input[name={side}]").first.input_value() or 0)


def test_photos_under_fingers(page: Page, served: str, scene: Scene, fingers: Fingers) -> None:
    pictures.sign_in(page, served, "supervisor", PASSWORD)
    page.goto(f"/visits/{scene.visits[0]}")
    page.locator("a[data-photo]").first.tap()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_text("第 1 张，共 2 张")).to_be_visible()
    # A swipe turns the page, a pinch makes the picture larger under the fingers.
    fingers.drag(((300, 420), (120, 425)))
    expect(viewer.get_by_text("第 2 张，共 2 张")).to_be_visible()
    stage = viewer.locator(".viewer-stage").bounding_box()
    assert stage is not None
    middle = stage["y"] + stage["height"] / 2
    fingers.drag(((280, middle), (240, middle)), ((320, middle), (360, middle)))
    expect(viewer.locator("output")).to_have_text("300%")
    picture = viewer.locator(".pane img").first
    # What lay in the middle of the fingers (x = 300) lies there still.
    left, width = picture.evaluate(
        "e => { const b = e.getBoundingClientRect(); return [b.left, b.width]; }"
    )
    assert abs((300 - left) / width - 300 / 390) < 0.02
    fingers.drag(((200, middle), (260, middle)))
    moved = picture.evaluate("e => e.getBoundingClientRect().left")
    assert abs(moved - left - 60) < 2, "zoomed in, one finger moves the picture"
    expect(viewer.get_by_text("第 2 张，共 2 张")).to_be_visible()
    viewer.get_by_role("button", name="关闭").tap()
    expect(viewer).to_have_count(0)

    # Covering: one finger draws, moves and resizes; two fingers zoom the page and draw nothing.
    page.locator("a[data-photo]").first.evaluate("e => location.assign(e.href)")
    page.get_by_role("link", name="遮挡人脸、车牌").tap()
    masks = page.locator(".mask")
    layer = page.locator(".masks")
    layer.scroll_into_view_if_needed()
    box = layer.bounding_box()
    assert box is not None

    def at(x: float, y: float) -> Point:
        assert box is not None
        return box["x"] + box["width"] * x, box["y"] + box["height"] * y

    fingers.drag((at(0.2, 0.2), at(0.5, 0.6)))
    expect(masks).to_have_count(1)
    assert abs(value(page, "x") - 240) < 8 and abs(value(page, "width") - 360) < 12
    fingers.drag((at(0.3, 0.3), at(0.4, 0.3)))
    assert abs(value(page, "x") - 360) < 14, "moved"
    fingers.drag((at(0.59, 0.58), at(0.7, 0.7)))
    assert value(page, "width") > 440 and abs(value(page, "x") - 360) < 14, "resized by its corner"
    fingers.drag((at(0.85, 0.1), at(0.8, 0.1)), (at(0.9, 0.3), at(0.95, 0.5)))
    expect(masks).to_have_count(1)
    masks.first.tap()
    page.get_by_role("button", name="去掉选中的黑框").tap()
    expect(masks).to_have_count(0)
    page.get_by_role("button", name="退回一步").tap()
    expect(masks).to_have_count(1)
    page.get_by_role("button", name="保存遮挡后的照片").tap()
    expect(page.get_by_text("已换成遮挡后的照片")).to_be_visible()
    assert re.search(r"/photos/[0-9a-f-]+", page.url)
