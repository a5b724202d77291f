"""Counts per day of what the log records, and of what processes opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_GROUP = ("action", "client", "agency", "purpose", "basis", "officer")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "log_activity",
        sa.Column("day", sa.String(length=10), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _GROUP),
        sa.Column("lasting", sa.SmallInteger(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", *_GROUP, "lasting"),
    )
    op.create_table(
        "log_activity_position",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "key_uses",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "what"),
    )
