"""ledger: the numbers of a street by themselves

Revision ID: 0006_ledger_street
Revises: 0005_feedback
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_ledger_street"
down_revision = "0005_feedback"
branch_labels = None
depends_on = None

ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
FACETS = [
    "id", "partition_id", "category", "body", "supervised", "hard", "recurring", "due_at",
    "overdue_at",
]  # fmt: skip


def upgrade():
    sqlite = op.get_bind().dialect.name == "sqlite"
    street = sa.Computed("substr(partition_id, 6, 9)", persisted=not sqlite)
    op.add_column("problem", sa.Column("street_key", ORDERED, street, nullable=True))
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        "ix_problem_by_street", "problem", ["street_key", "state", "number_key", *FACETS],
        sqlite_where=live, postgresql_where=live,
    )  # fmt: skip


def downgrade():
    op.drop_index("ix_problem_by_street", "problem")
    op.drop_column("problem", "street_key")
