"""Tables of staff; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

members = sa.Table(
    "staff_members",
    metadata,
    sa.Column("pseudonym", sa.String(16), primary_key=True),
    sa.Column("person", sa.String(22), unique=True),  # NULL once the account was erased
    sa.Column("since", Timestamp, nullable=False),
)

roles = sa.Table(
    "staff_roles",
    metadata,
    sa.Column("pseudonym", sa.String(16), sa.ForeignKey("staff_members.pseudonym"), primary_key=True),
    sa.Column("role", sa.String(16), primary_key=True),
    sa.Column("agency", sa.String(64)),
    sa.Column("unit", sa.Text),
    sa.Column("since", Timestamp, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)
