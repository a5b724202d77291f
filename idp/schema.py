"""The one `MetaData` that every table of the idp store belongs to. Each `tables.py` adds its own; nothing else does."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()
