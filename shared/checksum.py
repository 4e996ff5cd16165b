"""The additive checksum and the hash chain of a partition (DESIGN: Trust).

``sum64`` is the sum of the first 8 bytes of SHA-256("id|rev") over the live records, modulo 2**64:
adding, changing and removing a record each cost one hash, on both sides, in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

MODULUS = 2**64
EMPTY_CHAIN = "0" * 32


def term(record_id: str, rev: int) -> int:
    """What one live record at one rev adds to its partition's sum."""
    return int.from_bytes(hashlib.sha256(f"{record_id}|{rev}".encode()).digest()[:8], "big")


def sum64(records: Iterable[tuple[str, int]]) -> int:
    """The sum over (id, rev) pairs, recomputed from scratch."""
    return sum(term(record_id, rev) for record_id, rev in records) % MODULUS


def next_chain(chain: str, seq: int, total: int, salt: str) -> str:
    """The partition's chain after a commit that reached seq; the salt is a transaction's id.

    Two histories that part ever after have other chains, although their seq may be equal.
    """
    return hashlib.sha256(f"{chain}|{seq}|{total}|{salt}".encode()).hexdigest()[:32]


def text_hash(text: str) -> str:
    """SHA-256 of a transaction's frozen text, as 64 hex digits."""
    return bytes_hash(text.encode())


def bytes_hash(data: bytes) -> str:
    """`text_hash` of a text that is in UTF-8 already."""
    return hashlib.sha256(data).hexdigest()


def next_running(running: str, tx_hash: str) -> str:
    """The running hash of a device's transactions after one more; "" before the first."""
    return hashlib.sha256(f"{running}{tx_hash}".encode()).hexdigest()


def to_signed(total: int) -> int:
    """The sum as a signed 64-bit integer, which is what SQLite and PostgreSQL can hold."""
    return total - MODULUS if total >= MODULUS // 2 else total


def from_signed(stored: int) -> int:
    """The sum back from its signed storage."""
    return stored % MODULUS
