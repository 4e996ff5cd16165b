"""ledger: what the rates say of a settled problem stands in a column, and in an index by place

Revision ID: 0014_ledger_settled
Revises: 0013_ledger_asking
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_ledger_settled"
down_revision = "0013_ledger_asking"
branch_labels = None
depends_on = None

ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
SETTLED = (
    "CASE WHEN state = 'rejected' THEN 'rrr' WHEN state = 'merged' THEN 'mmm'"
    " WHEN state NOT IN ('closed', 'archived') THEN NULL"
    " WHEN registered_at IS NULL AND solved_on_spot THEN 'sss'"
    " WHEN registered_at IS NULL THEN 'nnn'"
    " ELSE CASE WHEN dispatched_at IS NULL THEN 'd' WHEN accept_due_at IS NULL THEN 'l'"
    " WHEN accepted_at <= accept_due_at THEN 'g' WHEN accepted_at IS NOT NULL THEN 'b' END"
    " || CASE WHEN satisfaction IS NULL THEN 'gc' WHEN satisfaction = 'unsatisfied' THEN 'gb'"
    " ELSE 'gg' END END"
)
FACETS = [
    "id", "partition_id", "category", "body", "supervised", "hard", "recurring", "deadline_at",
]  # fmt: skip
RATED = [
    "solved_on_spot", "registered_at", "dispatched_at", "accept_due_at", "accepted_at",
    "satisfaction", "due_at", "overdue_at",
]  # fmt: skip
LIVE = "deleted_at IS NULL"


def upgrade():
    sqlite = op.get_bind().dialect.name == "sqlite"
    computed = sa.Computed(SETTLED, persisted=not sqlite)
    op.add_column("problem", sa.Column("settled", ORDERED, computed, nullable=True))
    op.drop_index("ix_problem_by_reported_at", "problem")
    _make("by_reported_at", ["state", "reported_at", *FACETS, "settled", "deleted_at"])
    _make(
        "settled", ["partition_id", "settled", "reported_at", "body", "category", "deleted_at"]
    )
    _make(
        "unsettled",
        ["reported_at", "state", "partition_id", "category", "body", *RATED, "settled",
         "deleted_at"],
        f"settled IS NULL AND {LIVE}",
    )  # fmt: skip


def downgrade():
    op.drop_index("ix_problem_unsettled", "problem")
    op.drop_index("ix_problem_settled", "problem")
    op.drop_index("ix_problem_by_reported_at", "problem")
    op.drop_column("problem", "settled")
    _make("by_reported_at", ["state", "reported_at", *FACETS, *RATED, "deleted_at"])


def _make(name, columns, where=LIVE):
    op.create_index(
        f"ix_problem_{name}", "problem", columns,
        sqlite_where=sa.text(where), postgresql_where=sa.text(where),
    )  # fmt: skip
