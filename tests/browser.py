"""Debian's Chromium for the tests, driven by Playwright, with the project's own Chinese font.

    with chromium() as browser:
        page = browser.new_page()

The system's fonts stay as they are: Chromium gets a fontconfig file of its own that reads the
system's and adds `mobile/assets/fonts`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FONTS = Path(__file__).resolve().parent.parent / "mobile/assets/fonts"
FONT_FAMILY = "Noto Sans SC"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pictures of one page should be the same everywhere.
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
]

FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <match target="pattern">
    <test name="family" qual="any" compare="contains"><string>{generic}</string></test>
    <edit name="family" mode="append" binding="strong"><string>{family}</string></edit>
  </match>
</fontconfig>
"""


class BrowserMissing(Exception):
    """No Chromium on this machine: `make setup-test` installs it where it can."""


def chromium_path() -> str:
    """Where Chromium is. Raises BrowserMissing."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise BrowserMissing(
            "没有 Chromium：请运行 make setup-test，或 apt-get install chromium / "
            "no Chromium: run `make setup-test`, or `apt-get install chromium`"
        )
    return path


def fontconfig_file(folder: Path) -> Path:
    """Write into `folder` the fontconfig file by which a program finds the Chinese font."""
    path = folder / "fonts.conf"
    path.write_text(
        FONTCONFIG.format(
            fonts=FONTS, cache=folder / "cache", family=FONT_FAMILY, generic="sans-serif"
        )
    )
    return path


@contextmanager
def chromium(*, headless: bool = True) -> Iterator[Browser]:
    """A running Chromium; its profile and font cache are gone afterwards."""
    executable = chromium_path()
    with tempfile.TemporaryDirectory(prefix="gridledger-browser-") as folder:
        environment: dict[str, str | float | bool] = {
            **os.environ,
            "FONTCONFIG_FILE": str(fontconfig_file(Path(folder))),
            "LANG": "C.UTF-8",
        }
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=executable, headless=headless, args=FLAGS, env=environment
            )
            try:
                yield browser
            finally:
                browser.close()
