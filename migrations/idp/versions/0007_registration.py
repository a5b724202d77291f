"""Registration by applications themselves: initial access tokens, the token of each registration, logos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. Times are microseconds since the epoch."""
    op.add_column("clients", sa.Column("registration_digest", sa.LargeBinary(32)))
    op.create_table(
        "initial_tokens",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("remaining", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_initial_tokens_expires_at", "initial_tokens", ["expires_at"])
    op.create_table(
        "client_logos",
        sa.Column("client", sa.String(64), primary_key=True),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("content_type", sa.String(32)),
        sa.Column("body", sa.LargeBinary),
        sa.Column("fetched_at", sa.BigInteger, nullable=False),
    )
