"""Keys: root versions, named secrets, signing keys, people's keys, the checkpoint key. Nothing personal: `person` is a random id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _root_version(*, nullable: bool = False) -> sa.Column[int]:
    """Every wrapped value names its root version; the foreign key is what makes "destroyed only when unused" hold against any race."""
    return sa.Column("root_version", sa.Integer, sa.ForeignKey("root_versions.version"), nullable=nullable, index=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "root_versions",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("check_value", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "destroyed_root_versions",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("destroyed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "named_secrets",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        _root_version(),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("algorithm", sa.String(16), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("public_jwk", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=True),
        _root_version(nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("algorithm", "sequence"),
    )
    op.create_table(
        "subject_keys",
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=True),
        _root_version(nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("destroyed_at", sa.BigInteger, nullable=True, index=True),
    )
    op.create_table(
        "data_keys",
        sa.Column("person", sa.String(64), sa.ForeignKey("subject_keys.person"), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        _root_version(),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "checkpoint_keys",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=True),
        _root_version(nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
