"""Push: take the transactions of a phone, each exactly once, and say what became of each.

The device's row is locked first, changes in the push's transaction and is read in the pull's
snapshot. A transaction that cannot apply still counts as delivered: its content is in quarantine,
its author gets a task, and the queue goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from server import quick_json
from server.errors import Trouble, first_message, messages_of
from server.operations import quarantine, release, rewind, transact
from server.operations.apply import apply
from server.operations.batch import Batch, NeedLock
from server.operations.clock import now_ms
from server.storage import plain
from server.storage.plain import Statement
from server.storage.settings import epoch
from server.storage.tables import User
from shared import checksum, ids, protocol, schemas
from shared.operations import Transaction
from shared.reconcile import Refused

log = structlog.get_logger()
MAX_DETAIL = 300
_HEADER = schemas.PushHeader()
_LINE = schemas.PushLineMessage()


class Incoming(NamedTuple):
    """One line of a push. ``fault`` is why its text is no transaction; ``to`` the end of a gap."""

    dseq: int
    id: str | None
    text: str | None
    hash: str
    to: int
    transaction: Transaction | None = None
    fault: Refused | None = None


def read(lines: Iterable[bytes]) -> tuple[dict[str, Any], list[Incoming]]:
    """The header and the transactions of a push's body.

    Raises Trouble bad_envelope, which names the line: only a bad envelope fails a request.
    """
    header: dict[str, Any] | None = None
    found: list[Incoming] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            raw = quick_json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Trouble("bad_envelope", f"line {number}: {error}") from None
        if header is None:
            try:
                header = _HEADER.load(raw)
            except ValidationError as error:
                messages = messages_of(error)
                detail = f"line {number}: {first_message(messages)}"
                raise Trouble("bad_envelope", detail, messages) from None
            continue
        found.append(_incoming(raw, number))
        if len(found) > protocol.PUSH_BATCH:
            raise Trouble("too_large", f"more than {protocol.PUSH_BATCH} transactions")
    if header is None:
        raise Trouble("bad_envelope", "line 1: the header is missing")
    return header, found


def lines_of(lines: Iterable[Any]) -> list[Incoming]:
    """Lines [dseq, id, text] without a header, as a file of unsent work has them."""
    return [_incoming(raw, number) for number, raw in enumerate(lines, 1)]


def _incoming(raw: Any, number: int) -> Incoming:
    """A line's envelope must be right; its text may be anything."""
    if not isinstance(raw, list) or len(raw) != 3:
        raise Trouble("bad_envelope", f"line {number}: not [dseq, id, text]")
    gap = raw[1] is None
    if _is_plain(*raw):
        return _with_text(raw[0], raw[1], raw[2], number)
    body = {"dseq": raw[0], "id": raw[1], "gap" if gap else "text": raw[2]}
    try:
        line = _LINE.load(body)
    except ValidationError as error:
        messages = messages_of(error)
        detail = f"line {number}: {first_message(messages)}"
        raise Trouble("bad_envelope", detail, messages) from None
    dseq = line["dseq"]
    if gap:
        to = line["gap"]["to"]
        if to < dseq:
            raise Trouble("bad_envelope", f"line {number}: the gap ends before it begins")
        lost = Refused("gap", "", line["gap"]["reason"])
        return Incoming(dseq, None, None, checksum.text_hash(f"gap:{dseq}:{to}"), to, None, lost)
    text = line["text"]
    if text is None:
        raise Trouble("bad_envelope", f"line {number}: text is missing")
    return _with_text(dseq, line["id"], text, number)


def _is_plain(dseq: Any, tx_id: Any, text: Any) -> bool:
    """Whether an envelope is plainly right; of others the schema says what is wrong."""
    return (
        type(dseq) is int and 0 < dseq <= schemas.MS_MAX and ids.is_id(tx_id) and type(text) is str
    )


def _with_text(dseq: int, tx_id: str, text: str, number: int) -> Incoming:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise Trouble("bad_envelope", f"line {number}: text is not Unicode") from None
    tx_hash = checksum.bytes_hash(data)
    transaction, fault = _parse(tx_id, data, len(text))
    return Incoming(dseq, tx_id, text, tx_hash, dseq, transaction, fault)


def _parse(tx_id: str, data: bytes, length: int) -> tuple[Transaction | None, Refused | None]:
    if length > protocol.MAX_TRANSACTION:
        return None, Refused("invalid", "", "larger than a transaction may be")
    try:
        raw = quick_json.loads(data)
        loaded = schemas.load_transaction(raw, quick_json.is_clean(data))
        transaction = Transaction.from_json(loaded)
    except ValidationError as error:
        messages = messages_of(error)
        return None, _invalid(next(iter(messages), ""), first_message(messages))
    except (ValueError, RecursionError) as error:
        return None, _invalid("", f"not JSON: {error}")
    if transaction.id != tx_id:
        return None, Refused("invalid", "id", "not the id of its envelope")
    return transaction, None


