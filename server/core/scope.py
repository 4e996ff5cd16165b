"""Pure: whether work on a grid counts, judged by what its author's phone knew, never by a clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from shared import ids, protocol
from shared.records import Kind

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Stretch:
    """One assignment of the author to a grid; ``to_rev`` and ``to_at`` None: it still holds."""

    grid_code: str
    from_rev: int
    to_rev: int | None
    to_at: int | None


@dataclass(frozen=True)
class Sender:
    """Who sends transactions, by which device, and what they may touch.

    ``trusted``: an import or a job of the server itself. ``stretches``: a grid worker's grids,
    now and before. ``let_in``: the area of the supervisor who releases what was held; it stands
    for the author's own, and gives no more.
    """

    device_id: str
    user_id: str | None
    role: str
    area_code: str
    body: str = ""
    trusted: bool = False
    stretches: tuple[Stretch, ...] = ()
    let_in: str | None = None


def refusal(
    sender: Sender,
    partition: str,
    scope_rev: int | None,
    now: int,
    late_days: int = protocol.LATE_DAYS,
) -> str:
    """Why the sender may not write in a partition: a transaction code, "" if they may.

    ``scope_rev`` is what the sender's device knew (None: nothing comparable, as after a restore,
    which counts as good faith).
    """
    if sender.trusted:
        return ""
    area = ids.area_of(partition)
    if area is None:
        return "" if partition == ids.person_partition(sender.user_id or "") else "out_of_scope"
    if sender.let_in is not None:
        return "" if ids.is_within(area, sender.let_in) else "out_of_scope"
    if sender.role != "grid_worker":
        return "" if ids.is_within(area, sender.area_code) else "out_of_scope"
    return _judge(area, sender.stretches, scope_rev, now, late_days)


def _judge(
    grid: str, stretches: Iterable[Stretch], scope_rev: int | None, now: int, late_days: int
) -> str:
    worst = "out_of_scope"
    for stretch in stretches:
        if stretch.grid_code != grid:
            continue
        if stretch.to_rev is None:
            return ""
        knew = scope_rev is not None and scope_rev >= stretch.to_rev
        in_time = stretch.to_at is None or now - stretch.to_at <= late_days * DAY_MS
        if not knew and in_time:
            return ""
        worst = "late_handover"
    return worst


def may_create(sender: Sender, kind: Kind) -> bool:
    """Whether the sender's role may make records of a kind."""
    return sender.trusted or sender.role in kind.creators


def may_edit(sender: Sender, kind: Kind) -> bool:
    """Whether the sender's role may change records of a kind."""
    return sender.trusted or sender.role in kind.editors


def home_fits(kind: Kind, partition: str) -> bool:
    """Whether a kind's records may live in such a partition."""
    return _fits(kind.home, partition)


@lru_cache(4096)
def _fits(home: str, partition: str) -> bool:
    area = ids.area_of(partition)
    if home == "person":
        return area is None and ids.is_id(partition.partition(":")[2])
    if area is None or not (area.isascii() and area.isdigit()):
        return False
    if home == "grid":
        return len(area) == ids.GRID_DIGITS and partition == ids.grid_partition(area)
    return partition == ids.area_partition(area)
