"""Kills a phone between any two steps: a child process ends at its n-th step, for every n.

A step is a statement of SQLite, a flush, a rename or the removal of a file.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

MOST = 400
_OS = ("fsync", "replace", "unlink", "rename", "rmdir")


def copies(folder: Path, act: Callable[[Path], object], every: int = 1) -> Iterator[Path]:
    """Copies of a folder in which ``act`` was killed, at each step (or every so many) once.

    The last one is of an act that came to its end. ``act`` opens what it needs itself: a
    connection does not survive a fork.
    """
    for n in range(1, MOST, every):
        copy = folder.with_name(f"{folder.name}-{n}")
        shutil.copytree(folder, copy)
        ended = comes_to_its_end(copy, act, n)
        yield copy
        shutil.rmtree(copy)
        if ended:
            return
    raise AssertionError(f"more than {MOST} steps")


def comes_to_its_end(
    folder: Path, act: Callable[[Path], object], n: int, commits: bool = False
) -> bool:
    """Run it in a child that is killed at step n; whether it came to its end before.

    ``commits``: only what is committed to the disk counts as a step; killed just before.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads: it only ends
        child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return False
        assert os.WEXITSTATUS(status) == 0, "the act itself failed"
        return True
    code = 1
    try:
        _count_down(n, commits)
        act(folder)
        code = 0
    finally:
        os._exit(code)


def _count_down(n: int, commits: bool) -> None:
    left = [n]

    def step(commit: bool = False) -> None:
        left[0] -= commit or not commits
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    patch = pytest.MonkeyPatch()  # never undone: the process ends
    for name in _OS:
        real: Callable[..., Any] = getattr(os, name)

        def act(*args: Any, _real: Callable[..., Any] = real, **more: Any) -> Any:
            step()
            return _real(*args, **more)

        patch.setattr(os, name, act)

    class Counted(sqlite3.Connection):
        writes = False

        def execute(self, *args: Any) -> sqlite3.Cursor:
            if args[0].startswith("BEGIN"):
                self.writes = args[0] == "BEGIN IMMEDIATE"
            step(args[0] == "COMMIT" and self.writes)
            return super().execute(*args)

        def executemany(self, *args: Any) -> sqlite3.Cursor:
            step()
            return super().executemany(*args)

    connect = sqlite3.connect
    patch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **{**k, "factory": Counted}))
