"""Freezes move to the store whose lock every read passes: the log rechecks them with the grants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; `migrations.carried` fills it from the idp store."""
    op.create_table(
        "freezes",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.String(length=22), nullable=False),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person"),
        sa.UniqueConstraint("entry_id"),
    )
    waiting = sa.text("entered_at IS NULL")
    op.create_index("freezes_to_enter", "freezes", ["frozen_at"], sqlite_where=waiting, postgresql_where=waiting)
