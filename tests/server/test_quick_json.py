"""The fast reader of JSON means what the standard one does."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import quick_json
from shared import quick

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_what_is_written_by_either_is_read_alike(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert repr(quick_json.loads(text)) == repr(json.loads(text))
    try:
        written = quick_json.dumps(value)
    except UnicodeEncodeError:
        return  # a lone surrogate: json writes it as an escape
    except RecursionError:  # pragma: no cover
        return
    if "inf" not in repr(value):
        assert json.loads(written) == value


@pytest.mark.parametrize(
    "text",
    ["[1,]", "nan", "[NaN]", "[-Infinity]", "1e999", '"\\ud800"', "", "{", "[" * 3000, '"\t"'],
)
def test_what_it_refuses_is_left_to_the_standard_one(text: str) -> None:
    for given_text in (text, text.encode()):
        try:
            known = repr(json.loads(text))
        except (ValueError, RecursionError) as error:
            with pytest.raises(type(error)):
                quick_json.loads(given_text)
        else:
            assert repr(quick_json.loads(given_text)) == known


def test_no_other_coding_than_utf_8_is_read() -> None:
    assert quick_json.loads(b"\xef\xbb\xbf[1]") == [1]
    for coding in ("utf-16", "utf-32"):
        with pytest.raises(ValueError):
            quick_json.loads('["\\u0000"]'.encode(coding))


@given(st.text() | st.sampled_from(["\x00", "a\x00", "\ud800", "\\u0000"]), st.booleans())
def test_a_clean_text_holds_nothing_that_cannot_be_stored(value: str, ascii_only: bool) -> None:
    try:
        data = json.dumps(value, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return
    if quick_json.is_clean(data):
        assert quick.storable(quick_json.loads(data))
