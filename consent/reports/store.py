"""Where reports are taken. The row and the entry are committed together, under the log's lock: one report, one entry (log.md)."""

from __future__ import annotations

import datetime as dt
import hmac
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from consent.access_log import tree
from consent.access_log.records import Denied, Entry, Record, Subject
from consent.errors import CompanionMissed, LogUnavailable
from consent.reports.records import KEEP, OtherContent, Reported
from consent.reports.tables import reported_reads

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.access_log import AccessLog
    from consent.reports.records import Report
    from keys.database import Database

CHANNEL: Final = "reported"
_PAGE: Final = 200
_AROUND: Final = dt.timedelta(minutes=10)  # the database's clock and ours


class Reports:
    """The reports of the consent store."""

    def __init__(self, database: Database, log: AccessLog, clock: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._insert = database.insert

    async def take(self, report: Report) -> Reported | OtherContent:
        """Enter a report, once; sent again, it is answered with the same entry.

        Raises: LogUnavailable, LogBusy (503: send it again), ChainClosed (the person was erased).
        """
        entry = _entry(report)
        row = {
            "client": report.client, "report_id": report.report_id, "content_hash": report.content_hash,
            "entry_id": entry.entry_id, "reported_at": self._clock(),
        }  # fmt: skip
        taken = self._insert(reported_reads).values(row).on_conflict_do_nothing()
        try:
            receipt = await self._log.append(entry, None, [taken])
        except CompanionMissed:
            return await self._before(report)
        if isinstance(receipt, Denied):
            raise LogUnavailable("the entry was denied")
        return Reported(entry.entry_id, receipt.index, receipt.leaf, receipt.time)

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Forget the numbers of reports that would be refused as too old if they came again; return how many went."""
        t = reported_reads.c
        old = sa.select(t.client, t.report_id).where(t.reported_at < now - KEEP).limit(limit)
        async with self._database.statement() as connection:
            gone = await connection.execute(sa.delete(reported_reads).where(sa.tuple_(t.client, t.report_id).in_(old)))
        return gone.rowcount

    async def _before(self, report: Report) -> Reported | OtherContent:
        """Find the entry of a report that was taken before. Entries tell nobody their id but through the person's key."""
        row = await self._row(report)
        if not hmac.compare_digest(row.content_hash, report.content_hash):
            return OtherContent()
        before: int | None = None
        while True:
            page = await self._log.history(
                report.person, limit=_PAGE, before=before, since=row.reported_at - _AROUND, until=row.reported_at + _AROUND, whole=True
            )
            for entry in page:
                if entry.entry_id == row.entry_id:
                    return Reported(entry.entry_id, entry.index, await self._leaf(entry.index), entry.time, again=True)
            if len(page) < _PAGE:
                raise LogUnavailable("the entry of a report is not in the person's chain")
            before = page[-1].index

    async def _leaf(self, index: int) -> bytes:
        async with self._database.read() as connection:
            return (await tree.leaves(connection, index, index + 1))[0]

    async def _row(self, report: Report) -> sa.Row[Any]:
        mine = (reported_reads.c.client == report.client, reported_reads.c.report_id == report.report_id)
        async with self._database.read() as connection:
            return (await connection.execute(sa.select(reported_reads).where(*mine))).one()


def _entry(report: Report) -> Entry:
    record = Record(
        action="consult",
        client=report.client,
        client_name=report.client_name,
        agency=report.agency,
        actor=report.actor,
        purpose=(report.purpose.id, report.purpose.version),
        legal_basis=report.purpose.basis.value,
        legal_ref=report.purpose.legal_ref,
        claims=tuple(sorted(report.claims)),
        channel=CHANNEL,
        outcome="ok",
        reason=report.reason,
        reported_by=report.client,
        occurred=report.occurred,
    )
    return Entry(record, Subject(report.person, report.grant))
