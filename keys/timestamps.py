"""Times in tables: whole microseconds, always UTC."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Timestamp(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC `datetime`, stored as whole microseconds since the epoch, alike on both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:
        """Refuse naive times: a time without a zone is a different instant on every machine."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:
        """Return an aware UTC datetime."""
        del dialect
        return None if value is None else _EPOCH + dt.timedelta(microseconds=value)
