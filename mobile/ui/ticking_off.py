"""A task is done with one tap, and can be taken back while the message about it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobile.ui.words import tr

if TYPE_CHECKING:
    from mobile.sync.phone import Phone
    from mobile.ui.page import Around

DONE = "done:"  # the key of the draft that stands for it until it is final


def tick_off(around: Around, task_id: str, said: str) -> None:
    """On the disk at once, final once the message has gone; the page before is shown."""
    phone, shell, key = around.phone, around.shell, f"{DONE}{task_id}"

    def kept(_: object) -> None:
        shell.back()
        shell.say(said, "disc_check", tr("撤销"), take_back, gone=make_final)

    def take_back() -> None:
        around.bridge.quick(lambda: phone.drop_draft(key), taken_back, shell.failed)

    def taken_back(_: object) -> None:
        shell.say(tr("已撤销"), "undo")
        shell.refresh()

    def make_final() -> None:
        around.bridge.quick(
            lambda: save_done(phone, key), lambda _: around.syncer.saved(), shell.failed
        )

    around.bridge.quick(lambda: phone.keep_draft(key, {}), kept, shell.failed)


def save_done(phone: Phone, key: str) -> None:
    """Make it final, once. Runs on a worker thread."""
    if phone.draft(key) is not None:
        phone.finish_task(key.removeprefix(DONE))
        phone.drop_draft(key)


def ticked(phone: Phone) -> set[str]:
    """The tasks that are done and may still be taken back. Runs on a worker thread."""
    return {one.key.removeprefix(DONE) for one in phone.drafts() if one.key.startswith(DONE)}
