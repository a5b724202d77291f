"""The table of freezes; private to the store of this package. The log and the ledger read two of its columns beside their grants."""

from __future__ import annotations

import sqlalchemy as sa

from keys.database import Timestamp
from keys.dialects import partial

metadata = sa.MetaData()

freezes = sa.Table(
    "freezes",
    metadata,
    sa.Column("person", sa.String(64), primary_key=True),
    sa.Column("entry_id", sa.String(22), nullable=False, unique=True),
    sa.Column("frozen_at", Timestamp, nullable=False),
    sa.Column("entered_at", Timestamp),  # NULL while the entry is still to be written
)
sa.Index(
    "freezes_to_enter",
    freezes.c.frozen_at,
    info=partial("entered_at IS NULL"),
)
