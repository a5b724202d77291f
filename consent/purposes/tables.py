"""The table of purpose versions. Private to `store`."""

from __future__ import annotations

import sqlalchemy as sa

from keys.database import Timestamp

metadata = sa.MetaData()

purpose_versions = sa.Table(
    "purpose_versions",
    metadata,
    sa.Column("purpose", sa.String(63), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("declared_at", Timestamp, nullable=False),
)
