"""Tables of packages of openings; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

packages = sa.Table(
    "opening_packages",
    metadata,
    sa.Column("proposal", sa.String(22), primary_key=True),
    sa.Column("by", sa.String(16), nullable=False),
    sa.Column("made_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Column("opened", sa.BigInteger, nullable=False),
    sa.Column("left", sa.BigInteger, nullable=False),
    sa.Column("people", sa.BigInteger, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("parts", sa.Integer, nullable=False),
)

parts = sa.Table(
    "opening_parts",
    metadata,
    sa.Column("proposal", sa.String(22), primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # a line, encrypted to the auditor
)
