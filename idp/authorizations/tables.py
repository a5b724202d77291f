"""Tables of approvals, codes and refresh tokens; private to the stores of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

authorizations = sa.Table(
    "authorizations",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("grant", sa.String(22), nullable=False, index=True),
    sa.Column("client", sa.String(64), nullable=False),
    sa.Column("person", sa.String(22), nullable=False, index=True),
    sa.Column("session", sa.String(22), index=True),
    sa.Column("details", sa.Text, nullable=False),  # JSON: what never changes, in one value, so that one scalar subquery brings it along
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("ends_at", Timestamp, nullable=False, index=True),
    sa.Column("revoked_at", Timestamp),
)

codes = sa.Table(
    "codes",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("authorization", sa.String(22), sa.ForeignKey("authorizations.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("client", sa.String(64), nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("code_challenge", sa.String(43)),
    sa.Column("nonce", sa.Text),
    sa.Column("dpop_jkt", sa.String(43)),  # RFC 9449 §10: the key that alone may redeem it
    sa.Column("expires_at", Timestamp, nullable=False),
    sa.Column("consumed_at", Timestamp),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("authorization", sa.String(22), sa.ForeignKey("authorizations.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("client", sa.String(64), nullable=False),
    sa.Column("issued_at", Timestamp, nullable=False),
    sa.Column("consumed_at", Timestamp, index=True),
    sa.Column("successor", sa.LargeBinary),  # sealed under the token that was presented
    sa.Column("successor_digest", sa.LargeBinary(32)),
    sa.Column("bound_to", sa.String(43)),  # the thumbprint of the key or certificate that alone may use it, and its successors
)

revoked_tokens = sa.Table(
    "revoked_tokens",
    metadata,
    sa.Column("jti", sa.String(64), primary_key=True),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

# Read only, to tell in the same statement whether the person may still be served. Their owners are idp/sessions and idp/accounts.
sessions = sa.table(
    "sessions",
    sa.column("id", sa.String()),
    sa.column("ended_at", Timestamp()),
    sa.column("idle_until", Timestamp()),
    sa.column("absolute_until", Timestamp()),
)
accounts = sa.table("accounts", sa.column("person", sa.String()), sa.column("state", sa.String()))
