"""Does the outbox's errands: each topic has one doer; what fails is put off, ever longer. Only a message is given up, after three days."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from idp.protocol import complaints, ending, erasure, told_reads
from idp.protocol.courier import TOPIC

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Mapping

    from idp.events.outbox.records import Errand
    from idp.events.outbox.store import OutboxStore
    from idp.protocol.services import Services

    Doer = Callable[[Errand], Awaitable[None]]

BATCH = 20

_log = structlog.get_logger()


class Outbox:
    """The errands of one process. A doer that raises is asked again."""

    def __init__(self, store: OutboxStore, doers: Mapping[str, Doer], clock: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._doers = doers
        self._clock = clock

    async def run_once(self, most: int = BATCH) -> int:
        """Do what is due, at most so much; return how many errands were taken."""
        errands = await self._store.take(self._clock(), most)
        await asyncio.gather(*(self._do(errand) for errand in errands))
        return len(errands)

    async def _do(self, errand: Errand) -> None:
        try:
            await self._doers[errand.topic](errand)
        except Exception as error:  # noqa: BLE001 - whatever failed, what was promised is tried again, and holds nothing else up
            kept = await self._store.retry(errand, self._clock(), forever=errand.topic != TOPIC)
            level = _log.warning if kept else _log.error
            level("errand_put_off" if kept else "errand_given_up", topic=errand.topic, attempts=errand.attempts, error=type(error).__name__)
        else:
            await self._store.done(errand.id)


def outbox(found: Services) -> Outbox:
    """Compose the outbox of these services."""
    doers: dict[str, Doer] = {
        TOPIC: found.courier.deliver,
        ending.GRANT_TOPIC: partial(ending.follow_grant, found),
        ending.SESSIONS_TOPIC: partial(ending.follow_sessions, found),
        ending.ACCOUNT_TOPIC: partial(ending.follow_account, found),
        complaints.TOPIC: partial(complaints.tell, found),
        told_reads.NOTICE_TOPIC: partial(told_reads.tell_unusual, found),
        told_reads.MORE_TOPIC: partial(told_reads.tell_more, found),
        told_reads.DIGEST_TOPIC: partial(told_reads.tell_digest, found),
        erasure.TOPIC: partial(erasure.follow, found),
    }
    return Outbox(found.events.outbox, doers, found.clock)
