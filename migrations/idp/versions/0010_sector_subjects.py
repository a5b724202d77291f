"""Whom a sector means by a pairwise subject, as keyed digests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sector_subjects",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.String(length=22), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_sector_subjects_person", "sector_subjects", ["person"])
