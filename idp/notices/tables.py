"""Tables of notices and streams; private to the stores of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp
from keys.dialects import partial

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("client", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("event", sa.String(24), nullable=False),
    sa.Column("cause", sa.String(64), nullable=False),
    sa.Column("cell", sa.LargeBinary),  # sealed; gone as soon as nothing more is sent
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
    sa.Column("last_attempt_at", Timestamp),
    sa.Column("next_attempt_at", Timestamp, index=True),
    sa.Column("answer", sa.String(120)),
    sa.UniqueConstraint("client", "kind", "event", "cause", name="notices_once"),
    sa.Index("notices_of_client", "client", "created_at"),
    sa.Index("notices_waiting", "created_at", info=partial("status = 'waiting'")),
)

signal_streams = sa.Table(
    "signal_streams",
    metadata,
    sa.Column("client", sa.String(64), sa.ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("url", sa.Text),  # where events are pushed to; null: the application fetches them
    sa.Column("authorization", sa.LargeBinary),  # sealed: the value of the header that the receiver wants
    sa.Column("events", sa.Text, nullable=False),  # names, separated by spaces
    sa.Column("changed_at", Timestamp, nullable=False),
)
