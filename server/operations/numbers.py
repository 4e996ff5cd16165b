"""Ledger numbers (台账编号): community, year, serial; no gaps, none twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import select, tuple_

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
    row = _locked(batch, community, year)
    row.last += 1

    def give_back() -> None:
        row.last -= 1  # the row is ours until the commit: nobody has taken a later one

    batch.on_undo(give_back)
    return f"{community}-{year}-{row.last:05d}"


def reserve(batch: Batch, numbers: Iterable[str]) -> None:
    """Numbers that come from elsewhere are not given again: the next ones are behind them.

    All of a batch at once, in one order, so that two imports never wait for each other.
    """
    last: dict[tuple[str, int], int] = {}
    for number in numbers:
        if match := _OURS.fullmatch(number):
            key = match[1], int(match[2])
            last[key] = max(last.get(key, 0), int(match[3]))
    _lock_all(batch, sorted(last))
    for (community, year), wanted in sorted(last.items()):
        row = _locked(batch, community, year)
        row.last = max(row.last, wanted)


def _lock_all(batch: Batch, keys: Sequence[tuple[str, int]]) -> None:
    """The rows of many communities and years by one statement, those that are missing made."""
    wanted = [key for key in keys if _key(*key) not in batch.looked_up]
    if not wanted:
        return
    rows = [{"community_code": code, "year": year, "last": 0} for code, year in wanted]
    batch.session.execute(insert_ignoring(batch.session, LedgerSerial.__table__), rows)
    query = (
        select(LedgerSerial)
        .where(tuple_(LedgerSerial.community_code, LedgerSerial.year).in_(wanted))
        .order_by(LedgerSerial.community_code, LedgerSerial.year)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for row in batch.session.scalars(query):
        batch.looked_up[_key(row.community_code, row.year)] = row


def _key(community: str, year: int) -> tuple[str, str]:
    return "serial", f"{community} {year}"


def _locked(batch: Batch, community: str, year: int) -> LedgerSerial:
    """The row of a community's year, ours until the commit; made where there is none."""
    key = _key(community, year)
    if key not in batch.looked_up:
        batch.looked_up[key] = _read(batch, community, year) or _made(batch, community, year)
    found: LedgerSerial = batch.looked_up[key]
    return found


def _made(batch: Batch, community: str, year: int) -> LedgerSerial:
    blank = {"community_code": community, "year": year, "last": 0}
    batch.session.execute(insert_ignoring(batch.session, LedgerSerial.__table__).values(**blank))
    found = _read(batch, community, year)
    assert found is not None
    return found


def _read(batch: Batch, community: str, year: int) -> LedgerSerial | None:
    return batch.session.get(
        LedgerSerial, (community, year), with_for_update=True, populate_existing=True
    )
