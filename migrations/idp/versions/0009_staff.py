"""Members of staff and their roles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "staff_members",
        sa.Column("pseudonym", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=22), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pseudonym"),
        sa.UniqueConstraint("person"),
    )
    op.create_table(
        "staff_roles",
        sa.Column("pseudonym", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["pseudonym"], ["staff_members.pseudonym"]),
        sa.PrimaryKeyConstraint("pseudonym", "role"),
    )
