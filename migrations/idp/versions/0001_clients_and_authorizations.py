"""Agencies, applications, running requests, approvals and what stands on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. Times are microseconds since the epoch."""
    _clients()
    _interactions()
    _authorizations()


def _clients() -> None:
    op.create_table(
        "agencies",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("name_id", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("dpo_contact", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("agency", sa.String(64), sa.ForeignKey("agencies.code"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(32)),
        sa.Column("auth_method", sa.String(32), nullable=False),
        sa.Column("profile", sa.String(16), nullable=False),
        sa.Column("sector", sa.Text, nullable=False),
        sa.Column("registration", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("secret_changed_at", sa.BigInteger),
    )
    op.create_table(
        "used_assertions",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_used_assertions_expires_at", "used_assertions", ["expires_at"])


def _interactions() -> None:
    op.create_table(
        "interactions",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("browser", sa.LargeBinary(32), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("login_at", sa.BigInteger),
        sa.Column("second_factor_at", sa.BigInteger),
        sa.Column("approved_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
    )
    op.create_index("ix_interactions_expires_at", "interactions", ["expires_at"])


def _authorizations() -> None:
    op.create_table(
        "authorizations",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("grant", sa.String(22), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("person", sa.String(22), nullable=False),
        sa.Column("session", sa.String(22)),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    for column in ("grant", "person", "session", "ends_at"):
        op.create_index(f"ix_authorizations_{column}", "authorizations", [column])
    op.create_table(
        "codes",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("authorization", sa.String(22), sa.ForeignKey("authorizations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("code_challenge", sa.String(43)),
        sa.Column("nonce", sa.Text),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("consumed_at", sa.BigInteger),
    )
    op.create_index("ix_codes_authorization", "codes", ["authorization"])
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("authorization", sa.String(22), sa.ForeignKey("authorizations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("consumed_at", sa.BigInteger),
        sa.Column("successor", sa.LargeBinary),
        sa.Column("successor_digest", sa.LargeBinary(32)),
    )
    op.create_index("ix_refresh_tokens_authorization", "refresh_tokens", ["authorization"])
    op.create_index("ix_refresh_tokens_consumed_at", "refresh_tokens", ["consumed_at"])
    op.create_table(
        "revoked_tokens",
        sa.Column("jti", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_revoked_tokens_expires_at", "revoked_tokens", ["expires_at"])
