"""The phone's camera app and gallery, by intents. What follows is in mobile/ui/intent_camera.py.

The photo goes into app-private storage: the camera app gets a FileProvider's URI, which the
manifest declares for ``photos_in/`` of the app's files (authority: the package's name and
``.fileprovider``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from android import activity
from android.permissions import Permission, check_permission, request_permissions
from jnius import JavaException, autoclass, cast
from kivy.clock import Clock

from mobile.android.main_activity import main_activity
from mobile.ui.intent_camera import IntentCamera, NoSuchApp

AUTHORITY = ".fileprovider"
RESULT_OK = -1
BLOCK = 64 * 1024

# Classes are found on the thread that the app starts on, and only there.
Intent = autoclass("android.content.Intent")
MediaStore = autoclass("android.provider.MediaStore")
Settings = autoclass("android.provider.Settings")
Uri = autoclass("android.net.Uri")
ClipData = autoclass("android.content.ClipData")
File = autoclass("java.io.File")
FileProvider = autoclass("androidx.core.content.FileProvider")


def make_camera() -> IntentCamera:
    """The port `Camera` of this phone."""
    system = AndroidSystem()
    camera = IntentCamera(system)
    system.listen(camera.answered)
    return camera


class AndroidSystem:
    """`mobile.ui.intent_camera.System` of a phone."""

    def __init__(self) -> None:
        self._heard: Callable[[int, bool, str], None] | None = None

    def listen(self, heard: Callable[[int, bool, str], None]) -> None:
        """Hand the answers of opened apps on, on the Kivy thread."""
        self._heard = heard
        activity.bind(on_activity_result=self._answered)

    def has_permission(self) -> bool:
        """Whether the camera may be used."""
        return bool(check_permission(Permission.CAMERA))

    def ask_permission(self, then: Callable[[bool, bool], None]) -> None:
        """The system's own question."""

        def answered(_: Any, grants: list[bool]) -> None:
            granted = bool(grants and all(grants))
            again = bool(main_activity().shouldShowRequestPermissionRationale(Permission.CAMERA))
            _on_kivy(lambda: then(granted, again))

        request_permissions([Permission.CAMERA], answered)

    def open_camera(self, request: int, into: Path) -> None:
        """ACTION_IMAGE_CAPTURE with the file as EXTRA_OUTPUT."""
        context = main_activity()
        into.parent.mkdir(parents=True, exist_ok=True)
        uri = FileProvider.getUriForFile(
            context, context.getPackageName() + AUTHORITY, File(str(into))
        )
        intent = Intent(MediaStore.ACTION_IMAGE_CAPTURE)
        intent.putExtra(MediaStore.EXTRA_OUTPUT, cast("android.os.Parcelable", uri))
        intent.setClipData(ClipData.newRawUri("", uri))
        intent.addFlags(
            Intent.FLAG_GRANT_WRITE_URI_PERMISSION | Intent.FLAG_GRANT_READ_URI_PERMISSION
        )
        _start(intent, request)

    def open_chooser(self, request: int) -> None:
        """ACTION_GET_CONTENT for pictures."""
        intent = Intent(Intent.ACTION_GET_CONTENT)
        intent.setType("image/*")
        intent.addCategory(Intent.CATEGORY_OPENABLE)
        _start(intent, request)

    def copy(self, uri: str, into: Path) -> None:
        """By the content resolver's file descriptor."""
        import os

        try:
            resolver = main_activity().getContentResolver()
            held = resolver.openFileDescriptor(Uri.parse(uri), "r")
        except JavaException as error:
            raise OSError(str(error)) from error
        if held is None:
            raise OSError("nothing to read")
        into.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(held.detachFd(), "rb") as source, into.open("wb") as target:
            while block := source.read(BLOCK):
                target.write(block)

    def open_settings(self) -> None:
        """The page where permissions are given."""
        context = main_activity()
        intent = Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS)
        intent.setData(Uri.fromParts("package", context.getPackageName(), None))
        context.startActivity(intent)

    def in_background(self, work: Callable[[], None], then: Callable[[bool], None]) -> None:
        """On a thread of its own."""

        def run() -> None:
            import jnius

            try:
                work()
                well = True
            except OSError:
                well = False
            finally:
                jnius.detach()
            _on_kivy(lambda: then(well))

        threading.Thread(target=run, name="chosen-photo").start()

    def _answered(self, request: int, result: int, data: Any) -> None:
        uri = data.getData().toString() if data is not None and data.getData() is not None else ""
        _on_kivy(lambda: self._heard and self._heard(request, result == RESULT_OK, uri))


def _start(intent: Any, request: int) -> None:
    try:
        main_activity().startActivityForResult(intent, request)
    except JavaException as error:
        if "ActivityNotFoundException" in str(error):
            raise NoSuchApp from error
        raise


def _on_kivy(what: Callable[[], Any]) -> None:
    Clock.schedule_once(lambda _: what(), 0)
