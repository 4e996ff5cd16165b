"""Complaints and suggestions on their way: handed in after the records, answers come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobile.storage import feedback
from mobile.storage.store import Store

if TYPE_CHECKING:
    from mobile.sync.client import Client


def exchange(store: Store, client: Client, now: int) -> None:
    """Send what waits and ask for answers; nothing is asked where there is nothing.

    An id is taken once however often it is sent, so a lost answer costs nothing. Raises
    RequestFailed and SaveFailed; what was not answered stays.
    """
    while True:
        with store.reading() as db:
            items, asked = feedback.batch(db)
        if not items and not asked:
            return
        answer = client.feedback(items, asked)
        with store.writing() as db:
            feedback.answered(db, answer["taken"], answer["answers"], now)
        if len(items) < feedback.MOST:
            return
