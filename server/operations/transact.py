"""Apply transactions: the one road by which any record changes, whoever sends it.

`submit` and `submit_many` are for the server's own senders (a web page, an import, a job);
`server.operations.push` brings what phones send. All end in `apply.apply` on a `Batch`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from server.core import scope
from server.core.scope import Sender, Stretch
from server.operations.apply import apply
from server.operations.batch import Batch, NeedLock
from server.operations.clock import now_ms
from server.storage import heads, plain
from server.storage.bulk import insert_rows
from server.storage.database import write
from server.storage.plain import Statement
from server.storage.settings import epoch
from server.storage.tables import Device, Receipt, User
from shared import checksum, ids, records
from shared.operations import CREATE, Operation, Transaction
from shared.reconcile import Refused

T = TypeVar("T")
_STRETCHES = Statement(
    "SELECT grid_code, from_rev, to_rev, to_at FROM assignment WHERE user_id = ?"
)
_DEVICE = Statement("SELECT id FROM device WHERE id = ?")
Kept = tuple[dict[str, Any], str, Transaction | None]  # answer, hash, what it was
ATTEMPTS = 8


@dataclass(frozen=True)
class Submitted:
    """What became of a transaction of the server's own: the records' new revs."""

    tx_id: str
    result: str  # applied | merged | conflict
    revs: dict[str, int]
    conflicts: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One transaction of a bulk: its author and when it was made (Unix ms; None: now)."""

    author: str
    operations: Sequence[Operation]
    made_at: int | None = None


def submit(
    user_id: str,
    operations: Sequence[Operation],
    *,
    kind: str = "web",
    now: int | None = None,
    also: Callable[[Session], None] | None = None,
) -> Submitted:
    """Apply one transaction for a signed-in person, and commit it.

    ``also`` writes what stands or falls with it (an audit row). Raises shared.reconcile.Refused
    when it cannot apply; nothing is written then.
    """
    moment = now_ms() if now is None else now
    frozen = tuple(operations)

    def once(session: Session, extra: frozenset[str]) -> Submitted:
        user = session.get(User, user_id)
        if user is None or not user.active:
            raise Refused("forbidden", "user")
        device = own_device(session, user_id, kind, moment)
        sender = sender_of(session, user, device.id)
        batch = Batch(session, sender, moment, epoch(session), own=True)
        transaction = _transaction(batch, user_id, frozen, moment)
        prepare(batch, [transaction], extra)
        done, receipt = _apply_own(batch, device.last_dseq + 1, transaction)
        keep_receipts(session, device, [receipt], moment)
        batch.flush()
        if also is not None:
            also(session)
        return done

    return locking(once)


def submit_many(
    entries: Iterable[Entry],
    *,
    kind: str = "import",
    sender: str | None = None,
    batch: int = 500,
    also: Callable[[Session], None] | None = None,
) -> Iterator[Submitted]:
    """Apply many transactions of an import or a job, each batch of operations in one commit.

    Trusted: the sender may create records of every kind in every area; an action is judged by its
    author's own role. ``made_at`` also stands for the server's clock, so that a history can be
    built. ``sender`` is the account on whose behalf it runs. ``also`` writes what stands or falls
    with the first batch (an audit row). Raises Refused; the batches before the refused one stay.
    """
    for part in _parts(entries, batch):
        yield from locking(_Bulk(part, kind, sender, also))
        also = None


