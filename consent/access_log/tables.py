"""Tables of the access log. Only this package's stores import them.

`log_entries`, `log_tiles` and `log_bundles` only grow; triggers refuse anything else, except that the subject columns of an erased person
become NULL. `log_head`, `log_chains` and `log_checkpoints` are positions: they move, and whatever they claim is checked against the tree.
"""

from __future__ import annotations

import sqlalchemy as sa

from keys.database import Timestamp

metadata = sa.MetaData()

head = sa.Table(
    "log_head",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("edge", sa.LargeBinary, nullable=False),
    sa.Column("last_time", Timestamp, nullable=False),
    sa.CheckConstraint("id = 1", name="log_head_is_one_row"),
)

entries = sa.Table(
    "log_entries",
    metadata,
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", Timestamp, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("client", sa.Text),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
    sa.Column("nonce_a", sa.LargeBinary, nullable=False),
    sa.Column("nonce_s", sa.LargeBinary),
    sa.Column("subject_ref", sa.LargeBinary),
    sa.Column("subject_sealed", sa.LargeBinary),
    sa.Column("closes", sa.LargeBinary),  # the reference of the chain that this erase entry closed
)
sa.Index("log_entries_of_subject", entries.c.subject_ref, entries.c.idx)

tiles = sa.Table(
    "log_tiles",
    metadata,
    sa.Column("level", sa.SmallInteger, primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
)

bundles = sa.Table(
    "log_bundles",
    metadata,
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entries", sa.LargeBinary, nullable=False),
)

chains = sa.Table(
    "log_chains",
    metadata,
    sa.Column("subject_ref", sa.LargeBinary, primary_key=True),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("last_sc", sa.LargeBinary, nullable=False),
    sa.Column("closed_by", sa.BigInteger),
)

checkpoints = sa.Table(
    "log_checkpoints",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("time", Timestamp, nullable=False),
    sa.CheckConstraint("kind IN ('signed', 'published')", name="log_checkpoints_kind"),
)

witnesses = sa.Table(
    "log_witnesses",
    metadata,
    sa.Column("vkey", sa.Text, primary_key=True),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("cosigned_at", Timestamp),
    sa.Column("asked_at", Timestamp, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("problem", sa.Text),
    sa.CheckConstraint("outcome IN ('cosigned', 'unreachable', 'refused', 'rollback')", name="log_witnesses_outcome"),
)

grants = sa.table(  # owned by consent/ledger; the log reads it under its lock and never writes it
    "grants",
    sa.column("id", sa.Text),
    sa.column("person", sa.Text),
    sa.column("version", sa.Integer),
    sa.column("state", sa.Text),
    sa.column("expires_at", Timestamp),
)

freezes = sa.table("freezes", sa.column("person", sa.Text))  # owned by consent/freezes; read as the grants are

activity = sa.Table(  # counts for statistics, gathered from entries once they are committed; whatever it says, the entries decide
    "log_activity",
    metadata,
    sa.Column("day", sa.String(10), primary_key=True),  # in the city's zone
    sa.Column("action", sa.Text, primary_key=True),
    sa.Column("client", sa.Text, primary_key=True),
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("basis", sa.Text, primary_key=True),
    sa.Column("officer", sa.Text, primary_key=True),
    sa.Column("lasting", sa.SmallInteger, primary_key=True),  # 1: read without a living session of the citizen
    sa.Column("hours", sa.Text, nullable=False),  # 24 counts, separated by spaces
)

activity_position = sa.Table(
    "log_activity_position",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True),
    sa.Column("next", sa.BigInteger, nullable=False),
)

delayed = sa.Table(  # the few entries that are shown later, noted when they are counted; whatever it says, the entries decide
    "log_delayed",
    metadata,
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.String(10), nullable=False),  # in the city's zone
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("agency", sa.Text, nullable=False),
)
