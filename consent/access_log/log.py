"""The access log as the rest of the program sees it: append, and read what concerns one person."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Protocol

from consent.access_log import history, leaf, tree
from consent.access_log.affected import reads_by_chain
from consent.access_log.batcher import Batcher, BatchOptions
from consent.access_log.delaying import delayed, utc_now
from consent.access_log.forgetting import closing, forget, orphaned, standing
from consent.access_log.history import Filter
from consent.access_log.records import Denied, Entry, LogStatus
from consent.access_log.watch import Watch, stored
from consent.access_log.writer import Prepared
from consent.checkpoint import NoteInvalid
from consent.errors import ChainClosed, ChainDoubtful, LogUnavailable
from keys.database import require_no_connection
from keys.errors import KeyDestroyed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy.sql.base import Executable

    from consent.access_log.affected import ReadsByChain
    from consent.access_log.delaying import Orders
    from consent.access_log.forgetting import Closing
    from consent.access_log.records import Guard, HistoryEntry, PersonCheck, Receipt, Record
    from consent.access_log.watch import KeySource
    from consent.anchor import Anchor
    from keys.database import Database
    from keys.log_subjects import LogKey

    Observer = Callable[[Entry, Receipt | Denied], Awaitable[None]]


class LogKeys(Protocol):
    """Where the log gets the log key of a person from (`keys.subject_keys`)."""

    async def log_key(self, person: str) -> LogKey:
        """Give the key. Raises: KeyDestroyed."""


@dataclasses.dataclass(frozen=True, slots=True)
class LogOptions:
    """What the log needs to know besides its database.

    `key`: asked for the signer's public key when the first checkpoint is there; without it signatures are not checked.
    `witnesses`: the verifier keys of those whose word, that an older state was put back, is heard.
    `orders`: which entries are shown later. `clock`: tells which of those may be shown.
    `watch_seconds`: how often the database's tree is compared with the newest checkpoint.
    """

    key: KeySource | None = None
    anchor: Anchor | None = None
    batch: BatchOptions = dataclasses.field(default_factory=BatchOptions)
    watch_seconds: float = 1.0
    witnesses: frozenset[str] = frozenset()
    orders: Orders | None = None
    clock: Callable[[], dt.datetime] = utc_now


class AccessLog:
    """One per process. `start` before the first append, `stop` when done."""

    def __init__(self, database: Database, keys: LogKeys, options: LogOptions | None = None) -> None:
        self._database = database
        self._keys = keys
        self._options = options = options or LogOptions()
        self._batcher = Batcher(database, options.batch, lambda: self._watch.doubt)
        self._watch = Watch(database, options.key, options.anchor, lambda: self._batcher.seen, options.witnesses)
        self._watching: asyncio.Task[None] | None = None
        self.observer: Observer | None = None
        """Told of each entry about a person once it is committed, and waited for: it must be quick, and must not raise."""

    async def start(self) -> None:
        """Compare the database with the newest checkpoint, then accept entries. A doubt, or a database that is down, refuses them."""
        with contextlib.suppress(StoreUnavailable, OSError):
            await self._watch.check()
        self._batcher.start()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch.run(self._options.watch_seconds), name="access-log-watch")

    async def stop(self) -> None:
        """Commit what waits and end the tasks."""
        await self._batcher.stop()
        task, self._watching = self._watching, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def in_doubt(self) -> str | None:
        """Why nothing is disclosed at the moment; None when all is well."""
        return self._watch.doubt

    async def append(self, entry: Entry, guard: Guard | None = None, companion: Sequence[Executable] = ()) -> Receipt | Denied:
        """Commit an entry, in the second chain where an order delays it, with its companion statements; return once both are durable.

        `guard`: when this grant is not active in this version any more, the entry is committed as `denied`, without the companions.

        Raises: LogUnavailable (503, disclose nothing), LogBusy (the same, with Retry-After), ChainClosed (the person was erased),
        sqlalchemy.exc.SQLAlchemyError when a companion statement failed, CompanionMissed when it changed no row (the entry was not
        written), ConnectionHeld.
        """
        require_no_connection("the access log")
        if self._watch.doubt:
            raise LogUnavailable(self._watch.doubt)
        key = await self._key(entry.subject.person) if entry.subject else None
        if key is not None and self._options.orders is not None:
            entry = await delayed(entry, key.delayed, self._options.orders)
        record, subject = leaf.prepared(entry)
        result = await self._batcher.add(Prepared(entry, record, subject, key, guard, companion))
        if self.observer is not None and key is not None:
            await self.observer(entry, result)
        return result

    async def forget(self, erase_index: int) -> int:
        """Null the subject columns of the person whose chain the entry at this index closed; return how many entries it concerned."""
        return await forget(self._database, erase_index)

    async def closing(self, person: str, *, second: bool = False) -> Closing:
        """Tell what the chain of a person, whose erase entry was just written, truly holds. Raises: ChainClosed, StoreUnavailable."""
        key = await self._key(person)
        return await closing(self._database, key, key.delayed if second else key.reference)

    async def standing(self, person: str, *, second: bool = False) -> tuple[bool, int | None]:
        """Tell whether a person has a chain, and which erase entry closed it. `second`: of what is shown later. Raises: as `closing`."""
        key = await self._key(person)
        return await standing(self._database, key.delayed if second else key.reference)

    async def close_orphan(self, reference: bytes, record: Record, at_most: int) -> tuple[int, int] | None:
        """Close a chain whose key is gone: the log was restored from before its erase entry. The entry, about nobody, states its length.

        Returns: the entry's index and the length; None when nothing is open under this reference.
        Raises: ChainDoubtful when the chain is longer than `at_most`, which the journal remembers; else as `append`.
        """
        length = await orphaned(self._database, reference)
        if length is None:
            return None
        if length > at_most:
            raise ChainDoubtful(f"a chain without a key has {length} entries, the journal remembers {at_most}")
        receipt = await self.append(Entry(record, orphan=reference))
        if isinstance(receipt, Denied):
            raise LogUnavailable("the erase entry was denied")
        return receipt.index, length

    async def history(
        self,
        person: str,
        *,
        limit: int = 50,
        before: int | None = None,
        client: str | None = None,
        action: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        whole: bool = False,
    ) -> Sequence[HistoryEntry]:
        """Give a person's entries as far as they may be shown, newest first. `whole`: all of them, which nobody may be told of.

        Raises: ChainClosed, StoreUnavailable.
        """
        key, now = await self._key(person), None if whole else self._options.clock()
        async with self._database.read() as connection:
            return await history.page(connection, key, Filter(before, client, action, since, until), limit, now=now)

    async def usages(
        self, person: str, actions: frozenset[str], since: dt.datetime | None, until: dt.datetime | None, *, limit: int, offset: int
    ) -> tuple[int, Sequence[HistoryEntry]]:
        """Count a person's entries of these actions, and give some of them, newest first. Raises: ChainClosed, StoreUnavailable."""
        key, wanted, now = await self._key(person), Filter(since=since, until=until, actions=actions), self._options.clock()
        async with self._database.read() as connection:
            number = await history.count(connection, key, wanted, now)
            return number, await history.page(connection, key, wanted, limit, offset, now=now)

    async def withheld(self, person: str, since: dt.datetime, until: dt.datetime) -> int:
        """Count a person's entries that had been withheld, and whose time came between two moments. Raises: as `usages`."""
        key = await self._key(person)
        async with self._database.read() as connection:
            return await history.withheld(connection, key, since, until)

    async def reads_by_chain(self, client: str, claims: frozenset[str], since: dt.datetime, until: dt.datetime) -> ReadsByChain:
        """Gather an application's reads of some kinds of data, by chain reference. Raises: StoreUnavailable, TreeBroken."""
        return await reads_by_chain(self._database, client, claims, since, until)

    async def began(self) -> dt.datetime | None:
        """Tell when the first entry was written; None while there is none. Raises: StoreUnavailable."""
        async with self._database.read() as connection:
            return await history.written(connection, 0)

    async def last_read(self, person: str) -> HistoryEntry | None:
        """Give the newest disclosure to a service."""
        found = await self.history(person, limit=1, action="disclose")
        return found[0] if found else None

    async def reads_per_month(self, person: str, months: int = 12, zone: dt.tzinfo = dt.UTC) -> Sequence[tuple[str, int]]:
        """Count the disclosures of the last months, oldest month first."""
        key = await self._key(person)
        async with self._database.read() as connection:
            return await history.reads_per_month(connection, key, months, zone, self._options.clock())

    async def reads_per_client(self, person: str, since: dt.datetime) -> Sequence[tuple[str, int]]:
        """Count the disclosures by application, the one that read most first."""
        key = await self._key(person)
        async with self._database.read() as connection:
            return await history.reads_per_client(connection, key, since, self._options.clock())

    async def check_person(self, person: str) -> PersonCheck:
        """Check that a person's entries are what was recorded, that none is missing, and that each is in the tree."""
        key = await self._key(person)
        async with self._database.read() as connection:
            return await history.check_person(connection, key, self._options.clock())

    async def status(self) -> LogStatus:
        """Tell where the log stands. Raises: StoreUnavailable."""
        try:
            anchored = await self._watch.anchored()
        except NoteInvalid:
            anchored = None  # the watch says so
        async with self._database.read() as connection:
            edge = await tree.head(connection)
            signed, published = await stored(connection, "signed"), await stored(connection, "published")
            followed = await history.successions(connection)
            unsigned = await history.written(connection, signed.size if signed else 0)
        anchor_size = anchored.size if anchored else None
        return LogStatus(edge.size, edge.root, signed, published, anchor_size, self._watch.doubt, followed, unsigned)

    async def _key(self, person: str) -> LogKey:
        try:
            return await self._keys.log_key(person)
        except KeyDestroyed as error:
            raise ChainClosed("the person was erased") from error
        except StoreUnavailable as error:
            raise LogUnavailable("the keys store cannot be reached") from error
