"""The few entries about keys are found without reading the log: among them are its successions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    about_keys = sa.text("action = 'key'")
    op.create_index("log_entries_of_keys", "log_entries", ["idx"], sqlite_where=about_keys, postgresql_where=about_keys)
