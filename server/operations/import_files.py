"""Files that somebody has uploaded to be imported: kept between the preview and the import.

In the data folder, which all machines share, under a random name that only its owner is told;
those that nobody came back for are deleted with the next upload.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import BinaryIO

from flask import current_app

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import roster_file
from shared import ids

KEPT_S = 3600.0
LARGEST = roster_file.MAX_FILE


def keep(viewer: Viewer, stream: BinaryIO) -> str:
    """Keep an uploaded file; returns the key by which its owner finds it. Raises Trouble."""
    folder = _folder()
    _sweep(folder)
    key = ids.new_id()
    path = folder / _name(viewer, key)
    try:
        with path.open("xb") as file:
            os.chmod(path, 0o600)
            shutil.copyfileobj(stream, file)
            if file.tell() > LARGEST:
                raise Trouble("too_large", f"> {LARGEST // 2**20} MB")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return key


def find(viewer: Viewer, key: str) -> Path:
    """The file of a key; raises Trouble "not_found" if it is not theirs, or no longer there."""
    path = _folder() / _name(viewer, key)
    if not ids.is_id(key) or not path.is_file():
        raise Trouble(
            "not_found",
            "上传的文件已经不在了，请重新选择 / The uploaded file is gone: choose it again",
        )
    return path


def forget(viewer: Viewer, key: str) -> None:
    """Delete the file; nothing to do if it is gone."""
    if ids.is_id(key):
        (_folder() / _name(viewer, key)).unlink(missing_ok=True)


def _name(viewer: Viewer, key: str) -> str:
    return f"{viewer.user_id}-{key}.xlsx"


def _folder() -> Path:
    folder: Path = current_app.config["GRIDLEDGER"].data / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _sweep(folder: Path) -> None:
    for path in folder.glob("*.xlsx"):
        try:
            if path.stat().st_mtime < time.time() - KEPT_S:
                path.unlink()
        except FileNotFoundError:
            continue
