"""A file out of the app: Android's share sheet, or saved where the person says (Downloads).

The file lies in ``photos_in/``, which the FileProvider shows to the app that it is shared with.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from android import activity
from jnius import JavaException, autoclass, cast
from kivy.clock import Clock

from mobile.android.main_activity import main_activity
from mobile.ui.handing import Done
from mobile.ui.words import tr

AUTHORITY = ".fileprovider"
KIND = "application/zip"
REQUEST = 0x5A1
RESULT_OK = -1
log = logging.getLogger(__name__)

Intent = autoclass("android.content.Intent")
ClipData = autoclass("android.content.ClipData")
File = autoclass("java.io.File")
FileProvider = autoclass("androidx.core.content.FileProvider")
Uri = autoclass("android.net.Uri")


class AndroidHanding:
    """The port `Handing` of a phone."""

    def __init__(self) -> None:
        self._saving: tuple[Path, Done] | None = None
        activity.bind(on_activity_result=self._answered)

    def ways(self) -> Sequence[tuple[str, str, str]]:
        """Send it to somebody, or keep it in Downloads."""
        return (
            ("share", tr("发给别人"), "out"),
            ("save", tr("存到手机"), "keep"),
        )

    def give(self, way: str, file: Path, done: Done) -> None:
        """Open the share sheet, or the system's page for saving a file."""
        try:
            if way == "share":
                self._share(file)
                done(tr("已交给所选的应用"))
            else:
                self._saving = (file, done)
                intent = Intent(Intent.ACTION_CREATE_DOCUMENT)
                intent.addCategory(Intent.CATEGORY_OPENABLE)
                intent.setType(KIND)
                intent.putExtra(Intent.EXTRA_TITLE, file.name)
                main_activity().startActivityForResult(intent, REQUEST)
        except JavaException as error:
            self._saving = None
            raise OSError(str(error)) from error

    def _share(self, file: Path) -> None:
        context = main_activity()
        uri = FileProvider.getUriForFile(
            context, context.getPackageName() + AUTHORITY, File(str(file))
        )
        intent = Intent(Intent.ACTION_SEND)
        intent.setType(KIND)
        intent.putExtra(Intent.EXTRA_STREAM, cast("android.os.Parcelable", uri))
        intent.setClipData(ClipData.newRawUri("", uri))
        intent.addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
        context.startActivity(Intent.createChooser(intent, None))

    def _answered(self, request: int, result: int, data: Any) -> None:
        if request != REQUEST or self._saving is None:
            return
        (file, done), self._saving = self._saving, None
        uri = data.getData() if result == RESULT_OK and data is not None else None
        where = self._copy(file, uri.toString()) if uri is not None else None
        Clock.schedule_once(lambda _: done(where), 0)

    def _copy(self, file: Path, uri: str) -> str | None:
        try:
            held = main_activity().getContentResolver().openFileDescriptor(Uri.parse(uri), "w")
            with file.open("rb") as source, os.fdopen(held.detachFd(), "wb") as target:
                shutil.copyfileobj(source, target)
        except (JavaException, OSError):
            log.exception("the file could not be saved")
            return None
        return file.name
