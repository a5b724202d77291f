"""Tables of complaints; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata
from keys.database import Timestamp

complaints = sa.Table(
    "complaints",
    metadata,
    sa.Column("id", sa.String(22), primary_key=True),
    sa.Column("number", sa.String(20), nullable=False, unique=True),
    sa.Column("person", sa.String(22)),  # NULL once the account was erased, as the next and both texts
    sa.Column("entry_id", sa.String(22)),
    sa.Column("agency", sa.String(64)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("first_answered_at", Timestamp),
    sa.Column("answered_at", Timestamp),
    sa.Column("answered_by", sa.Text),  # as the access log names them
    sa.Column("escalated_at", Timestamp),
    sa.Column("by_clock", sa.Boolean, nullable=False),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Column("text", sa.LargeBinary),  # a cell
    sa.Column("answer", sa.LargeBinary),  # a cell
    sa.UniqueConstraint("person", "entry_id"),  # one complaint for an entry: who sends it twice is led to it
)
sa.Index("complaints_open", complaints.c.state, complaints.c.due_at)

numbers = sa.Table(
    "complaint_numbers",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", sa.Integer, nullable=False),
)
