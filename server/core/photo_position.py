"""Pure: whether a file says where a photo was taken, in whatever place of it that is said.

A reader of pictures looks where a camera writes: in front of the first one. Positions can stand
elsewhere too: in a second picture, between two scans, behind the end, in a film that hangs on. So
the whole file is searched for what an EXIF block begins with and for the words of XMP.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import IO

from PIL import Image

MOST_BLOCKS = 32  # EXIF blocks in one file; a photo has one, a picture within it another

_BLOCK = 1 << 20
_SEGMENT = 1 << 16  # so long an EXIF block may be
_OVERLAP = 64
_EXIF = re.compile(rb"Exif\x00\x00(?=II[*+]\x00|MM\x00[*+])")
_GPS_IFD = 0x8825
_GPS_PLACES = (2, 4, 20, 22)  # latitude and longitude, of the place and of the destination
_GPS_RAW = re.compile(rb"\x88\x25\x00\x04|\x25\x88\x04\x00")  # its entry, in either byte order
_XMP = re.compile(rb"gps(?:-?latitude|-?longitude|-?dest)")  # lower case
_FILM = re.compile(rb"\xa9xyz.{4}[+-]\d\d", re.DOTALL)
_WORDS = (_XMP, _FILM, re.compile(rb"geo:lat"), re.compile(rb"location\.iso6709"))


def in_text(text: bytes) -> bool:
    """Whether some text of a file names a position: XMP, a comment, a film's own words."""
    lower = text.lower()
    return any(words.search(lower) for words in _WORDS)


def in_exif(read: Callable[[], Image.Exif], raw: bytes) -> bool:
    """Whether an EXIF block has one; ``raw`` is searched where it is too broken to be read."""
    try:
        places = read().get_ifd(_GPS_IFD)
        return any(tag in places for tag in _GPS_PLACES)
    except Exception:
        return _GPS_RAW.search(raw) is not None


def anywhere(file: IO[bytes]) -> bool:
    """Whether any part of the file has one; one with very many EXIF blocks is taken to have."""
    file.seek(0)
    found = 0
    tail = b""
    while block := file.read(_BLOCK):
        window = tail + block
        if in_text(window):
            return True
        after = file.tell()
        for start in _starts(window, len(tail)):
            found += 1
            if found > MOST_BLOCKS or _at(file, after - len(window) + start):
                return True
        file.seek(after)
        tail = window[-_OVERLAP:]
    return False


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
