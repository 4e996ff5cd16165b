"""ledger's pages: what they are sorted by, the search index, kept views, exports under way

Revision ID: 0004_ledger_pages
Revises: 0003_redaction
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

revision = "0004_ledger_pages"
down_revision = "0003_redaction"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
KEYS = {
    "due_key": (sa.BigInteger(), "coalesce(deadline_at, due_at, 9000000000000000)"),
    "number_key": (ORDERED, "coalesce(ledger_no, '')"),
}
# Each holds all that the ledger's filters ask, so that a walk along it reads no row it need not.
FACETS = [
    "id", "partition_id", "category", "body", "supervised", "hard", "recurring", "due_at",
    "overdue_at",
]  # fmt: skip
TRIGGERS = {
    "insert": "INSERT INTO problem_fts (rowid, terms) VALUES (new.doc, new.terms);",
    "delete": "INSERT INTO problem_fts (problem_fts, rowid, terms)"
    " VALUES ('delete', old.doc, old.terms);",
    "update": "INSERT INTO problem_fts (problem_fts, rowid, terms)"
    " VALUES ('delete', old.doc, old.terms);"
    " INSERT INTO problem_fts (rowid, terms) VALUES (new.doc, new.terms);",
}


def upgrade():
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, (kind, formula) in KEYS.items():
        # SQLite adds no stored column, PostgreSQL indexes no other.
        key = sa.Computed(formula, persisted=not sqlite)
        op.add_column("problem", sa.Column(name, kind, key, nullable=True))
    live = sa.text("deleted_at IS NULL")
    for name in ("due_key", "found_at", "number_key"):
        op.create_index(
            f"ix_problem_by_{name}", "problem", ["state", name, *FACETS],
            sqlite_where=live, postgresql_where=live,
        )  # fmt: skip
    terms = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")
    op.create_table(
        "problem_search",
        sa.Column("doc", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("problem_id", sa.String(length=36), nullable=False),
        sa.Column("terms", terms, nullable=False),
        sa.PrimaryKeyConstraint("doc", name=op.f("pk_problem_search")),
        sa.UniqueConstraint("problem_id", name=op.f("uq_problem_search_problem_id")),
    )
    if sqlite:
        op.execute(
            "CREATE VIRTUAL TABLE problem_fts USING fts5(terms, content='problem_search',"
            " content_rowid='doc', tokenize='unicode61 remove_diacritics 0')"
        )
        for when, what in TRIGGERS.items():
            op.execute(
                f"CREATE TRIGGER problem_search_{when} AFTER {when} ON problem_search"
                f" BEGIN {what} END"
            )
    else:
        op.create_index(
            "ix_problem_search_terms", "problem_search", ["terms"], postgresql_using="gin"
        )
    op.create_table(
        "kept_view",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "page", "name", name=op.f("pk_kept_view")),
    )
    op.create_table(
        "export_job",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area_code", ORDERED, nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("filters", JSON, nullable=False),
        sa.Column("unmasked", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_job")),
    )
    for columns in (("state", "created_at"), ("user_id", "created_at"), ("expires_at",)):
        name = f"ix_export_job_{columns[0]}"
        op.create_index(name, "export_job", list(columns))
    _index_what_is_there()


def _index_what_is_there():
    from server.storage import search

    with Session(bind=op.get_bind()) as session:
        for _ in search.rebuild(session):
            pass
        session.flush()


def downgrade():
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE problem_fts")
    for table in ("export_job", "kept_view", "problem_search"):
        op.drop_table(table)
    for name in ("due_key", "found_at", "number_key"):
        op.drop_index(f"ix_problem_by_{name}", "problem")
    for name in KEYS:
        op.drop_column("problem", name)
