"""The quick yes says yes only where the schema does, and hands the same values back."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from shared import quick, records, schemas

ID = "01900000-0000-7000-8000-00000000000a"
SCHEMA = schemas.TransactionMessage()

# Values that stand near the edges of what is allowed.
ODD: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**54), 2**54),
    st.sampled_from([-1, 0, 1, 2**53, 2**53 + 1, 90.5, -180, 1e7, float("nan"), float("inf")]),
    st.text(max_size=4),
    st.sampled_from(["", "\x00", "\ud800", "x" * 61, "x" * 4001, ID, ID.upper(), ID + "\n"]),
    st.lists(st.sampled_from(["elder_alone", "water", "", "x"]), max_size=3),
    st.dictionaries(st.sampled_from(["lat", "lng", "accuracy", "a"]), st.floats(), max_size=3),
    st.just(json.loads("[" * 14 + "]" * 14)),
)


def _value(field: records.Field) -> Any:
    """A strategy for a field's right values."""
    codes = [choice.code for choice in field.choices]
    number = st.integers(-(2**53), 2**53)
    chosen: Any = {
        records.TEXT: st.text(
            st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1,
            max_size=min(field.limit, 8),
        ),
        records.CODE: st.sampled_from(codes) if codes else st.just("code"),
        records.BOOL: st.booleans(),
        records.INT: number,
        records.MS: number,
        records.REF: st.just(ID),
        records.SET: st.lists(st.sampled_from(codes or ["x"]), max_size=3),
        records.POSITION: st.just({"lat": 34.5, "lng": 113, "accuracy": None}),
        records.JSON: st.just({"a": [1, "二", None, {"b": 1.5}]}),
    }[field.type]  # fmt: skip
    return chosen if field.required else st.one_of(st.none(), chosen)


@st.composite
def _operations(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(records.KINDS)))
    fields = [f for f in records.KINDS[kind].fields if f.rule != records.SERVER]
    op = draw(st.sampled_from(["create", "set", "add", "remove", "act", "delete"]))
    made: dict[str, Any] = {"op": op, "kind": kind, "id": ID, "partition": "grid:1"}
    if op == "create":
        made["values"] = {
            f.name: draw(_value(f)) for f in fields if f.required or draw(st.booleans())
        }
        return made
    made |= {"seq": draw(st.integers(0, 9)), "rev": 1}
    if op == "set":
        chosen = draw(st.lists(st.sampled_from(fields), max_size=3))
        made["fields"] = {f.name: [_fresh(draw), draw(_value(f))] for f in chosen}
    elif op in ("add", "remove"):
        made |= {"name": draw(st.sampled_from(["care_groups", "concern_tags", "answers"]))}
        made |= {"elements": draw(st.lists(st.sampled_from(["elder_alone", "water"]), max_size=2))}
    elif op == "act":
        made |= {"action": "close", "expect": {"state": "closed", "step": 3}, "data": {"a": "b"}}
    if draw(st.booleans()):
        made["base"] = {"note": 3}
    return made


@st.composite
def _transactions(draw: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "id": ID, "author": ID, "made_at": 5, "mono": 0, "boot": "b", "scope": ["", 1],
        "operations": draw(st.lists(_operations(), min_size=1, max_size=2)),
    }  # fmt: skip
    if draw(st.booleans()):
        raw["app"] = "app"
    for _ in range(draw(st.integers(0, 2))):
        _disturb(draw, raw)
    return raw


def _fresh(draw: Any) -> Any:
    """An odd value of its own: one that is shared may be put into itself."""
    return copy.deepcopy(draw(ODD))


def _disturb(draw: Any, raw: Any) -> None:
    """Change, drop or add one member somewhere."""
    place = raw
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and draw(st.booleans()):
            place = place[key]
            continue
        what = draw(st.sampled_from(["change", "drop", "add"]))
        if what == "drop":
            del place[key]
        elif what == "add" and isinstance(place, dict):
            place[draw(st.sampled_from(["base", "values", "seq", "zz", "note"]))] = _fresh(draw)
        else:
            place[key] = _fresh(draw)
        return


def _plain(value: Any) -> Any:
    """Tuples as lists: the schema makes a tuple of a scope."""
    return json.loads(json.dumps(value))


@settings(max_examples=300, deadline=None)
@given(_transactions())
def test_what_is_quickly_valid_is_valid_and_unchanged(raw: dict[str, Any]) -> None:
    before = copy.deepcopy(raw)
    said = quick.transaction(raw)
    assert repr(raw) == repr(before)
    try:
        loaded = SCHEMA.load(raw)
    except ValidationError:
        assert not said
        return
    if said:
        assert _plain(loaded) == _plain(raw)


@settings(max_examples=200, deadline=None)
@given(st.lists(_operations(), min_size=1, max_size=3))
def test_what_a_phone_sends_is_quickly_valid(operations: list[dict[str, Any]]) -> None:
    raw = {
        "id": ID, "author": ID, "made_at": 5, "mono": 0, "boot": "b", "scope": ["e", 1],
        "operations": operations, "app": "app",
    }  # fmt: skip
    try:
        SCHEMA.load(raw)
    except ValidationError:
        assert not quick.transaction(raw)
    else:
        # A phone holds no text that cannot be stored, so none stands as what was before; the schema
        # alone would let it pass there.
        assert quick.transaction(raw) == quick._is_clean(raw)


def test_characters_that_cannot_be_stored_are_found_wherever_they_stand() -> None:
    for bad in ("\x00", "\ud800"):
        for values in ({"name": bad}, {"name": "a", "note": f"二{bad}"}):
            assert not quick.values("compound", values)
        act = {"op": "act", "kind": "problem", "id": ID, "partition": "grid:1", "seq": 1, "rev": 1}
        for data in ({"a": [{"b": bad}]}, {bad: 1}):
            raw = {
                "id": ID, "author": ID, "made_at": 5, "mono": 0, "boot": "b", "scope": ["e", 1],
                "operations": [act | {"action": "close", "expect": {}, "data": data}],
            }  # fmt: skip
            assert not quick.transaction(raw)
