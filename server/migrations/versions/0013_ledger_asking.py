"""ledger: what waits for an answer to its body is found by an index of these alone

Revision ID: 0013_ledger_asking
Revises: 0012_ledger_deadlines
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_ledger_asking"
down_revision = "0012_ledger_deadlines"
branch_labels = None
depends_on = None


def upgrade():
    asking = sa.text("suspend_requested OR extension_requested")
    op.create_index(
        "ix_problem_asking", "problem", ["state"], sqlite_where=asking, postgresql_where=asking
    )


def downgrade():
    op.drop_index("ix_problem_asking", "problem")
