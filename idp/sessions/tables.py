"""Tables of sessions; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp
from keys.dialects import partial

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("person", sa.String(22), nullable=False, index=True),
    sa.Column("auth_time", Timestamp, nullable=False),
    sa.Column("acr", sa.String(16), nullable=False),
    sa.Column("amr", sa.String(64), nullable=False),  # RFC 8176 values, separated by spaces
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("last_seen", Timestamp, nullable=False),
    sa.Column("idle_until", Timestamp, nullable=False),
    sa.Column("absolute_until", Timestamp, nullable=False, index=True),
    sa.Column("ended_at", Timestamp),
    sa.Column("remembered", sa.Boolean, nullable=False),
    sa.Column("label", sa.String(60), nullable=False),
    sa.Index("sessions_open", "idle_until", info=partial("ended_at IS NULL")),
    sa.Index("sessions_ended", "ended_at"),
)

session_clients = sa.Table(
    "session_clients",
    metadata,
    sa.Column("session", sa.String(22), sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("client", sa.String(64), primary_key=True, index=True),
    sa.Column("sid", sa.String(22), nullable=False, unique=True),
)

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("browser", sa.LargeBinary(32), nullable=False),
    sa.Column("person", sa.String(22), nullable=False),
    sa.Column("amr", sa.String(64), nullable=False),
    sa.Column("remembered", sa.Boolean, nullable=False),
    sa.Column("interaction", sa.String(64)),
    sa.Column("next", sa.Text),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

# Read only, to tell in the same statement whether the account may be used. Its owner is idp/accounts.
accounts = sa.table("accounts", sa.column("person", sa.String()), sa.column("state", sa.String()))
