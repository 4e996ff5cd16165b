"""What the app is and does not do, and the licences of what it is made with."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder

from mobile.ui.page import Page
from mobile.ui.screens.me import VERSION
from mobile.ui.widgets import text

LICENCES = (
    ("gridledger", "MIT"),
    ("Kivy", "MIT"),
    ("Python", "PSF-2.0"),
    ("SQLite", "Public domain"),
    ("requests", "Apache-2.0"),
    ("marshmallow", "MIT"),
    ("Pillow", "MIT-CMU"),
    ("cryptography", "Apache-2.0 / BSD-3-Clause"),
    ("urllib3", "MIT"),
    ("idna", "BSD-3-Clause"),
    ("certifi", "MPL-2.0"),
    ("plyer", "MIT"),
    ("pyjnius", "MIT"),
    ("SDL 2", "Zlib"),
    ("FreeType", "FTL"),
    ("OpenSSL", "Apache-2.0"),
    ("Noto Sans SC", "SIL OFL 1.1"),
)


class AboutPage(Page):
    """Nothing to do here but read."""

    version = VERSION

    def built(self) -> None:
        """The list."""
        self.ids.licences.fill(text("Txt", f"{name}  ·  {licence}") for name, licence in LICENCES)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
