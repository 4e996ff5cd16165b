"""The plan of a demo: how many grids, where they lie, who works in them. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridledger.demo.dice import DAY, FOLDER, midnight, words

STREET = "410103007"  # 大学路街道
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
GRIDS_PER_COMMUNITY = 3
COMPOUNDS_PER_GRID = 10
HOUSEHOLDS_PER_GRID = 200
DAYS = 90
HANDLER_BODY = "city_management"
_SOUTH, _WEST = 34.728, 113.636
_TALL, _WIDE = 0.0042, 0.0052  # a grid, degrees: about 470 m by 475 m
_ORDINALS = "一二三"


@dataclass(frozen=True)
class Grid:
    """One grid; ``number`` counts them all from 0. South-west corner in degrees, WGS-84."""

    number: int
    code: str
    name: str
    south: float
    west: float
    households: int
    worker: str
    supervisor: str

    @property
    def partition(self) -> str:
        """The partition of its records."""
        return f"grid:{self.code}"

    def boundary(self) -> dict[str, object]:
        """Its outline as GeoJSON."""
        east, north = round(self.west + _WIDE, 5), round(self.south + _TALL, 5)
        ring = [(self.west, self.south), (east, self.south), (east, north), (self.west, north)]
        return {"type": "Polygon", "coordinates": [[list(p) for p in [*ring, ring[0]]]]}


@dataclass(frozen=True)
class Community:
    """A community that does not exist, in a street that does."""

    code: str
    name: str
    grids: tuple[Grid, ...]

    @property
    def street(self) -> str:
        """The code of its street."""
        return self.code[:9]


@dataclass(frozen=True)
class Person:
    """An account of the demo."""

    username: str
    name: str
    role: str
    area_code: str
    body: str | None = None
    grids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What to make: everything follows from these three."""

    seed: int
    households: int
    now: int

    @property
    def today(self) -> int:
        """Midnight before `now` in Shanghai."""
        return midnight(self.now)

    @property
    def first_day(self) -> int:
        """Midnight of the first day with visits."""
        return self.today - DAYS * DAY

    def communities(self) -> list[Community]:
        """The communities with their grids: two, or as many as the households need."""
        per_community = GRIDS_PER_COMMUNITY * HOUSEHOLDS_PER_GRID
        count = max(2, -(-self.households // per_community))
        grids = count * GRIDS_PER_COMMUNITY
        shares = [self.households * (n + 1) // grids - self.households * n // grids
                  for n in range(grids)]  # fmt: skip
        streets = _streets(-(-count // 2))
        return [
            _community(n, streets[n // 2 % len(streets)], n // (2 * len(streets)), shares)
            for n in range(count)
        ]

    def people(self) -> list[Person]:
        """The accounts: five roles; a worker for each grid, a supervisor for each street."""
        named = words("places")["people"]
        found = [
            Person("admin", named["admin"][0], "admin", "0"),
            Person("auditor", named["auditor"][0], "auditor", "0"),
        ]
        streets: dict[str, None] = {}
        workers = []
        for community in self.communities():
            streets[community.street] = None
            for grid in community.grids:
                names = named["workers"]
                name = names[grid.number % len(names)]
                if grid.number >= len(names):
                    name += str(grid.number + 1)
                workers.append(
                    Person(grid.worker, name, "grid_worker", community.code, grids=(grid.code,))
                )
        area = STREET if len(streets) == 1 else STREET[:4]
        found.append(Person("handler", named["handler"][0], "handler", area, HANDLER_BODY))
        for street in streets:
            name = named["supervisor"][0] + ("" if street == STREET else street[4:])
            found.append(Person(supervisor_of(street), name, "supervisor", street))
        return found + workers


def supervisor_of(street: str) -> str:
    """The user name of a street's supervisor."""
    return "supervisor" if street == STREET else f"supervisor{street}"


def divisions() -> dict[str, tuple[str, str]]:
    """code -> (name, code of the one above): the whole city if at hand, else one district."""
    source = SAMPLES / "divisions_4101.csv"
    if not source.is_file():
        source = FOLDER / "divisions.csv"
    with source.open(encoding="utf-8", newline="") as file:
        return {row["code"]: (row["name"], row["parent"]) for row in csv.DictReader(file)}


def real_areas(communities: list[Community]) -> Iterator[tuple[str, str, str]]:
    """(code, name, parent) of the real areas above the communities, from the top."""
    known = divisions()
    needed = {c.street[:n] for c in communities for n in (2, 4, 6, 9)}
    for code in sorted(needed, key=lambda code: (len(code), code)):
        yield code, *known[code]


def _streets(count: int) -> list[str]:
    others = [code for code in divisions() if len(code) == 9 and code != STREET]
    return [STREET, *sorted(others)][:count]


def _community(number: int, street: str, lap: int, shares: list[int]) -> Community:
    names = words("places")["communities"]
    name = names[number % len(names)]
    if number >= len(names):
        name = name.removesuffix("社区") + f"{number // len(names) + 1}社区"
    code = f"{street}{901 + lap * 2 + number % 2}"
    south = _SOUTH + number // 12 * GRIDS_PER_COMMUNITY * 0.0045
    west = _WEST + number % 12 * 0.0056
    grids = []
    for n in range(GRIDS_PER_COMMUNITY):
        total = number * GRIDS_PER_COMMUNITY + n
        grids.append(
            Grid(
                number=total,
                code=f"{code}{n + 1:03d}",
                name=f"{name}第{_ORDINALS[n]}网格",
                south=round(south + n * 0.0045, 5),
                west=round(west, 5),
                households=shares[total],
                worker=f"worker{total + 1}",
                supervisor=supervisor_of(street),
            )
        )
    return Community(code, name, tuple(grids))
