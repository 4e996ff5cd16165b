"""ledger: when things happened, the clocks, whistles, recurrence, attempts

Revision ID: 0002_ledger
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_ledger"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
MOMENTS = (
    "reported_at", "registered_at", "dispatched_at", "accepted_at", "closure_asked_at",
    "callback_at", "archived_at", "dispatch_due_at", "dispatch_overdue_at", "accept_due_at",
    "accept_overdue_at", "paused_at", "deadline_at", "next_at", "extension_until",
)  # fmt: skip
COLUMNS = [
    *(sa.Column(name, sa.BigInteger(), nullable=True) for name in MOMENTS),
    sa.Column("due_unit", sa.String(), nullable=True),
    sa.Column("extension_requested", sa.Boolean(), nullable=True),
    sa.Column("whistle", JSON, nullable=True),
    sa.Column("remind_count", sa.BigInteger(), nullable=True),
    sa.Column("recurring", sa.Boolean(), nullable=True),
    sa.Column("root_whys", JSON, nullable=True),
    sa.Column("return_cause", sa.String(), nullable=True),
    sa.Column("reopen_cause", sa.String(), nullable=True),
    sa.Column("merged_count", sa.BigInteger(), nullable=True),
    sa.Column("compound_id", sa.String(length=36), nullable=True),
    sa.Column("cell", ORDERED, nullable=True),
]
INDICES = (
    ("merged_into",), ("reported_at",), ("next_at",), ("deadline_at",),
    ("partition_id", "deadline_at"), ("body", "deadline_at"),
    ("category", "compound_id", "found_at"), ("category", "cell", "found_at"),
)  # fmt: skip


def upgrade():
    for column in COLUMNS:
        op.add_column("problem", column)
    for columns in INDICES:
        op.create_index(f"ix_problem_{'_'.join(columns)}", "problem", list(columns))
    op.add_column("progress", sa.Column("round", sa.BigInteger(), nullable=True))
    op.add_column("progress", sa.Column("made_at", sa.BigInteger(), nullable=True))
    op.add_column("progress", sa.Column("attempt", sa.Boolean(), nullable=True))
    op.create_table(
        "problem_body",
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("problem_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("body", "problem_id", name=op.f("pk_problem_body")),
    )
    for name in ("area_code", "body"):
        op.create_index(f"ix_account_role_{name}", "account", ["role", name])
    op.execute(
        "UPDATE problem SET reported_at = found_at, deadline_at = due_at WHERE deleted_at IS NULL"
    )
    problem = sa.table("problem", sa.column("id"), sa.column("co_bodies", JSON))
    joining = sa.table("problem_body", sa.column("body"), sa.column("problem_id"))
    query = sa.select(problem).where(problem.c.co_bodies.is_not(None))
    rows = [
        {"body": body, "problem_id": row.id}
        for row in op.get_bind().execute(query)
        for body in sorted(set(row.co_bodies or ()))
    ]
    if rows:
        op.bulk_insert(joining, rows)


def downgrade():
    for name in ("area_code", "body"):
        op.drop_index(f"ix_account_role_{name}", "account")
    op.drop_table("problem_body")
    for name in ("attempt", "made_at", "round"):
        op.drop_column("progress", name)
    for columns in INDICES:
        op.drop_index(f"ix_problem_{'_'.join(columns)}", "problem")
    for column in reversed(COLUMNS):
        op.drop_column("problem", column.name)
