"""Masks of names and telephone numbers, whatever was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import masking

TYPED = st.text("0123456789+- /张欧阳修a()", max_size=30)


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张小三", "张*"), ("张", "张*"), (" 欧阳修 ", "欧*"), ("", ""), (None, "")],
)
def test_a_name_is_one_character_and_one_star(name: str | None, masked: str) -> None:
    assert masking.mask_name(name) == masked


@given(st.none() | st.text(max_size=8) | TYPED)
def test_no_name_shows_more_than_its_first_character(name: str | None) -> None:
    assert masking.mask_name(name) in ("", f"{(name or '').strip()[:1]}*")


@given(st.none() | TYPED)
def test_whatever_is_typed_shows_no_more_than_seven_digits(number: str | None) -> None:
    for part in masking.mask_phone(number).split("/"):
        assert sum(c.isdigit() for c in part) <= 7


@pytest.mark.parametrize(
    "number",
    ["13812341234", "+86 138 1234 1234", "13812341234/13912341234", "0371-6666 1234", "66661234",
     "110", "", None],
)  # fmt: skip
def test_no_phone_shows_more_than_seven_digits(number: str | None) -> None:
    masked = masking.mask_phone(number)
    assert all(sum(c.isdigit() for c in part) <= 7 for part in masked.split("/"))
