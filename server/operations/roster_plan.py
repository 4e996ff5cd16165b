"""What a roster's households mean for one grid as it stands: creations, edits, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.roster import Household, Issue, door_key
from server.core.roster_cells import place_key
from server.storage.models import Compound, Conflict
from server.storage.models import Household as HouseholdRow
from server.storage.tables import Change, Device
from shared import ids
from shared.operations import ADD, CREATE, SET, Operation

IMPORT = "import"  # the kind of device under which imports write


@dataclass(frozen=True)
class Plan:
    """What to do about one household; no operations: nothing.

    ``kept``: the roster says what it said last time, and a worker has changed it since.
    """

    operations: Sequence[Operation] = ()
    created: bool = False
    new_compound: bool = False
    kept: bool = False
    issue: Issue | None = None


def plan_grid(session: Session, grid_code: str, households: Sequence[Household]) -> Iterator[Plan]:
    """One plan for each household of the roster, in its order. Reads only."""
    state = _Grid(session, grid_code)
    for one in households:
        yield state.plan(one)


class _Grid:
    """A grid's compounds and doors as they stand, and those that this import adds."""

    def __init__(self, session: Session, grid_code: str) -> None:
        self.session = session
        self.partition = ids.grid_partition(grid_code)
        self.compounds: dict[str, str] = {}
        self.doors: dict[tuple[str, ...], Any] = {}
        self.importers = frozenset(session.scalars(select(Device.id).where(Device.kind == IMPORT)))
        self._load()

    def _load(self) -> None:
        table = Compound.__table__
        query = select(table.c.id, table.c.name, table.c.deleted_at).where(
            table.c.partition_id == self.partition
        )
        names = {}
        for compound in self.session.execute(query.order_by(table.c.id.desc())):
            names[compound.id] = compound.name
            if compound.deleted_at is None:
                self.compounds[place_key(compound.name)] = compound.id
        homes = HouseholdRow.__table__
        every = select(homes).where(homes.c.partition_id == self.partition)
        # The oldest live record of a door comes last, and so is the one that is found.
        order = (homes.c.deleted_at.is_(None), homes.c.id.desc())
        for row in self.session.execute(every.order_by(*order)).mappings():
            yard = names.get(row["compound_id"], "")
            parts = [row[name] or "" for name in ("building", "unit", "door", "address")]
            self.doors[door_key(yard, *parts)] = row

    def plan(self, one: Household) -> Plan:
        row = self.doors.get(one.key)
        if row is None:
            return self._create(one)
        if row["deleted_at"] is not None:
            return Plan(
                issue=Issue(
                    one.sheet,
                    one.row,
                    "这一户已被删除，没有重新建立；确需恢复请由网格员在手机上新建",
                    "This household was deleted and is not made again by an import; "
                    "a worker can add it on the phone",
                )
            )
        return self._edit(one, row)

    def _create(self, one: Household) -> Plan:
        operations = []
        compound_id, new_compound = None, False
        if one.compound:
            compound_id = self.compounds.get(place_key(one.compound))
            if compound_id is None:
                compound_id, new_compound = ids.new_id(), True
                self.compounds[place_key(one.compound)] = compound_id
                values = {"name": one.compound}
                operations.append(
                    Operation(CREATE, "compound", compound_id, self.partition, values=values)
                )
        said = {n: value for n, value in one.values.items() if value not in (None, [], "")}
        place = {
            "compound_id": compound_id,
            "building": one.building or None,
            "unit": one.unit or None,
            "door": one.door or None,
            "address": one.address or None,
        }
        values = {n: value for n, value in place.items() if value is not None} | said
        operations.append(
            Operation(CREATE, "household", ids.new_id(), self.partition, values=values)
        )
        return Plan(operations, created=True, new_compound=new_compound)

    def _edit(self, one: Household, row: Mapping[str, Any]) -> Plan:
        said = {n: value for n, value in one.values.items() if value not in (None, [], "")}
        if one.address and place_key(one.address) != place_key(row["address"] or ""):
            said["address"] = one.address
        groups = said.pop("care_groups", [])
        differs = {n: value for n, value in said.items() if value != row[n]}
        missing = sorted(set(groups) - set(row["care_groups"] or ()))
        if not differs and not missing:
            return Plan()
        past = _Past(self.session, row, self.importers)
        fields, base, kept = {}, {}, False
        for name, value in differs.items():
            last = past.last_imported(name)
            if (last and last[0] == value) or past.proposed(name, value):
                kept = True
                continue
            fields[name] = (last[0] if last else row[name], value)
            if last:
                base[name] = last[1]
        here = {"seq": row["seq"], "rev": row["rev"]}
        operations = []
        if fields:
            operations.append(
                Operation(
                    SET, "household", row["id"], self.partition, fields=fields, base=base, **here
                )
            )
        if missing:
            last = past.last_imported("care_groups")
            new = tuple(g for g in missing if not last or g not in (last[0] or ()))
            kept = kept or len(new) < len(missing)
            if new:
                operations.append(
                    Operation(
                        ADD, "household", row["id"], self.partition,
                        name="care_groups", elements=new, **here,
                    )
                )  # fmt: skip
        return Plan(operations, kept=kept)


class _Past:
    """What earlier imports said of one household; its history is read only when asked for."""

    def __init__(self, session: Session, row: Mapping[str, Any], importers: frozenset[str]) -> None:
        self.session, self.row, self.importers = session, row, importers
        self._changes: list[Change] | None = None
        self._conflicts: list[Any] | None = None

    def last_imported(self, name: str) -> tuple[Any, int] | None:
        """The value an import last gave a field and the rev at which it did; None: none ever."""
        stamps = self.row["field_revs"]
        stamp = stamps.get(name) or stamps["*"]
        if stamp[1] in self.importers:
            return self.row[name], stamp[0]
        found: tuple[Any, int] | None = None
        changes = [c for c in self.changes() if name in c.changes]
        if stamps["*"][1] in self.importers:
            found = (changes[0].changes[name][0] if changes else self.row[name]), 1
        for change in changes:
            if change.device_id in self.importers:
                found = change.changes[name][1], change.rev
        return found

    def proposed(self, name: str, value: Any) -> bool:
        """Whether an import has proposed this value before, in a conflict open or decided."""
        if self._conflicts is None:
            query = select(Conflict).where(Conflict.about_id == self.row["id"])
            self._conflicts = list(self.session.scalars(query))
        return any(
            c.field == name and c.proposed == value and c.proposed_device in self.importers
            for c in self._conflicts
        )

    def changes(self) -> list[Change]:
        if self._changes is None:
            query = select(Change).where(Change.record_id == self.row["id"]).order_by(Change.rev)
            self._changes = list(self.session.scalars(query))
        return self._changes
