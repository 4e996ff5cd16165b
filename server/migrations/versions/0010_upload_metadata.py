"""uploads: the metadata that their client gave, which it may ask for again

Revision ID: 0010_upload_metadata
Revises: 0009_ledger_covering
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_upload_metadata"
down_revision = "0009_ledger_covering"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("upload", sa.Column("told", sa.Text(), nullable=True))


def downgrade():
    with op.batch_alter_table("upload") as batch:
        batch.drop_column("told")
