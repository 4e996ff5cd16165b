"""All records of the demo, in the order of time, block by block of six grids. Pure.

The same seed, number of households, day and people give the same records to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gridledger.demo import places
from gridledger.demo.dice import DAY
from gridledger.demo.photos import PhotoRecords, Picture
from gridledger.demo.plan import Community, Grid, Plan
from gridledger.demo.problems import problem_entries
from gridledger.demo.reference import area_records, reference_records
from gridledger.demo.visits import Beat, due_tasks, visit_entries
from server.operations.transact import Entry
from shared.operations import CREATE, Operation


@dataclass(frozen=True)
class Block:
    """Up to six grids: what stands in them, and what happened there."""

    beats: list[Beat]
    standing: list[Entry]
    history: list[Entry]


def base_entries(plan: Plan, admin: str) -> Iterator[Entry]:
    """Areas and reference data, by the admin, before anything else."""
    at = plan.first_day - 40 * DAY
    for operation in [*area_records(plan, plan.communities()), *reference_records(plan)]:
        yield Entry(admin, [operation], at)


def blocks(plan: Plan, people: Mapping[str, str], pictures: Sequence[Picture]) -> Iterator[Block]:
    """The grids with all their records; ``people``: user name -> account id."""
    photos = PhotoRecords(plan.seed, pictures)
    communities = plan.communities()
    for first in range(0, len(communities), 2):
        beats = [
            _beat(plan, grid, people)
            for community in communities[first : first + 2]
            for grid in community.grids
        ]
        standing = [entry for beat in beats for entry in _standing(beat)]
        history = list(problem_entries(beats, people, photos))
        for beat in beats:
            history += visit_entries(beat, photos)
            history += due_tasks(beat)
        history.sort(key=lambda entry: entry.made_at or 0)
        yield Block(beats, standing, history)


def _beat(plan: Plan, grid: Grid, people: Mapping[str, str]) -> Beat:
    compounds = places.compounds(plan, grid)
    homes = list(places.households(plan, grid, compounds))
    return Beat(plan, grid, compounds, homes, people[grid.worker], people[grid.supervisor])


def _standing(beat: Beat) -> Iterator[Entry]:
    """Compounds, doors and residents, as the roster import of a day long ago left them."""
    at = beat.plan.first_day - 29 * DAY
    partition = beat.grid.partition
    for compound in beat.compounds:
        create = Operation(CREATE, "compound", compound.id, partition, values=compound.values)
        yield Entry(beat.supervisor, [create], at)
    for home in beat.households:
        operations = [Operation(CREATE, "household", home.id, partition, values=home.values)]
        operations += [
            Operation(CREATE, "resident", record_id, partition, values=values)
            for record_id, values in home.residents
        ]
        yield Entry(beat.supervisor, operations, at)


__all__ = ["Block", "Community", "base_entries", "blocks"]
