"""The synced tables, one a kind, made from shared/records.py, so that both say the same.

Each has the mixin `Synced`; the kind's own columns follow from its declared fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Computed, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from server.storage.database import Json, Ms, Ordered, db
from shared import records

COLUMN_TYPES: dict[str, Any] = {
    records.TEXT: Text,
    records.CODE: String,
    records.REF: String(36),
    records.BOOL: Boolean,
    records.INT: Ms,
    records.MS: Ms,
    records.SET: Json,
    records.JSON: Json,
    records.POSITION: Json,
}


# Texts that are looked up by their beginning, or sorted as bytes.
_ORDERED = frozenset({"code", "parent_code", "ledger_no", "cell"})


# What the ledger's table is sorted by where a value may be missing: those without come last.
NO_DUE = 9_000_000_000_000_000
LEDGER_KEYS = {
    "due_key": f"coalesce(deadline_at, due_at, {NO_DUE})",
    "number_key": "coalesce(ledger_no, '')",
    "street_key": "substr(partition_id, 6, 9)",  # of grid:410103007901001
    # What the three rates say of it, a letter each (server.storage.queries.rates.LETTERS), once
    # that can change no more by time alone.
    "settled": (
        "CASE WHEN state = 'rejected' THEN 'rrr' WHEN state = 'merged' THEN 'mmm'"
        " WHEN state NOT IN ('closed', 'archived') THEN NULL"
        " WHEN registered_at IS NULL AND solved_on_spot THEN 'sss'"
        " WHEN registered_at IS NULL THEN 'nnn'"
        " ELSE CASE WHEN dispatched_at IS NULL THEN 'd' WHEN accept_due_at IS NULL THEN 'l'"
        " WHEN accepted_at <= accept_due_at THEN 'g' WHEN accepted_at IS NOT NULL THEN 'b' END"
        " || CASE WHEN satisfaction IS NULL THEN 'gc' WHEN satisfaction = 'unsatisfied' THEN 'gb'"
        " ELSE 'gg' END END"
    ),
}
# What the ledger's filters ask: with them in the index of a sorting, a walk along it reads no row
# that it does not show. LAST stands behind them all: SQLite asks the row for it, though no other
# value is in the index.
FACETS = (
    "id", "partition_id", "category", "body", "supervised", "hard", "recurring", "deadline_at",
)  # fmt: skip
LAST = "deleted_at"
# What the three rates ask of one that is not settled (server.storage.queries.rates).
RATED = (
    "solved_on_spot", "registered_at", "dispatched_at", "accept_due_at", "accepted_at",
    "satisfaction", "due_at", "overdue_at",
)  # fmt: skip
LIVE = text("deleted_at IS NULL")


class Synced:
    """What every synced record has (DESIGN: Records). Times are Unix milliseconds, UTC.

    ``created_at`` is the phone's clock when it was saved, ``updated_at`` the server's receipt of
    its last change; ``field_revs`` as shared.reconcile.Record has it.
    """

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    partition_id: Mapped[str] = mapped_column(Ordered)
    rev: Mapped[int] = mapped_column(Integer)
    seq: Mapped[int] = mapped_column(Ms)
    field_revs: Mapped[dict[str, Any]] = mapped_column(Json)
    deleted_at: Mapped[int | None] = mapped_column(Ms)
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[int] = mapped_column(Ms)
    updated_at: Mapped[int] = mapped_column(Ms)

    # What the kind's pages look up; added to (partition_id, seq), which every pull reads.
    looked_up: tuple[tuple[str, ...], ...] = ()
    sorted_by: tuple[str, ...] = ()  # what the ledger's table may be sorted by

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Index, ...]:
        name = cls.__tablename__  # type: ignore[attr-defined]
        return (
            Index(f"ix_{name}_feed", "partition_id", "seq"),
            *(Index(f"ix_{name}_{'_'.join(columns)}", *columns) for columns in cls.looked_up),
            *(
                Index(
                    f"ix_{name}_by_{key}",
                    *("state", key, *FACETS, *(("settled",) if key == "reported_at" else ()), LAST),
                    sqlite_where=LIVE,
                    postgresql_where=LIVE,
                )
                for key in cls.sorted_by
            ),
            *(
                Index(
                    f"ix_{name}_by_street",
                    *("street_key", "state", "number_key", *FACETS, LAST),
                    sqlite_where=LIVE,
                    postgresql_where=LIVE,
                )
                for key in cls.sorted_by
                if key == "number_key"
            ),
        )


def _key(name: str) -> Column[Any]:
    kind = Ms if name == "due_key" else Ordered
    return Column(name, kind, Computed(LEDGER_KEYS[name]), nullable=True)


def _model(kind: records.Kind, *looked_up: str, sorted_by: Sequence[str] = ()) -> Any:
    columns = {name: _key(name) for name in LEDGER_KEYS if sorted_by} | {
        f.name: Column(f.name, Ordered if f.name in _ORDERED else COLUMN_TYPES[f.type])
        for f in kind.fields
    }
    return type(
        kind.name.title(),
        (Synced, db.Model),
        {
            "__tablename__": kind.name,
            "__doc__": f"{kind.zh}: {kind.en}.",
            "looked_up": tuple(tuple(one.split()) for one in looked_up),
            "sorted_by": tuple(sorted_by),
            **columns,
        },
    )


Area: Any = _model(records.AREA, "code", "parent_code")
Compound: Any = _model(records.COMPOUND)
Household: Any = _model(records.HOUSEHOLD, "compound_id")
Resident: Any = _model(records.RESIDENT, "household_id")
Visit: Any = _model(
    records.VISIT,
    "target_id visited_at",
    "partition_id visited_at",
    "review_state visited_at",
    "created_by visited_at",
)
Problem: Any = _model(
    records.PROBLEM,
    "partition_id state",
    "state due_at",
    "body state due_at",
    "found_at",
    "target_id",
    "visit_id",
    "ledger_no",
    "next_at",
    "deadline_at",
    "partition_id deadline_at",
    "body deadline_at",
    "category compound_id found_at",
    "category cell found_at",
    sorted_by=("due_key", "found_at", "number_key", "reported_at"),
)
# The rates: all that is settled by place, in the order in which it is counted; the rest by itself.
Index(
    "ix_problem_settled",
    *(Problem.__table__.c[name] for name in (
        "partition_id", "settled", "reported_at", "body", "category", LAST,
    )),
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)  # fmt: skip
UNSETTLED = text("settled IS NULL AND deleted_at IS NULL")
Index(
    "ix_problem_unsettled",
    *(Problem.__table__.c[name] for name in (
        "reported_at", "state", "partition_id", "category", "body", *RATED, "settled", LAST,
    )),
    sqlite_where=UNSETTLED,
    postgresql_where=UNSETTLED,
)  # fmt: skip
# Few are merged: among all the others SQLite would take the index for useless.
MERGED = text("merged_into IS NOT NULL")
Index(
    "ix_problem_merged_into", Problem.merged_into, sqlite_where=MERGED, postgresql_where=MERGED
)  # fmt: skip
# Few wait for an answer to what their body asks for: to be suspended, or more time.
ASKING = text("suspend_requested OR extension_requested")
Index("ix_problem_asking", Problem.state, sqlite_where=ASKING, postgresql_where=ASKING)
Progress: Any = _model(records.PROGRESS, "problem_id acted_at")
Photo: Any = _model(records.PHOTO, "owner_id", "sha256")

# Photos of which the bytes are not all here. In words of its own, not as a parameter, so that both
# databases see that the small index below holds what a query asks for.
NOT_ARRIVED = text("photo.state IN ('declared', 'stored', 'corrupt') AND photo.deleted_at IS NULL")
Index(
    "ix_photo_not_arrived",
    Photo.updated_at,
    Photo.id,
    sqlite_where=text("state IN ('declared', 'stored', 'corrupt') AND deleted_at IS NULL"),
    postgresql_where=text("state IN ('declared', 'stored', 'corrupt') AND deleted_at IS NULL"),
)
Task: Any = _model(records.TASK, "about_id", "tx_id")
Reference: Any = _model(records.REFERENCE, "type code")
Conflict: Any = _model(records.CONFLICT, "about_id", "state partition_id")

MODELS: dict[str, Any] = {
    model.__tablename__: model
    for model in (
        Area, Compound, Household, Resident, Visit, Problem, Progress, Photo, Task, Reference,
        Conflict,
    )
}  # fmt: skip
