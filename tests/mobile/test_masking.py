"""Phone and server mask alike: one list of examples, and whatever else is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile.core import masking as phone
from server.core import masking as server

TYPED = st.text("0123456789+- /张欧阳修a()", max_size=30)


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张小三", "张*"), ("张", "张*"), (" 欧阳修 ", "欧*"), ("", ""), (None, "")],
)
def test_a_name_is_one_character_and_one_star(name: str | None, masked: str) -> None:
    assert phone.mask_name(name) == server.mask_name(name) == masked


@given(st.none() | st.text(max_size=8) | TYPED)
def test_both_sides_mask_names_alike(name: str | None) -> None:
    assert phone.mask_name(name) == server.mask_name(name)


@given(st.none() | TYPED)
def test_both_sides_mask_phones_alike(number: str | None) -> None:
    assert phone.mask_phone(number) == server.mask_phone(number)


@pytest.mark.parametrize(
    "number",
    ["13812341234", "+86 138 1234 1234", "13812341234/13912341234", "0371-6666 1234", "66661234",
     "110", "", None],
)  # fmt: skip
def test_no_phone_shows_more_than_seven_digits(number: str | None) -> None:
    masked = phone.mask_phone(number)
    assert masked == server.mask_phone(number)
    assert all(sum(c.isdigit() for c in part) <= 7 for part in masked.split("/"))
