"""Tables of agencies and applications; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

agencies = sa.Table(
    "agencies",
    metadata,
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("name_id", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("unit", sa.Text),
    sa.Column("dpo_contact", sa.Text),
    sa.Column("created_at", Timestamp, nullable=False),
)

clients = sa.Table(
    "clients",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("agency", sa.String(64), sa.ForeignKey("agencies.code"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_digest", sa.LargeBinary(32)),
    sa.Column("auth_method", sa.String(32), nullable=False),
    sa.Column("profile", sa.String(16), nullable=False),
    sa.Column("sector", sa.Text, nullable=False),
    sa.Column("registration", sa.Text, nullable=False),  # JSON: everything else that was registered
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("secret_changed_at", Timestamp),
    sa.Column("registration_digest", sa.LargeBinary(32)),  # of the token with which it manages its own registration (RFC 7592)
)

used_assertions = sa.Table(
    "used_assertions",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),  # of client and jti
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

initial_tokens = sa.Table(
    "initial_tokens",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("remaining", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

logos = sa.Table(
    "client_logos",
    metadata,
    sa.Column("client", sa.String(64), primary_key=True),
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("content_type", sa.String(32)),  # NULL: it could not be had
    sa.Column("body", sa.LargeBinary),
    sa.Column("fetched_at", Timestamp, nullable=False),
)
