"""The table of orders; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from keys.database import Timestamp

metadata = sa.MetaData()

delay_orders = sa.Table(
    "delay_orders",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("chain", sa.LargeBinary(32)),
    sa.Column("client", sa.String(128), nullable=False),
    sa.Column("code", sa.String(32), nullable=False),
    sa.Column("legal_ref", sa.Text, nullable=False),
    sa.Column("until", Timestamp, nullable=False),
    sa.Column("by", sa.String(16), nullable=False),
    sa.Column("confirmed_by", sa.String(16), nullable=False),
    sa.Column("begun_at", Timestamp, nullable=False),
    sa.Column("ended_at", Timestamp),
    sa.Column("ended_by", sa.String(16)),
)
