"""Chinese text is broken where a reader expects it."""

from __future__ import annotations

import pytest

from mobile.ui import room
from mobile.ui.wrap import NEVER_FIRST, NEVER_LAST, shortened, wrap


def measure(piece: str) -> float:
    """Ten for a Chinese character, five for any other."""
    return float(sum(10 if ord(one) > 0x2E00 else 5 for one in piece))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("楼道灯不亮", 30, ["楼道灯", "不亮"]),
        ("楼道灯。不亮", 30, ["楼道", "灯。不", "亮"]),
        ("楼道灯不亮。", 50, ["楼道灯不", "亮。"]),
        ("说（灯坏）了", 20, ["说", "（灯", "坏）", "了"]),
        ("open the door", 45, ["open the", "door"]),
        ("电话13812340000", 60, ["电话", "13812340000"]),
        ("13812340000", 30, ["138123", "40000"]),
        ("一\n二", 30, ["一", "二"]),
        ("", 30, [""]),
        ("。。。。", 20, ["。。", "。。"]),
    ],
)
def test_lines_break_where_they_may(text: str, width: float, lines: list[str]) -> None:
    assert wrap(text, width, measure).split("\n") == lines


@pytest.mark.parametrize("width", range(30, 120, 10))
def test_nothing_is_lost_and_no_line_begins_with_a_stop(width: int) -> None:
    text = "老人在家，精神不错；药（降压）够吃到下月。楼道灯坏了三天，夜里“不敢”下楼！"
    lines = wrap(text, width, measure).split("\n")
    assert "".join(lines) == text
    assert not [line for line in lines if line[0] in NEVER_FIRST or line[-1] in NEVER_LAST]
    assert all(measure(line) <= width for line in lines if len(line) > 1 and line[0] not in "1")


def test_what_does_not_fit_into_the_lines_there_are_ends_in_dots() -> None:
    broken = wrap("一二三四五六七八九", 40, measure)
    assert shortened(broken, 2, 40, measure) == "一二三四\n五六七…"
    assert shortened(broken, 3, 40, measure) == broken == shortened(broken, 0, 40, measure)


def test_a_rows_height_is_told_from_its_words() -> None:
    assert room.lines("", 16, 100) == 0
    assert room.lines("楼道灯坏了", 16, 100) == 1
    assert room.lines("楼道灯坏了三天没人修", 16, 100) == 2
    assert room.lines("楼道灯坏了" * 9, 16, 100) == 2
    assert room.flowed([60, 60, 60], 130, 6) == 2
    assert room.flowed([], 130, 6) == 0
