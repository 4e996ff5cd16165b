"""ledger: the indices of its table hold all that a walk along them asks, on SQLite too

Revision ID: 0009_ledger_covering
Revises: 0008_ledger_received
"""

import sqlalchemy as sa
from alembic import op

revision = "0009_ledger_covering"
down_revision = "0008_ledger_received"
branch_labels = None
depends_on = None

FACETS = [
    "id", "partition_id", "category", "body", "supervised", "hard", "recurring", "due_at",
    "overdue_at",
]  # fmt: skip
BEGIN = {
    "by_due_key": ["state", "due_key"],
    "by_found_at": ["state", "found_at"],
    "by_number_key": ["state", "number_key"],
    "by_street": ["street_key", "state", "number_key"],
}


def upgrade():
    _make([*FACETS, "deleted_at"])


def downgrade():
    _make(FACETS)


def _make(rest):
    live = sa.text("deleted_at IS NULL")
    for name, columns in BEGIN.items():
        op.drop_index(f"ix_problem_{name}", "problem")
        op.create_index(
            f"ix_problem_{name}", "problem", [*columns, *rest],
            sqlite_where=live, postgresql_where=live,
        )  # fmt: skip
