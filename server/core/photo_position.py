"""Pure: whether a file says where a photo was taken, in whatever place of it that is said.

A reader of pictures looks where a camera writes: in front of the first one. Positions can stand
elsewhere too: in a second picture, between two scans, behind the end, in a film that hangs on. So
the whole file is searched for what an EXIF block begins with and for the words of XMP; but not the
compressed pixels of a JPEG's first picture, which no reader takes for either. What stands behind
the last of the pixels is searched again: a scan may be longer than its picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from PIL import Image

MOST_BLOCKS = 32  # EXIF blocks in one file; a photo has one, a picture within it another

_BLOCK = 1 << 18
_BEHIND = 1 << 16  # so much at the end of a scan is searched
_SEGMENT = 1 << 16  # so long an EXIF block may be
_OVERLAP = 128
_EXIF = re.compile(rb"Exif\x00\x00(?=II[*+]\x00|MM\x00[*+])")
_GPS_IFD = 0x8825
_GPS_PLACES = (2, 4, 20, 22)  # latitude and longitude, of the place and of the destination
_GPS_RAW = re.compile(rb"\x88\x25\x00\x04|\x25\x88\x04\x00")  # its entry, in either byte order
_XMP = re.compile(rb"gps(?:-?latitude|-?longitude|-?dest)")  # lower case
_FILM = re.compile(rb"\xa9xyz.{4}[+-]\d\d", re.DOTALL)
_WIDE = (_XMP, re.compile(rb"geo:lat"), re.compile(rb"location\.iso6709"))
_WORDS = (*_WIDE, _FILM)


def in_text(text: bytes) -> bool:
    """Whether some text of a file names a position: XMP, a comment, a film's own words.

    In UTF-16 and UTF-32, which XMP may be written in, the same words have zeros between.
    """
    lower = text.lower()
    if any(words.search(lower) for words in _WORDS):
        return True
    narrow = lower.replace(b"\0", b"")
    return len(narrow) < len(lower) and any(words.search(narrow) for words in _WIDE)


def in_exif(read: Callable[[], Image.Exif], raw: bytes) -> bool:
    """Whether an EXIF block has one; ``raw`` is searched where it is too broken to be read."""
    try:
        places = read().get_ifd(_GPS_IFD)
        return any(tag in places for tag in _GPS_PLACES)
    except Exception:
        return _GPS_RAW.search(raw) is not None


def anywhere(file: IO[bytes], scans: Sequence[tuple[int, int]] = ()) -> bool:
    """Whether any part of the file has one; one with very many EXIF blocks is taken to have.

    ``scans``: where the pixels of a JPEG stand, see server.core.jpeg_scan.
    """
    blocks = 0
    start = 0
    for scan_start, scan_end in scans:
        stop = scan_start + _OVERLAP
        if scan_end - _BEHIND > stop:
            blocks += _blocks(file, start, stop)
            start = scan_end - _BEHIND
    return blocks + _blocks(file, start) > MOST_BLOCKS


def _blocks(file: IO[bytes], start: int, stop: int | None = None) -> int:
    """How many EXIF blocks begin in a part of the file; more than MOST_BLOCKS for a position."""
    file.seek(start)
    found = 0
    tail = b""
    while block := file.read(_BLOCK if stop is None else min(_BLOCK, stop - file.tell())):
        window = tail + block
        if in_text(window):
            return MOST_BLOCKS + 1
        after = file.tell()
        for at in _starts(window, len(tail)):
            found += 1
            if found > MOST_BLOCKS or _at(file, after - len(window) + at):
                return MOST_BLOCKS + 1
        file.seek(after)
        tail = window[-_OVERLAP:]
    return found


def _starts(window: bytes, again: int) -> Iterator[int]:
    """Where EXIF begins in a window, of which the first ``again`` bytes were looked at before."""
    for match in _EXIF.finditer(window):
        if match.end() + 4 > again:
            yield match.start()


def _at(file: IO[bytes], start: int) -> bool:
    file.seek(start)
    raw = file.read(_SEGMENT)

    def read() -> Image.Exif:
        exif = Image.Exif()
        exif.load(raw)
        return exif

    return in_exif(read, raw)
