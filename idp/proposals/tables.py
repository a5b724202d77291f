"""The table of proposals; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),  # JSON, of ids
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.String(16), nullable=False),
    sa.Column("at", Timestamp, nullable=False, index=True),
    sa.Column("expires_at", Timestamp, nullable=False),  # moves on when confirmed: from then on it must be carried out
    sa.Column("decided_by", sa.String(16)),
    sa.Column("decided_at", Timestamp),
    sa.Column("confirmed", sa.Boolean, nullable=False),
    sa.Column("done_at", Timestamp),
)
