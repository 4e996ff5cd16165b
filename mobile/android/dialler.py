"""The telephone, with the number filled in; the person starts the call."""

from __future__ import annotations

import logging

from jnius import JavaException, autoclass

from mobile.android.main_activity import main_activity

Intent = autoclass("android.content.Intent")
Uri = autoclass("android.net.Uri")
log = logging.getLogger(__name__)


class AndroidDialler:
    """The port `Dialler` of a phone; ACTION_DIAL needs no permission."""

    def call(self, number: str) -> None:
        """Open the dial pad."""
        intent = Intent(Intent.ACTION_DIAL)
        intent.setData(Uri.parse(f"tel:{number}"))
        try:
            main_activity().startActivity(intent)
        except JavaException:
            log.exception("nothing on this phone can call")
