"""redaction: which photo stands for which; photos that have not arrived are found by an index

Revision ID: 0003_redaction
Revises: 0002_ledger
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_redaction"
down_revision = "0002_ledger"
branch_labels = None
depends_on = None

WHERE = sa.text("state IN ('declared', 'stored', 'corrupt') AND deleted_at IS NULL")


def upgrade():
    op.add_column("photo", sa.Column("redacts", sa.String(length=36), nullable=True))
    op.add_column("photo", sa.Column("replaced_by", sa.String(length=36), nullable=True))
    op.create_index(
        "ix_photo_not_arrived",
        "photo",
        ["updated_at", "id"],
        sqlite_where=WHERE,
        postgresql_where=WHERE,
    )


def downgrade():
    op.drop_index("ix_photo_not_arrived", "photo")
    with op.batch_alter_table("photo") as batch:
        batch.drop_column("replaced_by")
        batch.drop_column("redacts")
