"""A damaged row is found by the sums, and only its bucket comes again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mobile.storage import records, repair
from mobile.sync import client as wire
from mobile.sync.phone import HouseholdDraft, Phone
from shared import checksum
from tests.sync.conftest import Place
from tests.sync.test_faults import rows


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every line that any phone hears in a pull."""
    lines: list[dict[str, Any]] = []
    real = wire._lines

    def listening(response: requests.Response) -> Iterator[dict[str, Any]]:
        for line in real(response):
            lines.append(line)
            yield line

    monkeypatch.setattr(wire, "_lines", listening)
    return lines


def told(heard: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [line for line in heard if line["t"] in kinds]


def spoil(phone: Phone, sql: str, *more: Any) -> None:
    with phone._store.writing() as store:
        store.execute(sql, more)


def test_one_lost_row_brings_one_bucket(place: Place, heard: list[dict[str, Any]]) -> None:
    """The phone's sums are of its own rows, so that a lost one is noticed."""
    phone = place.phone()
    whole, lost = rows(phone), place.world.households[2]
    bucket = int(lost[-2:], 16)
    spoil(phone, "DELETE FROM record WHERE id = ?", lost)
    heard.clear()
    assert phone.sync().complete
    assert rows(phone) == whole
    assert len(told(heard, "buckets")) == 1
    assert [line["n"] for line in told(heard, "bucket")] == [bucket]
    assert {int(line["id"][-2:], 16) for line in told(heard, "row")} == {bucket}
    assert len(told(heard, "repaired")) == 1 and not told(heard, "reset")
    status = phone.status()
    assert (status.repairs, status.buckets_repaired) == (1, 1)
    heard.clear()
    assert phone.sync().complete
    assert phone.status().repairs == 1 and not told(heard, "row", "buckets")


def test_a_row_that_nobody_has_goes_and_what_waits_is_spared(
    place: Place, heard: list[dict[str, Any]]
) -> None:
    phone = place.phone()
    whole, home = rows(phone), place.world.households[0]
    ghost = home[:-4] + "ff" + home[-2:]
    columns = "kind, partition_id, seq, rev, agreed"
    spoil(
        phone,
        f"INSERT INTO record (id, {columns}, term) SELECT ?, {columns}, ? FROM record"
        " WHERE id = ?",
        ghost, checksum.to_signed(checksum.term(ghost, 1)), home,
    )  # fmt: skip
    assert ghost in rows(phone)
    mine = phone.add_household(HouseholdDraft({"door": "新的"}))
    wrong = checksum.to_signed(checksum.term(home, 9))
    spoil(phone, "UPDATE record SET rev = 9, term = ? WHERE id = ?", wrong, home)
    heard.clear()
    assert phone.sync().complete
    assert [line["n"] for line in told(heard, "bucket")] == [int(home[-2:], 16)]
    assert phone.sync().complete
    now = rows(phone)
    assert ghost not in now and mine in now
    del now[mine]
    assert now == whole
    assert phone.status().repairs == 1 and not told(heard, "reset")
    came = {one["id"] for one in told(heard, "row")} - {mine}
    assert {record_id[-2:] for record_id in came} == {home[-2:]}, "not the whole partition"


def test_a_repair_that_is_cut_goes_on_at_the_next_sync(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = place.phone()
    whole = rows(phone)
    for home in place.world.households[:2]:
        spoil(phone, "DELETE FROM record WHERE id = ?", home)
    real = wire._lines
    cuts = []

    def cut(response: requests.Response) -> Iterator[dict[str, Any]]:
        for line in real(response):
            if line["t"] == "repaired" and not cuts:
                cuts.append(line)
                raise wire.RequestFailed("offline", "cut")
            yield line

    monkeypatch.setattr(wire, "_lines", cut)
    assert not phone.sync().complete
    phone.close()
    phone = place.open("one")
    assert phone.sync().complete
    assert rows(phone) == whole and phone.status().repairs == 1


def test_a_repair_in_vain_brings_the_whole_partition(
    place: Place, heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = place.phone()
    whole, home = rows(phone), place.world.households[0]
    spoil(phone, "DELETE FROM record WHERE id = ?", home)
    monkeypatch.setattr(repair, "_differing", lambda own, theirs: [(int(home[-2:], 16) + 1) % 256])
    heard.clear()
    assert phone.sync().complete
    assert rows(phone) == whole
    came = [line["id"] for line in told(heard, "row") if line["p"] == place.world.partition]
    assert len(came) >= len([r for r in whole.values() if r[0] == place.world.partition])


def test_bucket_sums_add_up_to_the_partitions(place: Place) -> None:
    phone = place.phone()
    with phone._store.reading() as store:
        _, total = records.own_sum(store, place.world.partition)
        sums = repair.own_sums(store, place.world.partition)
    assert sum(sums) % checksum.MODULUS == total != 0
