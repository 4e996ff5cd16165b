"""Identifiers: UUIDv7 (RFC 9562) for records and transactions, names of partitions.

A partition is the unit of order and of download: one grid's records, one area's reference data,
or one person's tasks. Its id is text, ``grid:<15 digits>``, ``area:<code>`` or ``person:<uuid>``.
"""

from __future__ import annotations

import os
import re
import time

ROOT_AREA = "0"  # reference data that holds everywhere
GRID_DIGITS = 15  # 6 (county) + 3 (street) + 3 (community) + 3 (grid)
COMMUNITY_DIGITS = 12
STREET_DIGITS = 9
AREA_DIGITS = (2, 4, 6, STREET_DIGITS, COMMUNITY_DIGITS, GRID_DIGITS)

UUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uuid7(ms: int, random: bytes) -> str:
    """A UUIDv7 as 36 lower-case characters, from Unix milliseconds and 10 random bytes."""
    number = (ms & (2**48 - 1)) << 80 | int.from_bytes(random[:10], "big")
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_id() -> str:
    """A fresh UUIDv7 from this machine's clock; the clock only spreads ids, it decides nothing."""
    return uuid7(time.time_ns() // 1_000_000, os.urandom(10))


def is_id(text: object) -> bool:
    """Whether the value is a UUID in the one spelling the protocol uses."""
    return isinstance(text, str) and UUID_PATTERN.fullmatch(text) is not None


def grid_partition(grid_code: str) -> str:
    """The partition of a grid's records."""
    return f"grid:{grid_code}"


def area_partition(area_code: str) -> str:
    """The partition of an area's reference data; a grid's own is its grid partition."""
    if len(area_code) == GRID_DIGITS:
        return grid_partition(area_code)
    return f"area:{area_code}"


def person_partition(user_id: str) -> str:
    """The partition of a person's tasks, which follow the person."""
    return f"person:{user_id}"


def area_of(partition: str) -> str | None:
    """The area code of a partition, or None for a person's."""
    head, _, code = partition.partition(":")
    return None if head == "person" else code


def ancestors(area_code: str) -> list[str]:
    """The codes above an area, nearest last excluded: ``410103007`` -> ``['41', '4101', ...]``."""
    return [area_code[:n] for n in AREA_DIGITS if n < len(area_code)]


def is_within(area_code: str, subtree: str) -> bool:
    """Whether an area lies in a subtree (or is its root); ROOT_AREA holds everything."""
    return subtree == ROOT_AREA or area_code.startswith(subtree)
