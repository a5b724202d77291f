"""Tables of accounts; private to the stores of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp
from keys.dialects import partial

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("person", sa.String(22), primary_key=True),
    sa.Column("number", sa.String(10), unique=True),  # None once erased
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("locale", sa.String(8), nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("last_used_at", Timestamp, nullable=False),
    sa.Column("minor", sa.Boolean, nullable=False),
    sa.Column("nik_paused_until", Timestamp),
    sa.Column("phone_channel", sa.String(8), nullable=False),  # sms | whatsapp: how messages to the telephone travel
)

identifiers = sa.Table(
    "account_identifiers",
    metadata,
    sa.Column("person", sa.String(22), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Index("account_identifiers_by_digest", "kind", "digest"),
    # Only verified ones are unique, and a phone never is: families share it.
    sa.Index(
        "account_identifiers_unique",
        "kind",
        "digest",
        unique=True,
        info=partial("verified AND kind <> 'phone'"),
    ),
)

cells = sa.Table(
    "account_cells",
    metadata,
    sa.Column("person", sa.String(22), primary_key=True),
    sa.Column("claim", sa.String(40), primary_key=True),
    sa.Column("cell", sa.LargeBinary, nullable=False),
    sa.Column("source", sa.String(8), nullable=False),
    sa.Column("verified_by", sa.Text),  # a pseudonym of the officer or the name of a register
    sa.Column("verified_how", sa.Text),
    sa.Column("verified_at", Timestamp),
    sa.Column("updated_at", Timestamp, nullable=False),
)

totp = sa.Table(
    "totp_factors",
    metadata,
    sa.Column("person", sa.String(22), primary_key=True),
    sa.Column("stage", sa.String(8), primary_key=True),  # pending | active
    sa.Column("seed", sa.LargeBinary, nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("disabled_at", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
)

cards = sa.Table(
    "code_cards",
    metadata,
    sa.Column("person", sa.String(22), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("disabled_at", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
)

card_codes = sa.Table(
    "code_card_codes",
    metadata,
    sa.Column("person", sa.String(22), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("used_at", Timestamp),
)

passkeys = sa.Table(
    "passkeys",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("person", sa.String(22), nullable=False, index=True),
    sa.Column("credential", sa.LargeBinary(1023), nullable=False, unique=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),  # COSE
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("synced", sa.Boolean, nullable=False),  # the flag BE
    sa.Column("transports", sa.String(64), nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("last_used_at", Timestamp),
)

passkey_challenges = sa.Table(
    "passkey_challenges",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("browser", sa.LargeBinary(32), nullable=False),
    sa.Column("purpose", sa.LargeBinary(32), nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

proofs = sa.Table(
    "proofs",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("subject", sa.String(22), index=True),  # a person, or an enrolment; None: a decoy that nothing opens
    sa.Column("browser", sa.LargeBinary(32)),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("consumed_at", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

links = sa.Table(
    "account_links",
    metadata,
    sa.Column("upstream", sa.String(32), primary_key=True),
    sa.Column("subject", sa.LargeBinary(32), primary_key=True),  # digest
    sa.Column("person", sa.String(22), nullable=False),
    sa.Column("linked_at", Timestamp, nullable=False),
    sa.UniqueConstraint("person", "upstream"),
)

upstream_attempts = sa.Table(
    "upstream_attempts",
    metadata,
    sa.Column("state", sa.LargeBinary(32), primary_key=True),  # digest
    sa.Column("browser", sa.LargeBinary(32), nullable=False),
    sa.Column("cell", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

drafts = sa.Table(
    "enrolments",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("browser", sa.LargeBinary(32), nullable=False),
    sa.Column("cell", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)
