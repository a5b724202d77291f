"""The tables of interactions and of pushed requests; private to the stores of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

interactions = sa.Table(
    "interactions",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("browser", sa.LargeBinary(32), nullable=False),
    sa.Column("client", sa.String(64), nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
    sa.Column("login_at", Timestamp),
    sa.Column("second_factor_at", Timestamp),
    sa.Column("approved_at", Timestamp),
    sa.Column("finished_at", Timestamp),
)

pushed_requests = sa.Table(
    "pushed_requests",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("client", sa.String(64), nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("expires_at", Timestamp, nullable=False),
    sa.Column("keep_until", Timestamp, nullable=False, index=True),
    sa.Column("consumed_at", Timestamp),
)
