"""Where the log and each person's chain stand. Pure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from consent.access_log.leaf import FIRST_PREV

if TYPE_CHECKING:
    import datetime as dt

    from consent.merkle import Edge


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """The head as it was read or will be: the right edge, the newest time, and the leaves under the newest, partial tile when known."""

    edge: Edge
    last_time: dt.datetime
    tail: tuple[bytes, ...] | None = None


class Chain(NamedTuple):
    """Where a person's chain stands: how many entries, the newest SC, and the index of the erase entry that closed it."""

    length: int = 0
    last_sc: bytes = FIRST_PREV
    closed_by: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Filled:
    """What a batch fills for good: bundles as (n, entries), tiles as (level, n, hashes, root)."""

    bundles: list[tuple[int, bytes]] = dataclasses.field(default_factory=list)
    tiles: list[tuple[int, int, bytes, bytes]] = dataclasses.field(default_factory=list)
