"""The demo's folder: whether a finished demo is in it, and what it says. Imports little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DESCRIPTION = "demo.json"  # written last, for its owner alone: it holds the passwords


class NotADemo(Exception):
    """The folder holds something else; it is left alone."""


def ready(folder: Path) -> bool:
    """Whether a finished demo is in the folder. Raises NotADemo where something else is."""
    if (folder / DESCRIPTION).is_file():
        return True
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotADemo(str(folder))
    return False


def description(folder: Path) -> dict[str, Any]:
    """What the demo is: its accounts with their passwords, its grids, its plan."""
    found: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    return found
