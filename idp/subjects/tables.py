"""The table of sectors' names; private to the store of this package."""

from __future__ import annotations

import sqlalchemy as sa

from idp.schema import metadata

sector_subjects = sa.Table(
    "sector_subjects",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("person", sa.String(22), nullable=False, index=True),
)
