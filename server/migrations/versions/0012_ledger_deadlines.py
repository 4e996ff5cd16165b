"""ledger: what is overdue at any stage is asked of the nearest deadline, held by every index

Revision ID: 0012_ledger_deadlines
Revises: 0011_ledger_merged
"""

import sqlalchemy as sa
from alembic import op

revision = "0012_ledger_deadlines"
down_revision = "0011_ledger_merged"
branch_labels = None
depends_on = None

FACETS = ["id", "partition_id", "category", "body", "supervised", "hard", "recurring"]
RATED = [
    "solved_on_spot", "registered_at", "dispatched_at", "accept_due_at", "accepted_at",
    "satisfaction",
]  # fmt: skip
DATES = ["due_at", "overdue_at"]
BEGIN = {
    "by_due_key": ["state", "due_key"],
    "by_found_at": ["state", "found_at"],
    "by_number_key": ["state", "number_key"],
    "by_street": ["street_key", "state", "number_key"],
    "by_reported_at": ["state", "reported_at"],
}


def upgrade():
    _make([*FACETS, "deadline_at"], [*RATED, *DATES])


def downgrade():
    _make([*FACETS, *DATES], RATED)


def _make(facets, rated):
    live = sa.text("deleted_at IS NULL")
    for name, columns in BEGIN.items():
        more = rated if name == "by_reported_at" else []
        op.drop_index(f"ix_problem_{name}", "problem")
        op.create_index(
            f"ix_problem_{name}", "problem", [*columns, *facets, *more, "deleted_at"],
            sqlite_where=live, postgresql_where=live,
        )  # fmt: skip
