"""Offer: agreed rows that a restored server lacks are sent to it, and dropped once answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobile.storage import offer
from mobile.storage.store import Store
from mobile.sync.failure import RequestFailed

if TYPE_CHECKING:
    from mobile.sync.client import Client

_REFUSED = frozenset({"invalid", "bad_request", "unknown_field", "too_large"})


def send(store: Store, client: Client) -> int:
    """Send what is kept aside, batch by batch; how many rows were answered.

    A row that the server will not read is dropped: nothing would ever become of it. Raises
    RequestFailed; what was not answered stays.
    """
    sent = 0
    most = offer.MOST
    while True:
        with store.reading() as db:
            rows = offer.batch(db, most)
        if not rows:
            return sent
        try:
            client.offer(rows)
        except RequestFailed as failed:
            if failed.code not in _REFUSED:
                raise
            if len(rows) > 1:
                most = len(rows) // 2
                continue
        with store.writing() as db:
            offer.drop(db, rows)
        sent += len(rows)
