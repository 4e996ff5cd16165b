"""Several people on one phone: each has a folder with a store, a key and a PIN of their own."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mobile.storage import lock
from mobile.storage.lock import Lock
from mobile.storage.store import FILE
from mobile.storage.vault import DEVICE_KEY, KEY_FILES, Keeper, open_vault

FOLDER = "people"
UNREADABLE = "unreadable-"


@dataclass(frozen=True)
class Someone:
    """A person with a store on this phone."""

    folder: Path
    lock: Lock


class People:
    """The people of one phone. The first one's store lies in the root, as before there were more.

    ``keeper`` wraps the key of each store. Methods touch small files only, unless they say so.
    """

    def __init__(self, root: Path, keeper: Keeper) -> None:
        self.root, self.keeper = root, keeper

    def everyone(self) -> list[Someone]:
        """Those who have enrolled here, the first one first."""
        others = sorted((self.root / FOLDER).glob("*/"))
        return [one for folder in (self.root, *others) if (one := _someone(folder))]

    def new_folder(self) -> Path:
        """Where one more person's store will be."""
        if not self.everyone():
            return self.root
        return self.root / FOLDER / os.urandom(6).hex()

    def unlock(self, folder: Path, pin: str) -> Lock:
        """Try a PIN: `lock.unlock`. Slow. Raises SaveFailed, OSError."""
        return lock.unlock(folder, open_vault(folder, self.keeper), pin)

    def set_aside(self, folder: Path, now: int) -> Path:
        """Put a store that will not open aside as it is, so that its owner can begin anew.

        ``now``: Unix ms. Raises OSError.
        """
        at = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%d-%H%M%S")
        aside = folder / f"{UNREADABLE}{at}"
        aside.mkdir(parents=True, exist_ok=True)
        kept = {FOLDER, "logs", DEVICE_KEY}
        # The key goes last: killed before that, the store still asks for its key.
        names = sorted(folder.iterdir(), key=lambda path: path.name in KEY_FILES)
        for path in names:
            if path.name not in kept and not path.name.startswith(UNREADABLE):
                path.replace(aside / path.name)
        return aside

    def set_pin(self, folder: Path, pin: str) -> None:
        """Set or change a PIN. Slow. Raises PinRefused, SaveFailed, OSError."""
        lock.set_pin(folder, open_vault(folder, self.keeper), pin)


def _someone(folder: Path) -> Someone | None:
    found = lock.state(folder)
    if found is None:
        name = _name_in(folder / FILE)
        if name is None:
            return None
        found = Lock(name)  # enrolled by an older app, or killed before the name was noted
    return Someone(folder, found)


def _name_in(path: Path) -> str | None:
    """The name in a store that no lock tells of; None where nobody has enrolled there."""
    if not path.exists():
        return None
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=0)) as db:
        known = dict(
            db.execute("SELECT name, value FROM meta WHERE name IN ('device_id', 'user_name')")
        )
        return str(known.get("user_name") or "") if known.get("device_id") else None
    return ""  # unreadable: opening it will rescue what can be read
