"""The table of reports; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from keys.database import Timestamp

metadata = sa.MetaData()

reported_reads = sa.Table(
    "reported_reads",
    metadata,
    sa.Column("client", sa.String(128), primary_key=True),
    sa.Column("report_id", sa.String(128), primary_key=True),
    sa.Column("content_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("entry_id", sa.String(22), nullable=False),
    sa.Column("reported_at", Timestamp, nullable=False, index=True),
)
