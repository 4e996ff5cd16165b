"""How much of the phone the store takes, and how much is left."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """Bytes: of texts (the database), of photos, and free on the phone."""

    texts: int
    photos: int
    free: int


def usage(folder: Path) -> Usage:
    """What lies in a store's folder. Runs over all its files."""
    texts = photos = 0
    for path in folder.rglob("*"):
        try:
            size = path.stat().st_size if path.is_file() else 0
        except OSError:
            continue  # gone meanwhile
        if ".sqlite3" in path.name:
            texts += size
        elif path.parent.name != "logs":
            photos += size
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        free = 0
    return Usage(texts, photos, free)
