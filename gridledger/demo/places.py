"""The compounds, households and residents of one grid. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gridledger.demo.dice import DAY, Dice, dice, words
from gridledger.demo.names import household_name, phone_number, relative_name
from gridledger.demo.plan import COMPOUNDS_PER_GRID, Grid, Plan, divisions

CARE_SHARE = 0.12
_CARE_WEIGHTS = {
    "elder_alone": 34, "elder": 24, "disabled": 12, "low_income": 12, "left_behind_child": 4,
    "serious_illness": 7, "veteran": 9, "special_family": 3,
}  # fmt: skip


@dataclass(frozen=True)
class Compound:
    """A compound as it will be created."""

    id: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Household:
    """A door as it will be created, and the people behind it: (id, values)."""

    id: str
    values: dict[str, Any]
    compound: Compound
    residents: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def care(self) -> list[str]:
        """Its care groups."""
        return list(self.values["care_groups"])


def compounds(plan: Plan, grid: Grid) -> list[Compound]:
    """The ten compounds of a grid; the first (of a community's first grid, two) have no manager."""
    rolls = dice(plan.seed, "compounds", grid.code)
    street = divisions()[grid.code[:9]][0]
    unmanaged = {0, 5} if grid.code.endswith("001") else {0}
    return [
        _compound(rolls, plan, grid, street, n, n in unmanaged) for n in range(COMPOUNDS_PER_GRID)
    ]


def households(plan: Plan, grid: Grid, among: list[Compound]) -> Iterator[Household]:
    """The grid's doors in the order of the stairs, compound by compound."""
    rolls = dice(plan.seed, "households", grid.code)
    rare = list(words("names")["rare"]) if grid.number < 6 else []
    # Each of the first six grids has its share of the names that are long or rare.
    rare = rare[grid.number :: 6]
    count, total = 0, max(1, grid.households)
    every = max(1, total // (len(rare) + 1))
    for n, compound in enumerate(among):
        share = grid.households * (n + 1) // len(among) - grid.households * n // len(among)
        for building, unit, door in _doors(rolls, share):
            name = rare.pop() if rare and count % every == every // 2 else household_name(rolls)
            count += 1
            yield _household(rolls, plan, compound, (building, unit, door), name)


def _compound(
    rolls: Dice, plan: Plan, grid: Grid, street: str, number: int, unmanaged: bool
) -> Compound:
    listed = words("places")
    road = listed["roads"][(grid.number * 3 + rolls.randrange(3)) % len(listed["roads"])]
    house = grid.number * 20 + number * 2 + rolls.choice((1, 11, 22))
    pick = (grid.number * 4 + number) % len(listed["estates"])
    if unmanaged:
        management, name = "none", f"{road}{house}号院"
    elif number % 3 == 1:
        pick = (grid.number * 3 + number // 3) % len(listed["employers"])
        management, name = "employer", f"{listed['employers'][pick]}家属院"
    elif number % 3 == 2:
        management, name = "property", f"{road}{house}号院"
    else:
        management, name = "property", listed["estates"][pick]
    return Compound(
        rolls.new_id(plan.first_day - 30 * DAY + number),
        {
            "name": name,
            "address": f"{street}{road}{house}号",
            "management": management,
            "steward": household_name(rolls, "old") if unmanaged or rolls.chance(0.8) else None,
            "steward_phone": phone_number(rolls) if unmanaged or rolls.chance(0.7) else None,
            "position": position(rolls, grid, number),
            "note": rolls.choice(listed["unmanaged_notes" if unmanaged else "compound_notes"]),
        },
    )


def position(rolls: Dice, grid: Grid, number: int) -> dict[str, float]:
    """Where the n-th compound of a grid lies: five to a row, two rows."""
    return {
        "lat": round(grid.south + 0.0011 + number // 5 * 0.002 + rolls.uniform(-3e-4, 3e-4), 6),
        "lng": round(grid.west + 0.0006 + number % 5 * 0.001 + rolls.uniform(-2e-4, 2e-4), 6),
        "accuracy": 10.0,
    }


def _doors(rolls: Dice, count: int) -> Iterator[tuple[str, str, str]]:
    units, floors, doors = rolls.choice((2, 2, 3)), rolls.choice((5, 6, 6, 7)), rolls.choice((2, 3))
    made = 0
    building = rolls.choice((1, 1, 1, 3))
    while made < count:
        for unit in range(1, units + 1):
            for floor in range(1, floors + 1):
                for door in range(1, doors + 1):
                    if made == count:
                        return
                    made += 1
                    yield f"{building}号楼", f"{unit}单元", f"{floor}{door:02d}"
        building += 1


def _household(
    rolls: Dice, plan: Plan, compound: Compound, where: tuple[str, str, str], name: str
) -> Household:
    building, unit, door = where
    state = rolls.choices(("lived_in", "let", "empty"), (78, 14, 8))[0]
    care: list[str] = []
    if state == "lived_in" and rolls.chance(CARE_SHARE / 0.78):
        care = [rolls.choices(list(_CARE_WEIGHTS), list(_CARE_WEIGHTS.values()))[0]]
        if rolls.chance(0.12):
            care = sorted({*care, rolls.choice(("disabled", "low_income", "serious_illness"))})
    risk = "high" if care and rolls.chance(0.15) else "attention" if rolls.chance(0.08) else None
    count = 0 if state == "empty" else 1 if "elder_alone" in care else rolls.randint(1, 5)
    values = {
        "compound_id": compound.id,
        "building": building,
        "unit": unit,
        "door": door,
        "address": f"{compound.values['address']}{building}{unit}{door}",
        "contact_name": name,
        "contact_phone": phone_number(rolls) if rolls.chance(0.94) else None,
        "risk_level": risk or "normal",
        "care_groups": care,
        "state": state,
        "residents_count": count,
        "note": rolls.maybe(0.15, words("places")["household_notes"]),
    }
    made = Household(rolls.new_id(plan.first_day - 29 * DAY), values, compound)
    if care or (state == "lived_in" and rolls.chance(0.25)):
        made.residents.extend(_residents(rolls, plan, made, min(count, 3)))
    return made


def _residents(
    rolls: Dice, plan: Plan, home: Household, count: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    care = home.care
    for n in range(count):
        band = rolls.choices(("adult", "elder", "very_old", "minor"), (60, 22, 8, 10))[0]
        name = home.values["contact_name"]
        if n == 0:
            band = "very_old" if {"elder", "elder_alone"} & set(care) else "adult"
        else:
            name = relative_name(rolls, name, "old" if band in ("elder", "very_old") else "young")
        if n == 1 and "left_behind_child" in care:
            band = "under_14"
        grown = band not in ("under_14", "minor")
        yield (
            rolls.new_id(plan.first_day - 28 * DAY),
            {
                "household_id": home.id,
                "name": name,
                "phone": phone_number(rolls) if grown and rolls.chance(0.5) else None,
                "age_band": band,
                "care_groups": care if n == 0 else [],
                "legal_basis": "public_duty" if care else "consent",
                "retain_until": plan.today + 730 * DAY,
            },
        )
