"""Chinese text is broken where a reader expects it."""

from __future__ import annotations

import pytest

from mobile.ui.wrap import NEVER_FIRST, NEVER_LAST, wrap


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