class _Bulk:
    """One commit of `submit_many`; a class, so that it can be tried again."""

    def __init__(
        self,
        part: list[Entry],
        kind: str,
        sender: str | None,
        also: Callable[[Session], None] | None = None,
    ) -> None:
        self.part, self.kind, self.sender, self.also = part, kind, sender, also

    def __call__(self, session: Session, extra: frozenset[str]) -> list[Submitted]:
        current = now_ms()
        device = own_device(session, self.sender, self.kind, current)
        blank = Sender(device.id, self.sender, "", ids.ROOT_AREA, trusted=True)
        batch = Batch(session, blank, current, epoch(session), own=True)
        transactions = [
            _transaction(batch, e.author, tuple(e.operations), e.made_at or current)
            for e in self.part
        ]
        prepare(batch, transactions, extra)
        names = {transaction.author for transaction in transactions}
        people = {name: session.get(User, name) for name in names}
        done, receipts = [], []
        for dseq, transaction in enumerate(transactions, device.last_dseq + 1):
            author = people[transaction.author]
            batch.sender = replace(
                blank, role=author.role if author else "", body=(author and author.body) or ""
            )
            batch.now = transaction.made_at
            submitted, receipt = _apply_own(batch, dseq, transaction)
            done.append(submitted)
            receipts.append(receipt)
        batch.now = current
        keep_receipts(session, device, receipts, None)
        batch.flush()
        if self.also is not None:
            self.also(session)
        return done


def locking(once: Callable[[Session, frozenset[str]], T]) -> T:
    """Run a use case in one transaction; again if it meets partitions it had not locked.

    A deadlock that the database broke is tried again too: nothing of it was written.
    """
    extra: frozenset[str] = frozenset()
    for attempt in range(ATTEMPTS):
        try:
            with write() as session:
                return once(session, extra)
        except NeedLock as need:
            extra |= need.partitions
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") not in ("40P01", "40001"):
                raise
            if attempt == ATTEMPTS - 1:
                raise
    raise RuntimeError("the records moved faster than they could be locked")


def prepare(batch: Batch, transactions: Iterable[Transaction], extra: Iterable[str] = ()) -> None:
    """Lock and load in bulk what these transactions name, so that applying asks for little.

    A record in another partition than where its author's device held it is met when it is loaded;
    then it begins again with that one locked too.
    """
    wanted: dict[str, dict[str, None]] = {}
    made: dict[str, dict[str, None]] = {}
    changed: set[str] = set()
    partitions = set(extra)
    for transaction in transactions:
        for operation in transaction.operations:
            kind = records.KINDS[operation.kind]
            if _may_lock(batch, kind, operation.partition):
                partitions.add(operation.partition)
            if operation.op == CREATE:
                made.setdefault(operation.kind, {})[operation.id] = None
                for parent, record_id in records.parent_of(kind, operation.values):
                    wanted.setdefault(parent, {})[record_id] = None
            else:
                wanted.setdefault(operation.kind, {})[operation.id] = None
                changed.add(operation.id)
    for kind_name, record_ids in made.items():
        for record_id in record_ids:
            wanted.get(kind_name, {}).pop(record_id, None)
    batch.load(wanted, partitions)
    if batch.sender.trusted:
        batch.load(made, ())
    else:
        batch.load_new(made)
    batch.load_conflicts(changed)


def _may_lock(batch: Batch, kind: records.Kind, partition: str) -> bool:
    """Whether an operation may name this partition: nobody makes heads by naming nonsense.

    That of a record which is not known is locked too, so that whoever brings the record at the
    same moment sees what waits for it, or is seen.
    """
    if not scope.home_fits(kind, partition):
        return False
    return not batch.refusal(partition, None)


def sender_of(session: Session, user: User, device_id: str) -> Sender:
    """What a person may touch, with the history of their grids."""
    stretches: tuple[Stretch, ...] = ()
    if user.role == "grid_worker":
        stretches = tuple(Stretch(*row) for row in plain.rows(session, _STRETCHES, user.id))
    return Sender(
        device_id, user.id, user.role, user.area_code, user.body or "", stretches=stretches
    )


def own_device_id(session: Session, user_id: str | None, kind: str, now: int) -> str:
    """The id of such a device, for a job that takes no numbers from it."""
    device_id = _own_id(user_id, kind)
    if not plain.rows(session, _DEVICE, device_id):
        own_device(session, user_id, kind, now)
    return device_id


