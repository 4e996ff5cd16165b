"""The app's window on Android: no screenshots, no picture of it among the recent apps."""

from __future__ import annotations

from android.runnable import run_on_ui_thread
from jnius import autoclass

FLAG_SECURE = 0x2000  # android.view.WindowManager.LayoutParams


@run_on_ui_thread
def keep_secret() -> None:
    """Set FLAG_SECURE; on Android's own thread."""
    activity = autoclass("org.kivy.android.PythonActivity").mActivity
    activity.getWindow().addFlags(FLAG_SECURE)
