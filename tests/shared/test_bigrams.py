"""Chinese is found within words, Latin by its words' beginnings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import bigrams
from shared.bigrams import MARKS, Phrase, has, query, terms


def test_chinese_becomes_pairs_and_a_last_character() -> None:
    assert terms("照明设施") == ["照明", "明设", "设施", "施"]
    assert terms("3号楼A栋，水管") == ["3", "号楼", "楼", "a", "栋", "水管", "管"]
    assert terms(None) == [] and terms("，。%_ -") == []


def test_a_query_is_a_phrase_of_pairs() -> None:
    assert query("照明") == (Phrase(("照明",)),)
    assert query("照明设施") == (Phrase(("照明", "明设", "设施")),)
    assert query("灯") == (Phrase(("灯",), begins=True),)
    assert query("Lamp 3") == (Phrase(("lamp",), begins=True), Phrase(("3",)))
    assert query("% _") == ()
    assert query("2号楼3") == (Phrase(("2", "号楼", "楼", "3")),)


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("小区公共照明设施损坏", "照明", True),
        ("小区公共照明设施损坏", "共照明设", True),
        ("小区公共照明设施损坏", "照设", False),
        ("路灯不亮", "灯", True),
        ("门口有盏路灯", "灯", True),
        ("照了相，明天取", "照明", False),
        ("３号楼 ＡＢＣ公司", "abc 3", True),
        ("台账 410103007901-2026-00012", "00012", True),
        ("台账 410103007901-2026-00012", "4101", True),
        ("2号楼1单元", "2号楼", True),
        ("2号楼1单元", "2单元", False),
        ("12号楼1单元", "2号楼", False),
        ("东院3号", "院3号", True),
        ("二单元漏水", "漏水 二单元", True),
        ("二单元漏水", "漏水 三单元", False),
    ],
)
def test_what_is_found(text: str, wanted: str, found: bool) -> None:
    assert has(terms(text), query(wanted)) is found


_CHINESE = st.text(st.sampled_from("照明设施路灯楼道水管漏三号院，。 "), max_size=30)


@given(_CHINESE, st.integers(0, 30), st.integers(1, 6))
def test_every_piece_of_a_chinese_text_finds_it(text: str, start: int, length: int) -> None:
    piece = text[start : start + length]
    if any(not one.isascii() or one.isspace() for one in piece):
        assert has(terms(text), query(piece))


@given(st.text(max_size=40))
def test_no_term_holds_what_an_index_keeps_for_itself(text: str) -> None:
    for term in terms(text):
        assert term and not set(term) & set(MARKS + "'\" :*&|<>()\\")
    assert len(query(text)) <= bigrams.MAX_TERMS
