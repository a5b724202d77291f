"""What has to be done by time: keys, the outbox, rows that nothing can use any more, gauges."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

from consent.access_log import activity
from consent.access_log.records import Actor, Entry, Record
from idp.background import Task
from idp.pages.formats import ZONE, local_date
from idp.protocol import complaints, ending, logos, resealing, sectors, told_reads
from idp.protocol.deliveries import Deliveries
from idp.protocol.outbox import outbox
from idp.web import metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from idp.protocol.services import Services

    Sweep = Callable[[dt.datetime, int], Awaitable[int]]

BATCH = 1000
LATE = dt.timedelta(hours=72)
ROUNDS = 50
CATCH_UP = 16


def tasks(services: Services) -> Sequence[Task]:
    """List the tasks of a server process. All are safe to run in several processes at once."""
    deliveries = Deliveries(services)
    return (
        Task("keyring", 20, partial(tend_keys, services)),
        Task("erasure-journal", 5, services.erased.refresh),
        Task("outbox", 1, outbox(services).run_once),
        Task("notices", 1, deliveries.run_once, deliveries.close),
        Task("expired-sessions", 15, partial(ending.end_expired, services)),
        Task("reseal", 600, partial(resealing.reseal, services)),
        Task("logos", 60, partial(logos.refresh, services)),
        Task("sweep", 60, partial(sweep, services)),
        Task("digests", 30, partial(told_reads.write_digests, services)),
        Task("complaints", 60, partial(complaints.escalate_due, services)),
        Task("sectors", 60, partial(sectors.note_earlier, services)),
        Task("activity", 10, partial(gather_activity, services)),
        Task("key-uses", 30, partial(count_key_uses, services), partial(count_key_uses, services)),
        Task("gauges", 5, partial(measure, services)),
    )


async def tend_keys(services: Services) -> None:
    """Rotate keys by time; each signing key made or removed stands in the access log, told by the one process that did it."""
    for key in await services.keyring.refresh():
        reason = f"{key.state} {key.algorithm} {key.kid}"
        record = Record(action="key", actor=Actor("service", role="rotation by time"), channel="background", outcome="done", reason=reason)
        await services.consent.access_log.append(Entry(record))


async def gather_activity(services: Services) -> int:
    """Count what the log recorded since the last time, for the statistics of auditors and of the public page; return how many entries."""
    counted = 0
    for _ in range(CATCH_UP):
        more = await activity.gather(services.consent.database, ZONE)
        counted += more
        if more < activity.BATCH:
            break
    return counted


async def count_key_uses(services: Services) -> None:
    """Add to the day's counts how often this process used people's keys."""
    await services.consent.key_uses.flush(local_date(services.clock()))


async def sweep(services: Services) -> int:
    """Delete what has expired, in batches small enough to disturb nobody; return how many rows went.

    Sessions are noted as expired first: whose services were not told of it is not deleted.
    """
    await ending.end_expired(services)
    sweeps: tuple[Sweep, ...] = (
        services.authorizations.sweep,
        services.interactions.sweep,
        services.deferred.sweep,
        services.pushed.sweep,
        services.sessions.sweep,
        services.clients.sweep,
        services.notices.sweep,
        services.proposals.sweep,
        services.openings.sweep,
        services.clients.tokens.sweep,
        services.accounts.sweep,
        services.accounts.links.sweep,
        services.accounts.passkeys.sweep,
        services.events.sweep,
        services.events.counters.sweep,
        services.consent.reports.sweep,
    )
    return sum([await _drain(one, services.clock()) for one in sweeps])


async def _drain(one: Sweep, now: dt.datetime) -> int:
    gone = 0
    for _ in range(ROUNDS):
        count = await one(now, BATCH)
        gone += count
        if count < BATCH:
            break
    return gone


async def measure(services: Services) -> None:
    """Set the gauges: the access log's, and how many notices are late (law.md R12)."""
    status = await services.consent.access_log.status()
    metrics.LOG_SIZE.set(status.size)
    metrics.LOG_IN_DOUBT.set(1 if status.in_doubt else 0)
    unsigned = status.unsigned_since
    metrics.LOG_UNSIGNED.set(max(0.0, (services.clock() - unsigned).total_seconds()) if unsigned else 0)
    witnesses = await services.consent.witnesses()
    metrics.LOG_WITNESSES_LATE.set(sum(standing.late for standing in witnesses))
    for standing in witnesses:
        if standing.age is not None:
            metrics.LOG_WITNESS_AGE.labels(standing.witness.name).set(standing.age)
    metrics.NOTICES_LATE.set(await services.notices.overdue(services.clock() - LATE))
