"""The wire: texts are frozen, hashes and checksums fixed for ever, wrong messages named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from shared import checksum, ids, protocol, records, schemas
from shared.operations import Operation, Transaction

ID = "01900000-0000-7000-8000-000000000001"


def test_checksums_are_what_every_client_must_compute() -> None:
    assert checksum.term(ID, 1) == 0x5F86E37E52DECFD8
    pairs = [(ID, 1), (ID[:-1] + "2", 7)]
    assert checksum.sum64(pairs) == checksum.sum64(reversed(pairs))
    assert checksum.from_signed(checksum.to_signed(checksum.sum64(pairs))) == checksum.sum64(pairs)


@given(st.integers(0, checksum.MODULUS - 1))
def test_the_signed_form_of_a_sum_loses_nothing(total: int) -> None:
    assert checksum.from_signed(checksum.to_signed(total)) == total
    assert -(2**63) <= checksum.to_signed(total) < 2**63


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_ids_sort_by_time_and_have_one_spelling(ms: int, random: bytes) -> None:
    made = ids.uuid7(ms, random)
    assert ids.is_id(made)
    assert made[14] == "7" and made[19] in "89ab"
    assert int(made[:8] + made[9:13], 16) == ms


def transaction(**values: Any) -> Transaction:
    base = {"target_kind": "household", "target_id": ID, "reason": "routine", "outcome": "met",
            "visited_at": 5}  # fmt: skip
    one = Operation("create", "visit", ID, "grid:410103007901001", values=base | values)
    return Transaction(ID, ID, 1, 2, "boot", ("epoch", 3), (one,), "1.0")


def load(text: str) -> Transaction:
    return Transaction.from_json(schemas.TransactionMessage().load(json.loads(text)))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
def test_a_transaction_survives_its_text(note: str) -> None:
    assert load(transaction(note=note).to_text()) == transaction(note=note)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"outcome": "nonsense"}, "outcome"),
        ({"note": "x" * 4001}, "note"),
        ({"note": "a\0b"}, "note"),
        ({"note": 5}, "note"),
        ({"unknown": 1}, "unknown"),
        ({"review_state": "approved"}, "review_state"),
        ({"visited_at": "yesterday"}, "visited_at"),
        ({"visited_at": None}, "visited_at"),
        ({"concern_tags": ["nonsense"]}, "concern_tags"),
        ({"position": {"lat": 91, "lng": 0}}, "position"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as error:
        load(transaction(**values).to_text())
    (operation,) = error.value.messages["operations"].values()  # type: ignore[union-attr]
    assert field in operation["values"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fields": {"note": ["a"]}}, "fields"),
        ({"fields": {"nothing": ["a", "b"]}}, "nothing"),
        ({"rev": -1}, "rev"),
        ({"values": {}}, "values"),
        ({"id": "x"}, "id"),
        ({"id": ID + "\n"}, "id"),
    ],
)
def test_a_wrong_operation_is_named(change: dict[str, Any], field: str) -> None:
    raw = {"op": "set", "kind": "visit", "id": ID, "partition": "grid:410103007901001",
           "seq": 1, "rev": 1, "fields": {"note": ["a", "b"]}, **change}  # fmt: skip
    with pytest.raises(ValidationError) as error:
        schemas.OperationMessage().load(raw)
    assert field in error.value.messages


def test_every_code_says_whether_to_try_again_and_what_to_tell() -> None:
    for code, known in {**protocol.REQUEST_CODES, **protocol.TRANSACTION_CODES}.items():
        assert known.zh and known.en
        assert protocol.title(code, "zh") and protocol.title(code, "en")
    assert protocol.may_retry("unavailable") and not protocol.may_retry("invalid")
    assert protocol.may_retry("a code of a later version")


def test_every_parent_names_a_kind() -> None:
    for kind in records.KINDS.values():
        for name, parent in kind.parents.items():
            assert kind.field(name) is not None
            assert parent in records.KINDS or kind.field(name.removesuffix("_id") + "_kind")
