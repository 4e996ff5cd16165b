"""What the office does meanwhile: verdicts, releases, the ledger, reviews, moves."""

from __future__ import annotations

from sqlalchemy import select

from gridledger.simulate.district import District
from server.core.access import Viewer
from server.errors import Trouble
from server.operations import release
from server.operations.decide import decide
from server.operations.move import move_household
from server.operations.review import APPROVE, RETURN, review
from server.operations.transact import submit
from server.storage.database import db
from server.storage.models import Conflict, Household, Problem, Visit
from server.storage.tables import Quarantined
from shared import ids
from shared.operations import ACT, Operation
from shared.reconcile import Refused

_NEXT = {"reported": ("register", {}), "registered": ("dispatch", {
    "body": "water", "measure": "派人维修", "due_at": 1_900_000_000_000})}  # fmt: skip
REFUSED = frozenset({"late_action", "not_allowed"})  # of these the author is told no
KEPT = frozenset({"invalid", "internal", "gap", "hash_mismatch"})  # these need a closer look
LEFT = 5  # every fifth is left for tomorrow


class Office:
    """A supervisor at a desk; all of it through the use cases that the web pages call."""

    def __init__(self, district: District) -> None:
        self._district = district
        self._viewer = Viewer(district.supervisor, "supervisor", "410103007")
        self.done = 0

    def work(self, many: int, pick: int) -> None:
        """Decide, release, go on with the ledger, review: so many of each; and move one home."""
        db.session.remove()
        self._verdicts(many)
        self.quarantine(many)
        self._ledger(many)
        self._reviews(many)
        self._move(pick)
        db.session.remove()

    def quarantine(self, many: int) -> None:
        """Release most of what may be, refuse what came too late, leave what must be looked at."""
        query = (
            select(Quarantined.id, Quarantined.code)
            .where(Quarantined.state == "open", Quarantined.code.not_in(KEPT))
            .order_by(Quarantined.device_id, Quarantined.dseq)
            .limit(many)
        )
        for number, (row_id, code) in enumerate(list(db.session.execute(query)), 1):
            if number % LEFT == 0:
                continue
            try:
                if code in REFUSED:
                    release.refuse(self._district.supervisor, row_id, "来晚了")
                else:
                    release.release(self._district.supervisor, row_id)
                self.done += 1
            except (Refused, Trouble):
                db.session.rollback()

    def _verdicts(self, many: int) -> None:
        query = select(Conflict).where(Conflict.state == "open", Conflict.deleted_at.is_(None))
        for number, one in enumerate(list(db.session.scalars(query.limit(many)))):
            value = one.proposed if number % 2 else one.accepted
            self._try(lambda one=one, value=value: decide(self._viewer, one.id, value, one.version))

    def _ledger(self, many: int) -> None:
        query = select(Problem).where(Problem.state.in_(_NEXT), Problem.deleted_at.is_(None))
        for one in list(db.session.scalars(query.limit(many))):
            action, data = _NEXT[one.state]
            operation = Operation(
                ACT, "problem", one.id, one.partition_id, one.seq, one.rev, action=action,
                expect={"state": one.state, "step": one.step}, data=data,
            )  # fmt: skip
            self._try(lambda operation=operation: submit(self._district.supervisor, [operation]))

    def _reviews(self, many: int) -> None:
        query = select(Visit).where(Visit.review_state == "pending", Visit.deleted_at.is_(None))
        for number, one in enumerate(list(db.session.scalars(query.limit(many)))):
            how = (APPROVE, RETURN)[number % 2]
            self._try(lambda one=one, how=how: review(self._viewer, one.id, how, "请补充", one.rev))

    def _move(self, pick: int) -> None:
        homes = list(
            db.session.scalars(
                select(Household).where(Household.deleted_at.is_(None)).order_by(Household.id)
            )
        )
        home = homes[pick % len(homes)]
        others = [
            g for g in self._district.grids if ids.grid_partition(g) != home.partition_id
        ]  # fmt: skip
        grid = others[pick % len(others)]
        self._try(lambda: move_household(self._district.supervisor, home.id, grid))

    def _try(self, deed: object) -> None:
        try:
            deed()  # type: ignore[operator]
            self.done += 1
        except (Refused, Trouble):
            db.session.rollback()
