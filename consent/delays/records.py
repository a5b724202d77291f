"""What an order looks like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from consent.access_log.delaying import Ordered
from consent.access_log.records import Delay

if TYPE_CHECKING:
    import datetime as dt

CODES: Final = ("defence", "law_enforcement", "public_interest", "financial_supervision")
"""UU 27/2022 Art. 15(1) a-d: the grounds on which the right to know may wait. Statistics and research (e) need no secret."""


class OrderState(StrEnum):
    """How an order stands."""

    IN_FORCE = "in_force"
    OVER = "over"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of two people. `id` is that of what they proposed and confirmed; `chain`: the person's second chain, None once erased."""

    id: str
    chain: bytes | None
    client: str
    code: str
    legal_ref: str
    until: dt.datetime
    by: str
    confirmed_by: str
    begun_at: dt.datetime
    ended_at: dt.datetime | None = None
    ended_by: str | None = None

    def state(self, now: dt.datetime) -> OrderState:
        """Tell how it stands at a moment."""
        if self.ended_at is not None:
            return OrderState.ENDED
        return OrderState.IN_FORCE if now < self.until else OrderState.OVER

    @property
    def ordered(self) -> Ordered:
        """Give what it says about an entry."""
        return Ordered(self.id, Delay(self.code, self.legal_ref, self.until, self.by, self.confirmed_by))
