"""Pure: how much of a JPEG has to be decoded to know that it can be.

Most photos are JPEGs of one plain scan. No decoder can fail in the middle of such a scan: it has no
structure but markers, and damage shows as wrong colours. So of these the header, the tables and
the beginning are decoded, and the rest is searched for markers: if the first is the end, decoding
the whole would say nothing else; if it is another, the whole is decoded. Tests hold the two equal.
"""

from __future__ import annotations

import re
from typing import IO

SCAN = b"\xff\xda"
END = b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_BEGINNING = 64 * 1024  # so much of a plain scan is decoded


class Enough(Exception):
    """As much was read as is needed."""


class Limited:
    """A file that is read no further than to ``stop_at``, once that is set."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.stop_at: int | None = None
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if self.stop_at is not None and self._file.tell() >= self.stop_at:
            raise Enough
        return self._file.read(size)


def enough_of(file: IO[bytes]) -> int | None:
    """Where the decoding of a JPEG may stop; None: it has to be decoded to its end."""
    here = file.tell()
    try:
        start = _plain_scan(file)
        if start is None or _first_marker(file, start) != END:
            return None
        return start + _BEGINNING
    finally:
        file.seek(here)


def _plain_scan(file: IO[bytes]) -> int | None:
    """Where the bytes of the scan begin, if the first one holds all components."""
    file.seek(2)
    components = None
    while True:
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or not 0xC0 <= head[1] <= 0xFE:
            return None
        length = int.from_bytes(head[2:], "big") - 2
        if length < 0 or 0xD0 <= head[1] <= 0xD9:
            return None
        body = file.read(length)
        if len(body) < length:
            return None
        if head[1] in (0xC0, 0xC1) and length > 5:
            components = body[5]
        if head[:2] == SCAN:
            return file.tell() if body[:1] == bytes((components or 0,)) else None


def _first_marker(file: IO[bytes], start: int) -> bytes:
    """The first marker of a scan's bytes that is no restart; empty if there is none."""
    file.seek(start)
    tail = b""
    while block := file.read(1 << 20):
        block = tail + block
        found = _MARKER.search(block)
        if found is not None:
            return found[0]
        tail = b"\xff" if block.endswith(b"\xff") else b""
    return b""
