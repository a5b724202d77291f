"""The tables of the consent ledger. Private to `store`.

`consent_events` is append-only and names no person: only `grants`, the projection, does. Forgetting a person there leaves every event in
place, and nobody's.
"""

from __future__ import annotations

import sqlalchemy as sa

from keys.database import Timestamp
from keys.dialects import partial

metadata = sa.MetaData()

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("client", sa.String(128), nullable=False),
    sa.Column("client_name", sa.Text, nullable=False),
    sa.Column("agency", sa.String(63), nullable=False),
    sa.Column("purpose", sa.String(63), nullable=False),
    sa.Column("purpose_version", sa.Integer, nullable=False),
    sa.Column("basis", sa.String(1), nullable=False),
    sa.Column("claims", sa.Text, nullable=False),
    sa.Column("offered", sa.Text, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("opened_at", Timestamp, nullable=False),
    sa.Column("given_at", Timestamp),
    sa.Column("expires_at", Timestamp),
    sa.Column("language", sa.String(8)),
    sa.Index("grants_of_person", "person", "opened_at"),
    sa.Index("grants_due", "state", "expires_at"),
    sa.Index(
        "grants_open",
        "person",
        "client",
        "purpose",
        unique=True,
        info=partial("state IN ('requested', 'active')"),
    ),
)

freezes = sa.table("freezes", sa.column("person", sa.String))  # owned by consent/freezes; read with the grants, never written here

consent_events = sa.Table(
    "consent_events",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("grant_id", sa.String(22), nullable=False),
    sa.Column("grant_version", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("occurred", Timestamp, nullable=False),
    sa.Column("purpose_version", sa.Integer, nullable=False),
    sa.Column("claims", sa.Text, nullable=False),
    sa.Column("actor", sa.Text),
    sa.Column("template", sa.String(64)),
    sa.Column("language", sa.String(8)),
    sa.Column("text_hash", sa.String(64)),
    sa.Column("receipt", sa.Text),
    sa.Index("consent_events_of_grant", "grant_id", "grant_version", unique=True),
)

#: The text of every card that was answered, once for each wording.
consent_texts = sa.Table(
    "consent_texts",
    metadata,
    sa.Column("text_hash", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)

#: Events whose entry in the access log is still to be written.
consent_queue = sa.Table(
    "consent_queue",
    metadata,
    sa.Column("event_id", sa.String(22), primary_key=True),
    sa.Column("queued_at", Timestamp, nullable=False),
    sa.Column("leased_until", Timestamp, nullable=False),
    sa.Index("consent_queue_due", "leased_until", "queued_at"),
)
