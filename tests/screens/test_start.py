"""The app started as a person starts it: in a process of its own, from a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.screen
CALL = "from gridledger.cli import main; main()"


def test_the_terminal_stays_quiet_and_the_log_is_in_the_data_folder(tmp_path: Path) -> None:
    around = {k: v for k, v in os.environ.items() if not k.startswith(("KIVY_", "KCFG_"))}
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, "phone", "--data", str(tmp_path / "data")],
        env={
            **around,
            "SDL_VIDEODRIVER": "offscreen",
            "KIVY_HOME": str(tmp_path / "home"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    logs = tmp_path / "data" / "logs"
    end = time.monotonic() + 30
    while not any("main loop" in p.read_text("utf-8") for p in logs.glob("*.txt")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    time.sleep(1)
    assert process.poll() is None
    process.terminate()
    assert process.communicate(timeout=10) == ("", "")
