"""What the phone is connected by, from Android's ConnectivityManager."""

from __future__ import annotations

import logging

from jnius import JavaException, autoclass, cast

from mobile.android.main_activity import main_activity
from mobile.core.photo_queue import Network, network_of

Context = autoclass("android.content.Context")
NetworkCapabilities = autoclass("android.net.NetworkCapabilities")
log = logging.getLogger(__name__)


class AndroidNetwork:
    """The port `NetworkKind` of a phone."""

    def __init__(self) -> None:
        service = main_activity().getSystemService(Context.CONNECTIVITY_SERVICE)
        self._manager = cast("android.net.ConnectivityManager", service)

    def kind(self) -> Network:
        """As the system says now; mobile where it will not say."""
        try:
            network = self._manager.getActiveNetwork()
            found = self._manager.getNetworkCapabilities(network) if network else None
        except JavaException:
            log.exception("the system does not tell the network")
            return "mobile"
        if found is None:
            return "none"
        return network_of(
            internet=found.hasCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET),
            metered=not found.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED),
        )
