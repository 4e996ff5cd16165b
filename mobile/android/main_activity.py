"""The app's one activity."""

from __future__ import annotations

from typing import Any

from jnius import autoclass

_PythonActivity = autoclass("org.kivy.android.PythonActivity")


def main_activity() -> Any:
    """The activity in sight; another one after the system has made it anew."""
    return _PythonActivity.mActivity
