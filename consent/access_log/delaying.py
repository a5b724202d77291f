"""Which entries stand in a person's second chain (UU 27/2022 Art. 15; law.md R17): what an application does, where an order says so.

What the citizen does, consent, changes of data and what officers of the city do at a counter are always shown at once.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from consent.access_log.opening import DELAYED

if TYPE_CHECKING:
    from consent.access_log.records import Delay, Entry

DELAYABLE: Final = frozenset({"disclose", "consult", "verify", "denied"})


class Ordered(NamedTuple):
    """What an order says about an entry: why it is shown later, until when, and under which number."""

    order: str
    delay: Delay


class Orders(Protocol):
    """Where orders in force are known (`consent.delays`)."""

    async def over(self, client: str, chain: bytes) -> Ordered | None:
        """Give the order over what an application does about the person whose second chain this is. Raises: LogUnavailable."""


def utc_now() -> dt.datetime:
    """Give the time."""
    return dt.datetime.now(dt.UTC)


async def delayed(entry: Entry, chain: bytes, orders: Orders) -> Entry:
    """Give the entry as it is to be recorded: in the second chain when an order is in force over it. Raises: LogUnavailable."""
    record, subject = entry.record, entry.subject
    if record.client is None or subject is None or record.action not in DELAYABLE or record.visibility == DELAYED:
        return entry
    found = await orders.over(record.client, chain)
    if found is None:
        return entry
    record = record._replace(visibility=DELAYED, delay=found.delay)
    return dataclasses.replace(entry, record=record, subject=subject._replace(order=found.order))
