"""Tables of events; private to the stores of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

security_events = sa.Table(
    "security_events",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("at", Timestamp, nullable=False, index=True),
    sa.Column("person", sa.String(22)),
    sa.Column("session", sa.String(22)),
    sa.Column("network", sa.LargeBinary(32)),
    sa.Column("detail", sa.String(60)),
    sa.Index("security_events_of_person", "person", "at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("topic", sa.String(24), nullable=False),
    sa.Column("person", sa.String(22), index=True),
    sa.Column("cell", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("next_attempt_at", Timestamp, nullable=False, index=True),
)

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("key", sa.LargeBinary(32), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

known_devices = sa.Table(
    "known_devices",
    metadata,
    sa.Column("person", sa.String(22), primary_key=True),
    sa.Column("device", sa.LargeBinary(32), primary_key=True),
    sa.Column("seen_at", Timestamp, nullable=False, index=True),
)
