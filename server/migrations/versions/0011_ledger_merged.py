"""ledger: what was merged is found by an index of these alone

Revision ID: 0011_ledger_merged
Revises: 0010_upload_metadata
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_ledger_merged"
down_revision = "0010_upload_metadata"
branch_labels = None
depends_on = None


def upgrade():
    merged = sa.text("merged_into IS NOT NULL")
    op.drop_index("ix_problem_merged_into", "problem")
    op.create_index(
        "ix_problem_merged_into", "problem", ["merged_into"],
        sqlite_where=merged, postgresql_where=merged,
    )  # fmt: skip


def downgrade():
    op.drop_index("ix_problem_merged_into", "problem")
    op.create_index("ix_problem_merged_into", "problem", ["merged_into"])
