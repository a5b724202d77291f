"""What a citizen wishes. Whoever never said anything has the wishes of `Wishes()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHANNELS: Final = ("all", "mail", "phone")


@dataclass(frozen=True, slots=True)
class Wishes:
    """`channel`: over which address reads are told. `digest`: the monthly letter."""

    channel: str = "all"
    digest: bool = True
