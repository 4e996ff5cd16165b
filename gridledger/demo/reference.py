"""What holds everywhere: the categories that are shipped, and the responsible bodies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from gridledger.demo.dice import HOUR, Dice, dice, words
from gridledger.demo.plan import Community, Person, Plan, real_areas
from server.core import category_sheet
from shared import categories as rules
from shared import ids, work_calendar
from shared.operations import CREATE, Operation
from shared.work_calendar import Calendar

_SAID = ("needs_before", "call")  # what the demo adds to what is shipped
_LEVELS = {2: "province", 4: "city", 6: "county", 9: "street"}


@cache
def categories() -> dict[str, dict[str, Any]]:
    """code -> a shipped category of which the demo has sentences, with these."""
    shipped = {one.code: one for one in category_sheet.shipped()}
    return {
        one["code"]: {**shipped[one["code"]].data, "en": shipped[one["code"]].name_en, **one}
        for one in words("categories")["categories"]
    }


def due_by(category: str, at: int) -> int:
    """By when a body must have dealt with a problem that it gets at this moment."""
    return work_calendar.add(Calendar(), at, *rules.limit(categories()[category], "handle"))


def reference_records(plan: Plan) -> Iterator[Operation]:
    """The categories and bodies, to be created in the reference data of everywhere."""
    rolls = dice(plan.seed, "reference")
    listed = words("categories")
    made = plan.first_day - 40 * 24 * HOUR
    told = {one["code"]: one for one in listed["categories"]}
    for one in category_sheet.shipped():
        more = {name: x for name, x in told.get(one.code, {}).items() if name in _SAID}
        yield _reference(
            rolls, made, "category", one.code, one.name, one.name_en, one.position_no,
            {**one.data, **more},
        )  # fmt: skip
    campaign = listed["campaign"]
    runs = {"starts_at": made, "ends_at": plan.now + 60 * 24 * HOUR, "areas": []}
    yield _reference(
        rolls, made, "campaign", campaign["code"], campaign["zh"], campaign["en"], 0,
        {**runs, "questions": campaign["questions"]},
    )  # fmt: skip
    for number, (code, zh, en, owner) in enumerate(listed["bodies"]):
        yield _reference(rolls, made, "body", code, zh, en, number, {"owner": owner})


class Whereabouts:
    """Where each person of a demo belongs, in words."""

    def __init__(self, plan: Plan) -> None:
        communities = plan.communities()
        self._bodies = {code: (zh, en) for code, zh, en, _ in words("categories")["bodies"]}
        self._areas = {code: name for code, name, _ in real_areas(communities)}
        for community in communities:
            self._areas[community.code] = community.name
            self._areas |= {grid.code: grid.name for grid in community.grids}

    def of(self, person: Person) -> tuple[str, str]:
        """Chinese, English: a handler's unit, else the area or the grids; everywhere for "0"."""
        if person.body:
            return self._bodies[person.body]
        if person.area_code == ids.ROOT_AREA:
            return "全部区域", "everywhere"
        names = [self._areas[code] for code in person.grids or (person.area_code,)]
        return "、".join(names), "、".join(names)


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
