"""What a new visit starts with: a worker never types twice what the last visit already says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared import campaigns
from shared.campaigns import Campaign

# What usually holds from one visit to the next; what was seen and said that day does not.
CARRIED = ("reason", "concern_tags")
DEFAULT_REASON = "routine"
CARE_REASON = "care"


def visit_values(
    household_id: str, household: Mapping[str, Any], last: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The values of a new visit of a household; ``last`` is its last visit's, None if none."""
    carried = {name: last[name] for name in CARRIED if last and last.get(name)}
    if carried.get("reason") in ("recheck", "callback", "appeal", "campaign"):
        del carried["reason"]  # those were asked for once
    reason = CARE_REASON if household.get("care_groups") else DEFAULT_REASON
    return {
        "target_kind": "household",
        "target_id": household_id,
        "target_name": household.get("contact_name") or "",
        "reason": reason,
        **carried,
    }


def answers(
    running: Iterable[Campaign], earlier: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What this door answered to the campaigns that run; ``earlier``: its visits, newest first."""
    found: dict[str, dict[str, Any]] = {}
    given = [one["answers"] for one in earlier if isinstance(one.get("answers"), Mapping)]
    for campaign in running:
        last = next((one[campaign.code] for one in given if one.get(campaign.code)), None)
        if isinstance(last, Mapping):
            found[campaign.code] = campaigns.tidy(campaign, last)
    return found


def no_change_values(
    household_id: str, household: Mapping[str, Any], last: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The values of the one-tap visit: nothing has changed."""
    values = visit_values(household_id, household, last)
    values.pop("concern_tags", None)
    return values | {"outcome": "no_change"}
