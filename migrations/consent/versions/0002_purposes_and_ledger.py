"""Purposes and ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("purpose_versions", "consent_events", "consent_texts")
OPEN = sa.text("state IN ('requested', 'active')")


def upgrade() -> None:
    """Create the tables, and the triggers that keep declarations and events as they were written."""
    _purposes()
    _grants()
    _events()
    for table in APPEND_ONLY:
        _append_only(table)


def _purposes() -> None:
    op.create_table(
        "purpose_versions",
        sa.Column("purpose", sa.String(63), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("declared_at", sa.BigInteger, nullable=False),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("client", sa.String(128), nullable=False),
        sa.Column("client_name", sa.Text, nullable=False),
        sa.Column("agency", sa.String(63), nullable=False),
        sa.Column("purpose", sa.String(63), nullable=False),
        sa.Column("purpose_version", sa.Integer, nullable=False),
        sa.Column("basis", sa.String(1), nullable=False),
        sa.Column("claims", sa.Text, nullable=False),
        sa.Column("offered", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("given_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("language", sa.String(8)),
    )
    op.create_index("grants_of_person", "grants", ["person", "opened_at"])
    op.create_index("grants_due", "grants", ["state", "expires_at"])
    columns = ["person", "client", "purpose"]
    op.create_index("grants_open", "grants", columns, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)


def _events() -> None:
    op.create_table(
        "consent_events",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("grant_id", sa.String(22), nullable=False),
        sa.Column("grant_version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("occurred", sa.BigInteger, nullable=False),
        sa.Column("purpose_version", sa.Integer, nullable=False),
        sa.Column("claims", sa.Text, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("template", sa.String(64)),
        sa.Column("language", sa.String(8)),
        sa.Column("text_hash", sa.String(64)),
        sa.Column("receipt", sa.Text),
    )
    op.create_index("consent_events_of_grant", "consent_events", ["grant_id", "grant_version"], unique=True)
    op.create_table(
        "consent_texts",
        sa.Column("text_hash", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "consent_queue",
        sa.Column("event_id", sa.String(22), primary_key=True),
        sa.Column("queued_at", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
    )
    op.create_index("consent_queue_due", "consent_queue", ["leased_until", "queued_at"])


def _append_only(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
