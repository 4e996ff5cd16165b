"""Pure: where things are: map cells for an index, distances, and the same place.

Positions are {"lat", "lng"}, WGS-84. A cell is a thousandth of a degree each way: 111 m high and,
in China, 65 to 105 m wide; so what lies within 50 m of a position is in its cell or one beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

CELLS_PER_DEGREE = 1000
NEAR_M = 50.0  # the same place (DOMAIN: recurrence)
_EARTH_M = 6_371_000.0


def cell_of(position: Mapping[str, Any] | None) -> str | None:
    """The cell of a position, None where there is none: "34750:113625"."""
    at = _cell(position)
    return None if at is None else f"{at[0]}:{at[1]}"


def cells_around(position: Mapping[str, Any] | None) -> list[str]:
    """A position's cell and the eight beside it; [] where there is no position."""
    at = _cell(position)
    if at is None:
        return []
    return [f"{at[0] + y}:{at[1] + x}" for y in (-1, 0, 1) for x in (-1, 0, 1)]


def distance(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> float | None:
    """Metres between two positions; None where one is not known."""
    if not one or not other:
        return None
    lat = math.radians((one["lat"] + other["lat"]) / 2)
    y = math.radians(one["lat"] - other["lat"])
    x = math.radians(one["lng"] - other["lng"]) * math.cos(lat)
    return _EARTH_M * math.hypot(x, y)


def is_same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two problems are at one place: one target, one compound, or within 50 m."""
    for name in ("target_id", "compound_id"):
        if one.get(name) and one.get(name) == other.get(name):
            return True
    metres = distance(one.get("position"), other.get("position"))
    return metres is not None and metres <= NEAR_M


def _cell(position: Mapping[str, Any] | None) -> tuple[int, int] | None:
    if not position:
        return None
    lat, lng = (math.floor(position[name] * CELLS_PER_DEGREE) for name in ("lat", "lng"))
    return lat, lng
