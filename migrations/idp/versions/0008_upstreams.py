"""Providers before ours: links to accounts, and sign-ins on their way there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "account_links",
        sa.Column("upstream", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.String(length=22), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("upstream", "subject"),
        sa.UniqueConstraint("person", "upstream"),
    )
    op.create_table(
        "upstream_attempts",
        sa.Column("state", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser", sa.LargeBinary(length=32), nullable=False),
        sa.Column("cell", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state"),
    )
    op.create_index("ix_upstream_attempts_expires_at", "upstream_attempts", ["expires_at"], unique=False)
