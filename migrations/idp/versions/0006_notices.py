"""Notices to applications, and the streams by which they receive security events; sessions are found by their end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and indexes."""
    _notices()
    _streams()
    open_ = sa.text("ended_at IS NULL")
    op.create_index("sessions_open", "sessions", ["idle_until"], unique=False, sqlite_where=open_, postgresql_where=open_)
    op.create_index("sessions_ended", "sessions", ["ended_at"], unique=False)
    op.create_index("ix_session_clients_client", "session_clients", ["client"], unique=False)


def _notices() -> None:
    """What applications are told, sealed until it is delivered, and what became of it."""
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("event", sa.String(length=24), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("cell", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("last_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client", "kind", "event", "cause", name="notices_once"),
    )
    waiting = sa.text("status = 'waiting'")
    op.create_index("ix_notices_expires_at", "notices", ["expires_at"], unique=False)
    op.create_index("ix_notices_next_attempt_at", "notices", ["next_attempt_at"], unique=False)
    op.create_index("notices_of_client", "notices", ["client", "created_at"], unique=False)
    op.create_index("notices_waiting", "notices", ["created_at"], unique=False, sqlite_where=waiting, postgresql_where=waiting)


def _streams() -> None:
    """How an application receives security events."""
    op.create_table(
        "signal_streams",
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("authorization", sa.LargeBinary(), nullable=True),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["client"], ["clients.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("client"),
    )
