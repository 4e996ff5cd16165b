"""Memory that is free goes back to the system, which ends the app sooner the more it holds.

A first sync frees many middle-sized blocks: pictures of words, rows on their way to the disk. The
C library of a desktop keeps them for itself once it has seen a few; here it is told not to.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # glibc, malloc.h
M_PURGE = -101  # bionic, malloc.h; older ones answer 0
BLOCK, TOP = 64 * 1024, 128 * 1024
_libc = ctypes.CDLL(None)
_glibc = hasattr(_libc, "gnu_get_libc_version")


def from_now_on() -> None:
    """Blocks from 64 KiB on go back when they are freed, smaller ones from the heap's end."""
    if _glibc:  # Android's own allocator does so by itself
        for option, value in (
            (M_MMAP_THRESHOLD, BLOCK), (M_TRIM_THRESHOLD, TOP), (M_ARENA_MAX, 1),
        ):  # fmt: skip
            _libc.mallopt(option, value)


def everything() -> bool:
    """All that is free now; takes milliseconds. Whether anything went back."""
    if _glibc:
        return bool(_libc.malloc_trim(0))
    return hasattr(_libc, "mallopt") and bool(_libc.mallopt(M_PURGE, 0))
