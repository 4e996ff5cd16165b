"""Apply transactions: the one road by which any record changes, whoever sends it.

`submit` is for the server's own senders (a web page, an import, a job); `server.operations.push`
brings what phones send. Both end in `apply`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.operations import Operation


@dataclass(frozen=True)
class Submitted:
    """What became of a transaction of the server's own: the records' new revs."""

    tx_id: str
    result: str  # applied | merged | conflict
    revs: dict[str, int]
    conflicts: tuple[str, ...]


def submit(
    user_id: str, operations: Sequence[Operation], *, kind: str = "web", now: int | None = None
) -> Submitted:
    """Apply one transaction for a signed-in person, and commit it.

    Raises shared.reconcile.Refused when it cannot apply; nothing is written then.
    """
    raise NotImplementedError


@dataclass(frozen=True)
class Entry:
    """One transaction of a bulk: its author and when it was made (Unix ms; None: now)."""

    author: str
    operations: Sequence[Operation]
    made_at: int | None = None


def submit_many(
    entries: Iterable[Entry], *, kind: str = "import", sender: str | None = None, batch: int = 500
) -> Iterable[Submitted]:
    """Apply many transactions of an import or a job, each batch of operations in one commit.

    Trusted: the sender may create records of every kind in every area. ``made_at`` also stands for
    the server's clock (progress entries, receipts), so that a history can be built. Raises Refused.
    """
    raise NotImplementedError
