"""What a citizen wishes. Whoever never said anything has the wishes of `Wishes()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt

CHANNELS: Final = ("all", "mail", "phone")


@dataclass(frozen=True, slots=True)
class Wishes:
    """`channel`: over which address reads are told. `digest`: the monthly letter. `frozen_at`: since when nothing may be read."""

    channel: str = "all"
    digest: bool = True
    frozen_at: dt.datetime | None = None
