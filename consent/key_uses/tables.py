"""The table of key uses; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

key_uses = sa.Table(
    "key_uses",
    sa.MetaData(),
    sa.Column("day", sa.String(10), primary_key=True),  # in the city's zone
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("times", sa.BigInteger, nullable=False),
)
