"""Wiping: everything on this phone goes; an empty store stays in its place."""

from __future__ import annotations

from mobile.storage import meta
from mobile.storage.store import Store


def wipe(store: Store, revoked: bool = False) -> None:
    """Remove records, journal, drafts, identity, photos, what cameras wrote, and set-aside files.

    ``revoked``: the empty store still says that this phone was revoked and has handed in. Raises
    SaveFailed where a file will not go.
    """
    store.empty()
    if revoked:
        with store.writing() as db:
            meta.put(db, "revoked", "1")
            meta.put(db, "last_error", "token_revoked")
