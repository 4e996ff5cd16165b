"""What holds everywhere: categories of problems in two levels, and the responsible bodies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from gridledger.demo.dice import HOUR, Dice, dice, words
from gridledger.demo.plan import Community, Plan, real_areas
from shared import ids
from shared.operations import CREATE, Operation

_SAID = ("parent", "needs_before", "needs_after", "hours", "unit", "body", "place", "call")
_LEVELS = {2: "province", 4: "city", 6: "county", 9: "street"}


@cache
def categories() -> dict[str, dict[str, Any]]:
    """code -> a category of the second level, with its sentences."""
    return {one["code"]: one for one in words("categories")["categories"]}


def duration(category: str) -> int:
    """How long a body has for a problem of the category, ms."""
    one = categories()[category]
    return int(one["hours"]) * HOUR


def reference_records(plan: Plan) -> Iterator[Operation]:
    """The categories and bodies, to be created in the reference data of everywhere."""
    rolls = dice(plan.seed, "reference")
    listed = words("categories")
    made = plan.first_day - 40 * 24 * HOUR
    for number, (code, zh, en) in enumerate(listed["groups"]):
        yield _reference(rolls, made, "category", code, zh, en, number * 100, {"parent": None})
    place = {group[0]: number * 100 for number, group in enumerate(listed["groups"])}
    for one in listed["categories"]:
        place[one["parent"]] += 1
        data = {name: one[name] for name in _SAID if name in one}
        yield _reference(
            rolls, made, "category", one["code"], one["zh"], one["en"], place[one["parent"]], data
        )
    campaign = listed["campaign"]
    runs = {"starts_at": made, "ends_at": plan.now + 60 * 24 * HOUR, "areas": []}
    yield _reference(
        rolls, made, "campaign", campaign["code"], campaign["zh"], campaign["en"], 0,
        {**runs, "questions": campaign["questions"]},
    )  # fmt: skip
    for number, (code, zh, en, owner) in enumerate(listed["bodies"]):
        yield _reference(rolls, made, "body", code, zh, en, number, {"owner": owner})


def area_records(plan: Plan, communities: list[Community]) -> Iterator[Operation]:
    """The tree of areas: real ones down to the street, the demo's own below."""
    rolls = dice(plan.seed, "areas")
    labels = words("places")["labels"]
    for code, name, parent in real_areas(communities):
        yield _area(rolls, plan, code, name, _LEVELS[len(code)], parent or None)
    for number, community in enumerate(communities):
        label = labels[number % len(labels)]
        yield _area(
            rolls, plan, community.code, community.name, "community", community.street, label=label
        )
        for grid in community.grids:
            yield _area(rolls, plan, grid.code, grid.name, "grid", community.code, grid.boundary())


def _reference(
    rolls: Dice,
    made: int,
    type_: str,
    code: str,
    zh: str,
    en: str,
    place: int,
    data: dict[str, Any],
) -> Operation:
    values = {
        "type": type_, "code": code, "name": zh, "name_en": en, "data": data, "active": True,
        "position_no": place,
    }  # fmt: skip
    partition = ids.area_partition(ids.ROOT_AREA)
    return Operation(CREATE, "reference", rolls.new_id(made), partition, values=values)


def _area(
    rolls: Dice, plan: Plan, code: str, name: str, level: str, parent: str | None,
    boundary: dict[str, Any] | None = None, label: str | None = None,
) -> Operation:  # fmt: skip
    values = {
        "code": code, "name": name, "level": level, "parent_code": parent, "boundary": boundary,
        "label": label,
    }  # fmt: skip
    made = plan.first_day - 40 * 24 * HOUR
    return Operation(CREATE, "area", rolls.new_id(made), ids.area_partition(code), values=values)
