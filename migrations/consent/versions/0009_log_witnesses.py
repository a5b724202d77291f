"""What each witness of the log last said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "log_witnesses",
        sa.Column("vkey", sa.Text, primary_key=True),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("cosigned_at", sa.BigInteger),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("problem", sa.Text),
        sa.CheckConstraint("outcome IN ('cosigned', 'unreachable', 'refused', 'rollback')", name="log_witnesses_outcome"),
    )
