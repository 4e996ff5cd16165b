"""uploads: who writes to one now, the names of its pieces, and what it is put together from

Revision ID: 0007_uploads
Revises: 0006_ledger_street
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_uploads"
down_revision = "0006_ledger_street"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
COLUMNS = (
    ("pieces", JSON),
    ("concat", sa.Text()),
    ("lease", sa.String()),
    ("lease_until", sa.BigInteger()),
)


def upgrade():
    for name, kind in COLUMNS:
        op.add_column("upload", sa.Column(name, kind, nullable=True))


def downgrade():
    with op.batch_alter_table("upload") as batch:
        for name, _ in reversed(COLUMNS):
            batch.drop_column(name)
