"""The tables of the keys store, private to this package. `person` is a random identifier; nothing here is personal."""

from __future__ import annotations

import sqlalchemy as sa

from keys.database import Timestamp

metadata = sa.MetaData()

root_versions = sa.Table(
    "root_versions",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("check_value", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
)
destroyed_root_versions = sa.Table(
    "destroyed_root_versions",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("destroyed_at", Timestamp, nullable=False),
)
named_secrets = sa.Table(
    "named_secrets",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("root_version", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
)
signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.String(64), primary_key=True),
    sa.Column("algorithm", sa.String(16), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("public_jwk", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("root_version", sa.Integer),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("not_before", Timestamp, nullable=False),
    sa.Column("removed_at", Timestamp),
)
subject_keys = sa.Table(
    "subject_keys",
    metadata,
    sa.Column("person", sa.String(64), primary_key=True),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("root_version", sa.Integer),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("destroyed_at", Timestamp),
)
data_keys = sa.Table(
    "data_keys",
    metadata,
    sa.Column("person", sa.String(64), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("root_version", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
)
checkpoint_keys = sa.Table(
    "checkpoint_keys",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("root_version", sa.Integer),
    sa.Column("created_at", Timestamp, nullable=False),
)
