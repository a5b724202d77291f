"""Reports of reads are found by their age, so that those nobody can send again are forgotten."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_reported_reads_reported_at", "reported_reads", ["reported_at"])
