"""The table of deferred requests; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

deferred_requests = sa.Table(
    "deferred_requests",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("client", sa.String(64), nullable=False),
    sa.Column("code", sa.LargeBinary(32), nullable=False, unique=True),  # digest
    sa.Column("user_code", sa.LargeBinary(32), unique=True),  # digest; NULL once answered, so that it is free again
    sa.Column("person", sa.String(22), index=True),
    sa.Column("request", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
    sa.Column("interval", sa.Integer, nullable=False),  # seconds between two polls
    sa.Column("polled_at", Timestamp),
    sa.Column("answered_at", Timestamp),
    sa.Column("authorization", sa.String(22)),  # NULL after an answer: the citizen said no
    sa.Column("redeemed_at", Timestamp),
)
