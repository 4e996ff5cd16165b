"""Ledger numbers (台账编号): community, year, serial; no gaps, none twice."""

from __future__ import annotations

import re

from server.operations.batch import Batch
from server.storage.heads import insert_ignoring
from server.storage.tables import LedgerSerial
from shared import ids
from shared.work_calendar import day_of

_OURS = re.compile(r"(\d{12})-(\d{4})-(\d{5,9})")


def next_number(batch: Batch, partition: str) -> str:
    """The next number of the community and year; the row is locked until the commit.

    A transaction that is refused after all gives its number back.
    """
    community = (ids.area_of(partition) or "")[: ids.COMMUNITY_DIGITS]
    year = day_of(batch.now).year
    serial = _locked(batch, community, year)
    if serial is None:
        batch.session.execute(
            insert_ignoring(batch.session, LedgerSerial.__table__).values(
                community_code=community, year=year, last=0
            )
        )
        serial = _locked(batch, community, year)
    assert serial is not None
    serial.last += 1
    batch.session.flush()
    row = serial

    def give_back() -> None:
        row.last -= 1  # the row is ours until the commit: nobody has taken a later one

    batch.on_undo(give_back)
    return f"{community}-{year}-{serial.last:05d}"


def reserve(batch: Batch, number: str) -> None:
    """A number that comes from elsewhere is not given again: the next one is behind it."""
    match = _OURS.fullmatch(number)
    if match is None:
        return
    community, year, wanted = match[1], int(match[2]), int(match[3])
    batch.session.execute(
        insert_ignoring(batch.session, LedgerSerial.__table__).values(
            community_code=community, year=year, last=0
        )
    )
    serial = _locked(batch, community, year)
    assert serial is not None
    if serial.last < wanted:
        serial.last = wanted
        batch.session.flush()


def _locked(batch: Batch, community: str, year: int) -> LedgerSerial | None:
    return batch.session.get(
        LedgerSerial, (community, year), with_for_update=True, populate_existing=True
    )
