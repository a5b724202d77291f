"""Pushed authorization requests (RFC 9126)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. Times are microseconds since the epoch."""
    op.create_table(
        "pushed_requests",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("keep_until", sa.BigInteger, nullable=False),
        sa.Column("consumed_at", sa.BigInteger),
    )
    op.create_index("ix_pushed_requests_keep_until", "pushed_requests", ["keep_until"])
