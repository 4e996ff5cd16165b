"""Which photo goes next, and whether any may go now. Pure: values in, values out.

Text always goes; what is decided here is for photos alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from shared import categories

Network = Literal["wifi", "mobile", "none"]  # wifi: one that is not metered
Policy = Literal["any", "wifi", "ask"]
# go: photos may be sent. Else what they wait for: the person, an unmetered network, any network.
Verdict = Literal["go", "ask", "wifi", "network"]

NETWORKS: tuple[str, ...] = get_args(Network)
POLICIES: tuple[str, ...] = get_args(Policy)
LANES = {"wifi": 2, "mobile": 1, "none": 1}  # photos sent side by side


@dataclass(frozen=True)
class Waiting:
    """A photo in the queue. ``n`` is the order of saving, ``retry_at`` Unix ms or None."""

    sha256: str
    size: int
    sent: int
    n: int
    urgent: bool = False
    tries: int = 0
    retry_at: int | None = None


def in_order(photos: Iterable[Waiting]) -> list[Waiting]:
    """Those of urgent problems first; then what takes the fewest bytes, so that most are safe."""
    return sorted(photos, key=lambda p: (not p.urgent, p.size - p.sent, p.n, p.sha256))


def is_due(photo: Waiting, now: int, longest: int) -> bool:
    """Whether a photo that failed may be tried again by itself.

    A time further away than the longest wait comes from a clock that was set back since.
    """
    return photo.retry_at is None or not 0 < photo.retry_at - now <= longest


def network_of(*, internet: bool, metered: bool) -> Network:
    """A network as its capabilities say; a Wi-Fi that costs (a hotspot) counts as mobile data."""
    if not internet:
        return "none"
    return "mobile" if metered else "wifi"


def policy_of(text: str, wifi_only: bool = False) -> Policy:
    """The setting as it was kept; ``wifi_only``: what older versions kept instead."""
    for policy in get_args(Policy):
        if policy == text:
            found: Policy = policy
            return found
    return "wifi" if wifi_only else "any"


def verdict(policy: Policy, network: Network, allowed: bool | None = None) -> Verdict:
    """Whether photos may go. ``allowed``: what the person answered in this session, if asked."""
    if network == "none":
        return "network"
    if network == "wifi" or policy == "any" or allowed:
        return "go"
    return "ask" if policy == "ask" and allowed is None else "wifi"


def lanes(found: Verdict, network: Network) -> int:
    """How many photos go side by side; 0: none may."""
    return LANES[network] if found == "go" else 0


def is_urgent(owner: Mapping[str, Any], category: Mapping[str, Any]) -> bool:
    """Whether a photo's owner is an urgent problem: marked so, or to be settled within hours."""
    concerns = owner.get("concern_tags")
    marked = isinstance(concerns, (list, tuple)) and "urgent" in concerns
    return marked or (bool(category) and categories.is_urgent(category))
