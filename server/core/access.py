"""Pure: who may see and do what. Everyone sees a subtree of areas; everything obeys it."""

from __future__ import annotations

from dataclasses import dataclass

from shared import ids

# Role -> what its people may do beside what shared.ledger says of problems.
PERMISSIONS: dict[str, frozenset[str]] = {
    "grid_worker": frozenset({"see_records"}),
    "supervisor": frozenset(
        {"see_records", "review", "decide", "export", "quarantine", "move", "redact"}
    ),
    "handler": frozenset({"see_own_problems"}),
    "admin": frozenset(
        {
            "see_records",
            "export",
            "export_unmasked",
            "people",
            "areas",
            "categories",
            "import",
            "quarantine",
            "move",
            "erase",
            "redact",
            "see_originals",
        }
    ),
    "auditor": frozenset({"audit"}),
}


@dataclass(frozen=True)
class Viewer:
    """Who looks: an account's id, role, subtree, and a handler's body."""

    user_id: str
    role: str
    area_code: str
    body: str = ""

    def may(self, permission: str) -> bool:
        """Whether the role has a permission of PERMISSIONS."""
        return permission in PERMISSIONS.get(self.role, frozenset())

    def sees_area(self, area_code: str) -> bool:
        """Whether an area lies in the viewer's subtree."""
        return ids.is_within(area_code, self.area_code)

    def sees_partition(self, partition: str) -> bool:
        """Whether a partition's records lie in the viewer's subtree; a person's are their own."""
        area = ids.area_of(partition)
        if area is None:
            return partition == ids.person_partition(self.user_id)
        return self.sees_area(area)


def grid_range(area_code: str) -> tuple[str, str]:
    """The half-open range of grid partition ids within a subtree, for one index range scan."""
    if area_code == ids.ROOT_AREA:
        return "grid:", "grid;"
    return f"grid:{area_code}", f"grid:{area_code}:"
