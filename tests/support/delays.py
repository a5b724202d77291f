"""An order of delayed visibility put into force without its pages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from consent.delays import Order

if TYPE_CHECKING:
    from idp.protocol.services import Services


async def put_order(found: Services, person: str, client: str, lasts: dt.timedelta = dt.timedelta(days=10)) -> Order:
    """Delay what an application does about a person."""
    key, now = await found.keyring.subject_keys.log_key(person), found.clock()
    order = Order(
        id=f"order-{client}", chain=key.delayed, client=client, code="law_enforcement", legal_ref="KUHAP Pasal 38",
        until=now + lasts, by="P-00000001", confirmed_by="P-00000002", begun_at=now,
    )  # fmt: skip
    await found.consent.delays.put(order)
    return order
