"""Pure: where a JPEG's pixels are, and how much of them has to be decoded to know that they can be.

Most photos are JPEGs of one plain scan. No decoder can fail in the middle of such a scan: it has no
structure but markers, and damage shows as wrong colours. So of these the header, the tables and
the beginning are decoded, and the rest is searched for markers: if the first is the end, decoding
the whole would say nothing else; if it is another, the whole is decoded. Tests hold the two equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO

BEGIN = b"\xff\xd8"
SCAN = b"\xff\xda"
END = b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_BEGINNING = 64 * 1024  # so much of a plain scan is decoded
_BLOCK = 128 * 1024
_MOST_SEGMENTS = 1000  # a file with more is not walked to its end


@dataclass(frozen=True)
class Layout:
    """``scans``: from and to which byte the pixels of the first picture stand, in order.

    ``enough``: where the decoding may stop; None: it has to go to the end.
    """

    scans: tuple[tuple[int, int], ...] = ()
    enough: int | None = None


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


def layout_of(file: IO[bytes]) -> Layout:
    """Walk from marker to marker up to the end of the first picture, as every reader does.

    What cannot be walked, and all that follows it, belongs to no scan.
    """
    here = file.tell()
    try:
        return _walked(file)
    finally:
        file.seek(here)


def _walked(file: IO[bytes]) -> Layout:
    scans: list[tuple[int, int]] = []
    components = enough = None
    at = len(BEGIN)
    file.seek(0)
    if file.read(at) != BEGIN:
        return Layout()
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(10)
        length = int.from_bytes(head[2:4], "big")
        known = head[:1] == b"\xff" and 0xC0 <= head[1] <= 0xFE and not 0xD0 <= head[1] <= 0xD9
        if len(head) < 5 or not known or length < 2:
            break
        at += 2 + length
        if head[1] in (0xC0, 0xC1) and length > 7:
            components = head[9]
        if head[:2] == SCAN:
            end, marker = _marker_after(file, at)
            if not marker:
                break
            if not scans and marker == END and head[4] == (components or 0) and length > 2:
                enough = at + _BEGINNING
            scans.append((at, end))
            if marker == END:
                break
            at = end
    return Layout(tuple(scans), enough)


def _marker_after(file: IO[bytes], start: int) -> tuple[int, bytes]:
    """Where the first marker after the start is that is no restart; empty if there is none."""
    file.seek(start)
    tail = b""
    while block := file.read(_BLOCK):
        block = tail + block
        found = _MARKER.search(block)
        if found is not None:
            return file.tell() - len(block) + found.start(), found[0]
        tail = b"\xff" if block.endswith(b"\xff") else b""
    return 0, b""
