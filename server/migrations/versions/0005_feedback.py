"""feedback: complaints and suggestions from the phones

Revision ID: 0005_feedback
Revises: 0004_ledger_pages
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_feedback"
down_revision = "0004_ledger_pages"
branch_labels = None
depends_on = None

ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("area_code", ORDERED, nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.String(length=36), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index("ix_feedback_received_at", "feedback", ["received_at"])


def downgrade():
    op.drop_index("ix_feedback_received_at", "feedback")
    op.drop_table("feedback")
