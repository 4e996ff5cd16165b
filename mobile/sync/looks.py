"""Looks at covered details on their way: told after the records, then let go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobile.storage import looks
from mobile.storage.store import Store

if TYPE_CHECKING:
    from mobile.sync.client import Client


def tell(store: Store, client: Client) -> None:
    """Send what waits; nothing is asked where there is nothing.

    The server notes a look once however often it is told, so a lost answer costs nothing. Raises
    RequestFailed and SaveFailed; what was not answered stays.
    """
    while True:
        with store.reading() as db:
            items = looks.batch(db)
        if not items:
            return
        client.looks(items)
        with store.writing() as db:
            looks.let_go(db, items)
