"""Tables of wishes; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata

wishes = sa.Table(
    "citizen_wishes",
    metadata,
    sa.Column("person", sa.String(22), primary_key=True),
    sa.Column("channel", sa.String(8), nullable=False),
    sa.Column("digest", sa.Boolean, nullable=False),
)

digests = sa.Table(  # how far the letters about a month are: people up to `last` have theirs in the outbox
    "digest_positions",
    metadata,
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("last", sa.String(22), nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
)
