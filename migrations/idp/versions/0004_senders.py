"""Codes and refresh tokens that are bound to a key or a certificate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the thumbprints; what was issued before is bound to nobody."""
    op.add_column("codes", sa.Column("dpop_jkt", sa.String(43), nullable=True))
    op.add_column("refresh_tokens", sa.Column("bound_to", sa.String(43), nullable=True))
