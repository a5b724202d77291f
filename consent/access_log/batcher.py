"""The batcher: one task per process that commits waiting entries in groups, and answers their callers only after COMMIT.

While one group is being committed the next gathers, so that a lone entry waits for nothing and a crowd shares each fsync.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from consent.access_log import statements, writer
from consent.access_log.records import Denied, receipt_for
from consent.errors import ConsentError, LogBusy, LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consent.access_log.position import Position
    from consent.access_log.records import Receipt
    from consent.access_log.writer import Outcome, Prepared
    from keys.database import Database, Reserved

log = structlog.get_logger()

_ASIDE: Final = 0.001
"""Seconds that the answers to a group wait while the next one, full already, goes to the database."""


@dataclasses.dataclass(frozen=True, slots=True)
class BatchOptions:
    """How entries are gathered. Times in seconds.

    `gather`: how long a group that follows another at once waits for more. `limit`: how many entries may wait before callers are refused.
    """

    largest: int = 256
    gather: float = 0.002
    limit: int = 4096
    timeout: float = 10.0
    clock_tolerance: dt.timedelta = dt.timedelta(seconds=5)


class _Waiter(NamedTuple):
    item: Prepared
    answer: asyncio.Future[Receipt | Denied]
    until: float


class Batcher:
    """Gathers, commits, answers. `doubt` says why nothing may be appended, None when all is well."""

    def __init__(self, database: Database, options: BatchOptions, doubt: Callable[[], str | None]) -> None:
        self._database = database
        self._options = options
        self._doubt = doubt
        self._waiting: deque[_Waiter] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.seen: Position | None = None
        """The position this process last saw committed."""

    def start(self) -> None:
        """Start the task."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="access-log-batcher")

    async def stop(self) -> None:
        """Commit what waits, then end."""
        task, self._task = self._task, None
        if task is None:
            return
        self._arrived.set()
        await task

    def add(self, item: Prepared) -> asyncio.Future[Receipt | Denied]:
        """Queue an entry; the answer is there once it is committed.

        The answer raises: LogUnavailable, ChainClosed, or what a companion statement raised. Raises: LogBusy, LogUnavailable.
        """
        if self._task is None:
            raise LogUnavailable("the access log is not running")
        if len(self._waiting) >= self._options.limit:
            raise LogBusy(retry_after=2)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Receipt | Denied] = loop.create_future()
        self._waiting.append(_Waiter(item, answer, loop.time() + self._options.timeout))
        self._arrived.set()
        return answer

    async def _run(self) -> None:
        async with self._database.reserved() as reserved:
            busy = False
            while self._task is not None or self._waiting:
                if not self._waiting:
                    self._arrived.clear()
                    busy = False
                    if self._task is not None:
                        await self._arrived.wait()
                    continue
                await self._gather(busy=busy)
                await self._flush(reserved, self._take())
                busy = True

    async def _gather(self, *, busy: bool) -> None:
        """Let others of this instant join; after a group that was just committed, wait a little for those it had answered."""
        if len(self._waiting) < self._options.largest:
            await asyncio.sleep(self._options.gather if busy else 0)

    def _take(self) -> list[_Waiter]:
        """Take the next group; a commit has its own time limit, so nobody waits longer than twice that."""
        taken: list[_Waiter] = []
        now = asyncio.get_running_loop().time()
        while self._waiting and len(taken) < self._options.largest:
            waiter = self._waiting.popleft()
            if waiter.answer.done():  # the caller has left before anything was written
                continue
            if now > waiter.until:
                waiter.answer.set_exception(LogUnavailable("the entry was not committed in time"))
                continue
            taken.append(waiter)
        return taken

    async def _flush(self, reserved: Reserved, group: Sequence[_Waiter]) -> None:
        if not group:
            return
        try:
            outcomes = await self._commit(reserved, [waiter.item for waiter in group])
        except ConsentError as error:
            _refuse(group, error)
        except asyncio.CancelledError:
            _refuse(group, LogUnavailable("the access log is stopping"))
            raise
        except Exception as error:  # noqa: BLE001 - log.md: "Error, timeout, unknown outcome: every waiter gets 503 and no data"
            _refuse(group, LogUnavailable("the access log could not be written"))
            log.warning("access_log_append_failed", error=type(error).__name__, entries=len(group))
        else:
            if len(self._waiting) < self._options.largest:
                _answer(group, outcomes)
            else:  # the database need not wait for what these callers do next
                asyncio.get_running_loop().call_later(_ASIDE, _answer, group, outcomes)

    async def _commit(self, reserved: Reserved, items: Sequence[Prepared]) -> list[Outcome]:
        doubt = self._doubt()
        if doubt:
            raise LogUnavailable(doubt)
        async with asyncio.timeout(self._options.timeout), reserved.transaction(statements.LOCK) as transaction:
            written = await writer.write(transaction, items, self.seen, self._options.clock_tolerance)
            await transaction.commit()
        self.seen = written.position
        return written.outcomes


def _answer(group: Sequence[_Waiter], outcomes: Sequence[Outcome]) -> None:
    """Tell the callers what became of their entries. COMMIT has returned."""
    for waiter, outcome in zip(group, outcomes, strict=True):
        entry = waiter.item.entry
        if waiter.answer.done():  # the caller was cancelled; the entry stands
            continue
        if isinstance(outcome, Exception):
            waiter.answer.set_exception(outcome)
        elif outcome.denied is not None:
            waiter.answer.set_result(Denied(entry.entry_id, outcome.denied, outcome.idx))
        else:
            waiter.answer.set_result(receipt_for(entry, outcome.idx, outcome.leaf, outcome.time))


def _refuse(group: Sequence[_Waiter], error: ConsentError) -> None:
    for waiter in group:
        if not waiter.answer.done():
            waiter.answer.set_exception(type(error)(*error.args) if type(error) is LogUnavailable else error)