def _invalid(field: str, detail: str) -> Refused:
    """What is told and kept may quote the sender: short, and what every database can hold."""
    plain = detail.replace("\x00", "\ufffd").encode(errors="replace").decode()
    return Refused("invalid", field, plain[:MAX_DETAIL])


def push(
    device_id: str,
    header: dict[str, Any] | None,
    incoming: list[Incoming],
    now: int | None = None,
) -> dict[str, Any]:
    """Apply a phone's transactions in one commit; returns a PushAnswer.

    ``header`` None: they come from a file, and the phone itself was not heard.
    ``now`` stands for the server's clock, so that a history can be built.
    Raises Trouble: identity_needed for a cloned device, dseq_gap when one is missing before these,
    epoch_changed when this database has lost what the phone remembers.
    """
    if header is not None:
        rewind.check(device_id, header)
    moment = now_ms() if now is None else now
    incoming = sorted(incoming, key=lambda one: one.dseq)

    def together(session: Session, extra: frozenset[str]) -> dict[str, Any]:
        return _once(session, extra, device_id, header, incoming, moment, one_by_one=False)

    def singly(session: Session, extra: frozenset[str]) -> dict[str, Any]:
        return _once(session, extra, device_id, header, incoming, moment, one_by_one=True)

    try:
        return transact.locking(together)
    except (Trouble, OperationalError):
        raise
    except Exception as error:
        # One of them breaks a rule of the database: each gets a savepoint of its own.
        log.warning("push falls back to one by one", device=device_id, error=type(error).__name__)
        return transact.locking(singly)


def _once(
    session: Session,
    extra: frozenset[str],
    device_id: str,
    header: dict[str, Any] | None,
    incoming: list[Incoming],
    now: int,
    one_by_one: bool,
) -> dict[str, Any]:
    device = Sending(*plain.rows(session, _LOCK, device_id)[0])
    user = session.get(User, device.user_id)
    if user is None:
        raise Trouble("token_unknown")
    known = _receipts(session, incoming)
    _check_order(device, incoming, known)
    sender = transact.sender_of(session, user, device.id)
    escrow = device.revoked_at is not None or not user.active
    batch = Batch(session, sender, now, epoch(session), escrow=escrow)
    if not one_by_one:
        fresh = [one.transaction for one in incoming if one.transaction and one.id not in known]
        transact.prepare(batch, fresh, extra)
    answers: list[dict[str, Any]] = []
    receipts: list[transact.Kept] = []
    for one in incoming:
        if one.id in known:
            answers.append(_repeat(batch, device, one, known[one.id]))
            continue
        if one_by_one:
            answers.append(_alone(batch, device, one, extra))
        else:
            answers.append(_apply(batch, device, one, receipts))
        if one.id is not None:  # it may come again in this same push
            known[one.id] = First(one.hash, answers[-1])
    if header is not None:
        _note_contact(session, device, header, now)
    else:
        plain.rows(session, _MOVE, device.last_dseq, device.running, device.id)
    if not one_by_one:
        release.arrived(batch, _made(batch))
        transact.insert_receipts(session, device, receipts, now)
        batch.flush()
    return {
        "epoch": batch.epoch,
        "last_dseq": device.last_dseq,
        "running": device.running,
        "server_time": now,
        "clock_offset": device.clock_offset,
        "answers": answers,
    }


@dataclass(slots=True)
class Sending:
    """The locked row of the device that sends: up to where it has delivered, and more."""

    id: str
    user_id: str
    revoked_at: int | None
    last_dseq: int
    running: str
    confirmed: int
    app: str | None
    clock_offset: int = 0


_LOCK = Statement(
    "SELECT id, user_id, revoked_at, last_dseq, running, confirmed, app FROM device"
    " WHERE id = ? {locked}"
)
_MOVE = Statement("UPDATE device SET last_dseq = ?, running = ? WHERE id = ?")
_NOTE = Statement(
    "UPDATE device SET last_dseq = ?, running = ?, confirmed = ?, app = ?, clock_offset = ?,"
    " last_contact_at = ?, waiting = ? WHERE id = ?"
)


def _note_contact(session: Session, device: Sending, header: dict[str, Any], now: int) -> None:
    """Up to where it has delivered, its clock, and what still waits on it."""
    device.clock_offset = header["clock"]["wall"] - now
    confirmed = max(device.confirmed, min(header.get("confirmed", 0), device.last_dseq))
    app, waiting = header.get("app") or device.app, quick_json.dumps(header["waiting"]).decode()
    plain.rows(
        session, _NOTE, device.last_dseq, device.running, confirmed, app, device.clock_offset,
        now, waiting, device.id,
    )  # fmt: skip


