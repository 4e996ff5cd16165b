"""How a file leaves the phone: made by the app, put by the person where it can be taken away."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from mobile.storage.store import failure
from mobile.storage.unsent import Exported
from mobile.ui.threads import Bridge
from mobile.ui.words import tr

Way = tuple[str, str, Callable[[], None]]  # words, icon, what to do
Done = Callable[[str | None], None]  # where it is now, in words; None: the person gave up


class Handing(Protocol):
    """The ways of this machine: (code, words, icon), the simplest first."""

    def ways(self) -> Sequence[tuple[str, str, str]]:
        """share: hand it to another app. save: keep it where other apps find it."""

    def give(self, way: str, file: Path, done: Done) -> None:
        """Go one of the ways; ``done`` on the Kivy thread. Raises OSError."""


class FolderHanding:
    """A desktop: a copy into a folder that the person chooses."""

    def __init__(self, choose: Callable[[Path, Callable[[Path | None], None]], None]) -> None:
        self._choose = choose

    def ways(self) -> Sequence[tuple[str, str, str]]:
        """One."""
        return (("save", tr("存到文件夹"), "keep"),)

    def give(self, way: str, file: Path, done: Done) -> None:
        """Copy it there."""

        def chosen(folder: Path | None) -> None:
            done(str(shutil.copy(file, folder)) if folder else None)

        self._choose(Path.home(), chosen)


def hand_over(
    bridge: Bridge,
    handing: Handing,
    make: Callable[[], Exported],
    ask: Callable[[list[Way]], None],
    done: Callable[[str], None],
    failed: Callable[[Exception], None],
) -> None:
    """Make the file on a worker thread, then let the person say where it goes.

    ``ask`` offers the ways where there are several; ``done`` gets what became of it, "" if the
    person gave up.
    """

    def give(way: str, made: Exported) -> None:
        try:
            handing.give(way, made.file, lambda where: done(result(made, where) if where else ""))
        except OSError as error:
            failed(failure(error))

    def made_it(made: Exported) -> None:
        ways = handing.ways()
        if len(ways) == 1:
            give(ways[0][0], made)
        else:
            ask([(words, icon, partial(give, way, made)) for way, words, icon in ways])

    bridge.slow(make, made_it, failed)


def result(made: Exported, where: str) -> str:
    """What the person reads when the file is out."""
    said = tr(
        "已导出{n}条记录、{m}张照片：{where}。请把文件交给网格长。",
        n=made.transactions, m=made.photos, where=where,
    )  # fmt: skip
    if made.drafts:
        said += tr("其中有{n}份没写完的草稿，只带出来，不会自动上传。", n=made.drafts)
    if made.missing:
        said += tr("有{n}张照片在手机上找不到了。", n=made.missing)
    return said
