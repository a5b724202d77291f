"""Freezes rest in the consent store now (its revision 0011); `migrations.carried` took them there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the column, unless a freeze would be lost with it."""
    left = sa.text("SELECT count(*) FROM citizen_wishes WHERE frozen_at IS NOT NULL")
    if op.get_bind().execute(left).scalar_one():
        raise RuntimeError("freezes were not carried to the consent store: run `idp database upgrade`, which does so")
    op.drop_column("citizen_wishes", "frozen_at")