class First(NamedTuple):
    """What a transaction's first arrival left: its hash, and the answer that holds for ever."""

    hash: str
    answer: dict[str, Any]


_RECEIPTS = Statement("SELECT id, hash, answer FROM receipt WHERE id {among}")


def _receipts(session: Session, incoming: Sequence[Incoming]) -> dict[str, First]:
    found = plain.rows(session, _RECEIPTS, [one.id for one in incoming if one.id])
    return {
        row[0]: First(row[1], quick_json.loads(row[2]) if isinstance(row[2], str) else row[2])
        for row in found
    }


def _check_order(device: Sending, incoming: Sequence[Incoming], known: dict[str, First]) -> None:
    """Dense and once: a number already taken by another transaction means a cloned device."""
    expected = device.last_dseq + 1
    here: set[tuple[int, str]] = set()
    for one in incoming:
        if one.dseq < expected:
            if one.id is None:
                expected = max(expected, one.to + 1)
            elif one.id not in known and (one.dseq, one.id) not in here:
                raise Trouble("identity_needed", f"dseq {one.dseq} was another transaction")
            continue
        here.add((one.dseq, one.id or ""))
        if one.dseq > expected:
            detail = f"dseq {expected} is missing"
            raise Trouble("dseq_gap", detail, {"last_dseq": [expected - 1]})
        expected = one.to + 1


def _apply(
    batch: Batch, device: Sending, one: Incoming, receipts: list[transact.Kept]
) -> dict[str, Any]:
    """One transaction: applied, or in quarantine with the reason; delivered either way."""
    if one.id is None and one.to <= device.last_dseq:
        return quarantine.answer_of(one, "rejected", Refused("gap"))  # a gap said twice
    tx = one.transaction
    batch.begin(one.id or "", tx.author if tx else batch.sender.user_id, tx.made_at if tx else 0)
    try:
        if batch.escrow:
            raise Refused("revoked")  # escrow: kept safe, for a supervisor to decide
        if tx is None:
            raise one.fault or Refused("invalid")
        result, conflicts = apply(batch, tx)
        answer: dict[str, Any] = {
            "dseq": one.dseq,
            "id": one.id,
            "result": result,
            "code": None,
            "records": transact.touched(batch, tx),
            "conflicts": conflicts,
        }
    except Refused as refused:
        batch.undo()
        answer = quarantine.put(batch, device, one, refused)
    except (NeedLock, DBAPIError):
        raise
    except Exception as error:
        batch.undo()
        log.exception("a transaction could not be applied", tx=one.id, device=device.id)
        answer = quarantine.put(batch, device, one, Refused("internal", "", type(error).__name__))
    receipts.append((answer | {"dseq": one.to}, one.hash, tx))
    transact.move_on(device, one.to, one.hash)
    return answer


def _made(batch: Batch) -> set[str]:
    """The ids of the records that this batch creates."""
    return {key[1] for key in batch.changed if (one := batch.held[key]) and one.stored is None}


def _alone(whole: Batch, device: Sending, one: Incoming, extra: frozenset[str]) -> dict[str, Any]:
    """One transaction under a savepoint of its own; if the database refuses it, quarantine."""
    session, sender, now = whole.session, whole.sender, whole.now
    before = (device.last_dseq, device.running)
    try:
        with session.begin_nested():
            batch = Batch(session, sender, now, whole.epoch, escrow=whole.escrow)
            transact.prepare(batch, [one.transaction] if one.transaction else [], extra)
            receipts: list[transact.Kept] = []
            answer = _apply(batch, device, one, receipts)
            release.arrived(batch, _made(batch))
            transact.insert_receipts(session, device, receipts, now)
            batch.flush()
            return answer
    except (NeedLock, OperationalError):
        raise
    except Exception as error:
        log.exception("a transaction broke at the database", tx=one.id, device=device.id)
        device.last_dseq, device.running = before
        with session.begin_nested():
            batch = Batch(session, sender, now, whole.epoch)
            batch.begin(one.id or "", sender.user_id, 0)
            refused = Refused("internal", "", type(error).__name__)
            answer = quarantine.put(batch, device, one, refused)
            transact.keep_receipts(session, device, [(answer, one.hash, one.transaction)], now)
            batch.flush()
            return answer


def _repeat(batch: Batch, device: Sending, one: Incoming, first: First) -> dict[str, Any]:
    """The first answer again; the same id with other content is kept in quarantine."""
    if first.hash != one.hash:
        refused = Refused("hash_mismatch", "id", one.id or "")
        answer = quarantine.put(batch, device, one, refused, task=False)
    else:
        answer = {**first.answer, "dseq": one.dseq}
    if one.dseq > device.last_dseq:
        transact.move_on(device, one.to, one.hash)
    return answer
