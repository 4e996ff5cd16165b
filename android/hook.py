"""Run by python-for-android while the package is made (`p4a.hook` in buildozer.spec).

The manifest gets a FileProvider: the system's camera app writes a photo into this app's own
storage through it, and sees no other file (android/res/xml/file_paths.xml).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATE = Path("templates/AndroidManifest.tmpl.xml")
END = "    </application>"
PROVIDER = """\
        <provider android:name="androidx.core.content.FileProvider"
                  android:authorities="{{ args.package }}.fileprovider"
                  android:exported="false"
                  android:grantUriPermissions="true">
            <meta-data android:name="android.support.FILE_PROVIDER_PATHS"
                       android:resource="@xml/file_paths" />
        </provider>
"""


def before_apk_build(toolchain: Any) -> None:
    """In the folder of the Android project, before its manifest is rendered; may run again."""
    template = TEMPLATE.read_text("utf-8")
    if PROVIDER in template:
        return
    if template.count(END) != 1:
        raise RuntimeError(f"{TEMPLATE}: no single place for the provider")
    TEMPLATE.write_text(template.replace(END, PROVIDER + END), "utf-8")
