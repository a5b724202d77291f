"""The table of a store's position, alike in all three stores; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

journal_position = sa.Table(
    "journal_position",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),  # always 1
    sa.Column("position", sa.BigInteger, nullable=False),
)