def _own_id(user_id: str | None, kind: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:gridledger:{kind}:{user_id}"))


def own_device(
    session: Session, user_id: str | None, kind: str, now: int, lock: bool = True
) -> Device:
    """The device under which a web session, an import or a job writes; one a person and kind.

    Locked for whoever takes numbers from it; a job that keeps no receipts need not wait.
    """
    device_id = _own_id(user_id, kind)
    device = session.get(Device, device_id, with_for_update=lock, populate_existing=True)
    if device is None:
        statement = heads.insert_ignoring(session, Device.__table__).values(
            id=device_id, user_id=user_id, kind=kind, name=kind, created_at=now, last_dseq=0,
            running="", confirmed=0,
        )  # fmt: skip
        session.execute(statement)
        device = session.get(Device, device_id, with_for_update=lock, populate_existing=True)
    assert device is not None
    return device


def _transaction(
    batch: Batch, author: str, operations: tuple[Operation, ...], made_at: int
) -> Transaction:
    return Transaction(ids.new_id(), author, made_at, 0, "server", (batch.epoch, 0), operations)


def _apply_own(
    batch: Batch, dseq: int, transaction: Transaction
) -> tuple[Submitted, tuple[dict[str, Any], str, Transaction]]:
    """Apply one transaction of the server's own; what became of it, and its receipt to keep."""
    batch.begin(transaction.id, transaction.author, transaction.made_at)
    result, conflicts = apply(batch, transaction)
    answer: dict[str, Any] = {
        "id": transaction.id,
        "dseq": dseq,
        "result": result,
        "records": touched(batch, transaction),
        "conflicts": conflicts,
    }
    tx_hash = checksum.text_hash(transaction.to_text())
    submitted = Submitted(transaction.id, result, dict(answer["records"]), tuple(conflicts))
    return submitted, (answer, tx_hash, transaction)


def touched(batch: Batch, transaction: Transaction) -> list[list[Any]]:
    """The records that a transaction named, each with its rev now."""
    found = {}
    for operation in transaction.operations:
        one = batch.held.get((operation.kind, operation.id))
        if one:
            found[one.record.id] = one.record.rev
    return [[record_id, rev] for record_id, rev in found.items()]


class Numbered(Protocol):
    """A device whose row is locked, and up to where it has delivered."""

    @property
    def id(self) -> str:
        """Which one."""

    last_dseq: int
    running: str


def keep_receipts(
    session: Session,
    device: Numbered,
    receipts: Sequence[Kept],
    now: int | None,
) -> None:
    """Keep the first answers, in the transaction that applied them, and move the device on.

    ``now`` None: each was received when it was made (a bulk that builds a history).
    """
    for answer, tx_hash, _ in receipts:
        move_on(device, answer["dseq"], tx_hash)
    insert_receipts(session, device, receipts, now)


def move_on(device: Numbered, dseq: int, tx_hash: str) -> None:
    """The device has delivered up to this number."""
    device.last_dseq = dseq
    device.running = checksum.next_running(device.running, tx_hash)


def insert_receipts(
    session: Session, device: Numbered, receipts: Sequence[Kept], now: int | None
) -> None:
    """Keep the first answers of a device that was moved on already."""
    rows = [
        {
            "id": answer["id"],
            "device_id": device.id,
            "dseq": answer["dseq"],
            "hash": tx_hash,
            "author": transaction.author if transaction else None,
            "made_at": transaction.made_at if transaction else None,
            "received_at": now if now is not None or transaction is None else transaction.made_at,
            "result": answer["result"],
            "answer": answer,
        }
        for answer, tx_hash, transaction in receipts
        if answer["id"] is not None
    ]
    insert_rows(session, Receipt.__table__, rows)


def _parts(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """Entries in parts of about ``size`` operations."""
    part: list[Entry] = []
    count = 0
    for entry in entries:
        part.append(entry)
        count += len(entry.operations)
        if count >= size:
            yield part
            part, count = [], 0
    if part:
        yield part
