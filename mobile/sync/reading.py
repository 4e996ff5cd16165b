"""What the screens read of the store; nothing here waits for the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mobile.core.clock import Clock
from mobile.core.views import (
    Category,
    CompoundRow,
    ConflictRow,
    HouseholdFilter,
    HouseholdRow,
    HouseholdView,
    ProblemRow,
    ProblemView,
    TaskRow,
    VisitRow,
    VisitView,
)
from mobile.core.walking import Walk, Wanted
from mobile.core.written import VisitDraft
from mobile.storage import (
    alike,
    attached,
    ledger_pages,
    lookups,
    meta,
    pages,
    photos,
    rounds,
    standing,
)
from mobile.storage.standing import Standing
from mobile.storage.store import Store
from mobile.storage.walking import Round
from shared import campaigns, ledger
from shared.campaigns import Campaign

MOST_ALIKE = 3


class Reading:
    """The reading half of `Phone`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._round = Round(store)

    def households(
        self,
        query: str = "",
        filter: HouseholdFilter = "all",
        compound_id: str | None = None,
    ) -> list[HouseholdRow]:
        """The doors in stair order (compound, building, unit, door).

        ``query`` matches name, address, door and the end of the phone number.
        """
        with self._store.reading() as db:
            return rounds.households(db, query, filter, compound_id, self._clock.wall())

    def walk(
        self, query: str = "", wanted: Wanted = "all", near: tuple[float, float] | None = None
    ) -> Walk:
        """The round, by stair: what `households` tells of, from memory once it has been read.

        ``near`` (lat, lng) puts the nearest stair first. `Walk.whole` False: `read_round` again.
        """
        return self._round.find(query, wanted, self._clock.wall(), near)

    def read_round(self) -> bool:
        """Read another slice of the round into memory; True once all of it is there."""
        return self._round.advance()

    def compounds(self) -> list[CompoundRow]:
        """The compounds by name."""
        with self._store.reading() as db:
            return rounds.compounds(db, self._clock.wall())

    def household(self, household_id: str) -> HouseholdView:
        """A door's page. Raises UnknownRecord."""
        with self._store.reading() as db:
            return pages.household(db, household_id, self._clock.wall())

    def new_visit(self, household_id: str) -> VisitDraft:
        """A visit of a door, prefilled from the last one. Raises UnknownRecord."""
        with self._store.reading() as db:
            return pages.new_visit(db, household_id)

    def campaigns(self, household_id: str) -> tuple[list[Campaign], dict[str, Any]]:
        """The campaigns that run at a door now, and what it answered to them before.

        Raises UnknownRecord.
        """
        with self._store.reading() as db:
            return pages.campaigns(db, household_id, self._clock.wall())

    def known_campaigns(self) -> dict[str, Campaign]:
        """Every campaign on this phone by its code, to read answers by."""
        with self._store.reading() as db:
            found = map(campaigns.read, lookups.references(db, "campaign"))
            return {one.code: one for one in found}

    def visit(self, visit_id: str) -> VisitView:
        """A visit's page. Raises UnknownRecord."""
        with self._store.reading() as db:
            return pages.visit(db, self._store.folder, visit_id)

    def visits(self, limit: int = 200) -> list[VisitRow]:
        """This person's own visits, newest first."""
        with self._store.reading() as db:
            me = meta.get(db, "user_id")
            return pages.visits(db, lookups.places(db), author=me, limit=limit)

    def problems(self, query: str = "", open_only: bool = False) -> list[ProblemRow]:
        """The ledger's entries in scope, those found last first."""
        with self._store.reading() as db:
            rows = ledger_pages.rows(db, lookups.places(db), query)
        return [row for row in rows if not open_only or row.state in ledger_pages.OPEN]

    def alike(self, values: Mapping[str, Any]) -> list[ProblemRow]:
        """The problems here that may be the one being typed, the likeliest first, three at most.

        ``values`` as typed so far, by the names of `shared.records.PROBLEM`. What is closed
        already is left out: that it has come back is another matter.
        """
        if not values.get("category"):
            return []
        typed = {"found_at": self._clock.wall(), **values}
        with self._store.reading() as db:
            found = ledger_pages.chosen(db, [one.id for one in alike.likely(db, typed)])
        return [row for row in found if row.state in ledger_pages.OPEN][:MOST_ALIKE]

    def problem(self, problem_id: str) -> ProblemView:
        """A problem's page, with the actions this person may take. Raises UnknownRecord."""
        with self._store.reading() as db:
            me = meta.identity(db)
            actor = me.actor if me else ledger.Actor("", "")
            return ledger_pages.problem(db, self._store.folder, problem_id, actor)

    def tasks(self, include_done: bool = False) -> list[TaskRow]:
        """What this person is asked to do, earliest due first."""
        with self._store.reading() as db:
            return pages.tasks(db, include_done)

    def categories(self) -> list[Category]:
        """The active categories of problems in their order."""
        with self._store.reading() as db:
            return lookups.categories(db)

    def bodies(self) -> list[tuple[str, str]]:
        """The responsible bodies: (code, name)."""
        with self._store.reading() as db:
            found = lookups.references(db, "body")
        return [(str(v["code"]), str(v.get("name") or v["code"])) for v in found]

    def conflicts(self, include_decided: bool = True) -> list[ConflictRow]:
        """The conflicts in scope, open ones first."""
        with self._store.reading() as db:
            return attached.conflicts(db, include_decided=include_decided)

    def standing(self) -> Standing:
        """Where this phone stands, for its worker to show. Runs over all files of the store."""
        with self._store.reading() as db:
            return standing.standing(db, self._store.folder)

    def name_of(self, user_id: str | None) -> str:
        """A person's name; "" for None, the id where the name is not known."""
        with self._store.reading() as db:
            return lookups.person_name(db, user_id) or user_id or ""

    def photo_path(self, sha256: str) -> Path | None:
        """The photo's file on this phone, None once it is gone from here."""
        path = photos.path_of(self._store.folder, sha256)
        return path if path.is_file() else None

    def picture(self, path: Path) -> bytes:
        """The bytes of a photo on this phone (its file is sealed). Raises OSError, ValueError."""
        return photos.read(self._store, path)
