"""ledger: by when a problem came in, with all that the three rates ask

Revision ID: 0008_ledger_received
Revises: 0007_uploads
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_ledger_received"
down_revision = "0007_uploads"
branch_labels = None
depends_on = None

COLUMNS = [
    "state", "reported_at", "id", "partition_id", "category", "body", "supervised", "hard",
    "recurring", "due_at", "overdue_at", "solved_on_spot", "registered_at", "dispatched_at",
    "accept_due_at", "accepted_at", "satisfaction", "deleted_at",
]  # fmt: skip


def upgrade():
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        "ix_problem_by_reported_at", "problem", COLUMNS, sqlite_where=live, postgresql_where=live
    )
    op.drop_index("ix_problem_reported_at", "problem")


def downgrade():
    op.create_index("ix_problem_reported_at", "problem", ["reported_at"])
    op.drop_index("ix_problem_by_reported_at", "problem")
