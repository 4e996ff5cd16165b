"""When Python looks for what nobody holds: not during a start, not while somebody looks on."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mobile.sync.phone import Phone
from mobile.ui import given_back
from tests.screens.driver import Driver

BLOCK, BLOCKS = 40_000, 2_000  # smaller than what is given back as it is freed


class Looked:
    """Told by Python itself: how often all was looked through."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        self.times += phase == "start" and info["generation"] == 2


@pytest.fixture
def looked(app: Callable[..., Driver], store: Phone) -> Iterator[Looked]:
    app(store)
    found, usual = Looked(), gc.get_threshold()
    gc.callbacks.append(found)
    gc.disable()
    yield found
    gc.callbacks.remove(found)
    gc.unfreeze()
    gc.set_threshold(*usual)
    gc.enable()


def made_some() -> None:
    """So much that a look would find something."""
    gc.collect(0)


def test_a_look_waits_until_nobody_has_touched_the_screen(
    looked: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mobile.ui import tidying

    now = [100.0]
    monkeypatch.setattr(tidying.time, "monotonic", lambda: now[0])
    busy = [False]
    one = tidying.Tidying(lambda: not busy[0])
    one._seen()
    made_some()
    one._look()
    assert looked.times == 0
    now[0] += tidying.REST_SECONDS + 1
    busy[0] = True
    one._look()
    assert looked.times == 0
    busy[0] = False
    one._look()
    assert looked.times == 1
    one._look()
    assert looked.times == 1  # nothing was made since


def test_a_start_is_left_out_of_later_looks_and_an_end_leaves_all_as_it_was(
    looked: Looked,
) -> None:
    from mobile.ui.tidying import Tidying

    usual = gc.get_threshold()
    one = Tidying(lambda: True)
    one.started()
    assert gc.isenabled() and gc.get_freeze_count() and gc.get_threshold() != usual
    one.out_of_sight()
    assert looked.times == 1 and gc.get_freeze_count()
    one.close()
    assert gc.get_threshold() == usual and not gc.get_freeze_count()
    one.started()  # its call had been on the way
    assert gc.get_threshold() == usual and not gc.get_freeze_count()


def resident() -> int:
    """The bytes of this process that are in memory, by Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif("not given_back._glibc", reason="other C libraries do so by themselves")
def test_free_memory_goes_back_to_the_system() -> None:
    given_back.from_now_on()
    held = [b"x" * BLOCK for _ in range(BLOCKS)]
    last = b"x" * BLOCK  # above them all: nothing goes back by itself
    full = resident()
    held.clear()
    assert given_back.everything()
    assert full - resident() > BLOCK * BLOCKS / 2
    assert len(last) == BLOCK
