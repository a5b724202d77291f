"""A person's keys: destroying them is what erasure means.

Data keys, by generation, seal the person's values; the log key opens the person's part of the access log.

Keys are cached for at most `cache_seconds`, so another process may use a destroyed key for that long at most (less: `refresh`
tells it within one tick); `confirmed=True` asks the store each time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from keys.cache import ExpiringCache
from keys.errors import KeyDestroyed, RootKeyWrong, RootVersionGone
from keys.log_subjects import LogKey
from keys.sealing import DataKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

    from keys.custody import RootKeys
    from keys.store import KeyStore

SIZE: Final = 32
DATA: Final = "data-key"
LOG: Final = "log-key"
_TELL: Final = 10_000
_OVERLAP: Final = dt.timedelta(seconds=60)
_Found = TypeVar("_Found")


@dataclass(slots=True)
class _Held:
    """What this process holds of one person."""

    newest: int
    keys: dict[int, DataKey] = field(default_factory=dict)


class SubjectKeys:
    """Creates, hands out, rotates and destroys the keys of people. `recognise` reads the root keys anew after a root rotation."""

    def __init__(
        self,
        store: KeyStore,
        root: RootKeys,
        recognise: Callable[[], Awaitable[None]],
        *,
        cache_seconds: float,
        cache_size: int,
        clock: Callable[[], float],
    ) -> None:
        self._store = store.subjects
        self._root = root
        self._recognise = recognise
        self._held: ExpiringCache[_Held] = ExpiringCache(cache_size, cache_seconds, clock)
        self._logs: ExpiringCache[LogKey] = ExpiringCache(cache_size, cache_seconds, clock)
        self._cache_seconds = cache_seconds
        self._refreshed: dt.datetime | None = None
        self._forgotten = 0
        self.unwraps = 0  # counted for the metrics: keys used outside the door show as unwraps without entries

    async def create(self, person: str) -> None:
        """Make a person's first keys; nothing happens when they exist.

        Raises: KeyDestroyed when that person's keys were destroyed before.
        """

        async def insert() -> bool:
            log_key = self._root.wrap(LOG, (person,), os.urandom(SIZE))
            return await self._store.create(person, log_key, self._wrapped_data_key(person, 1))

        await self._again_under_a_new_root(insert)

    async def exists(self, person: str) -> bool:
        """Tell whether the person has keys now (asks the store)."""
        return bool(await self._store.log_keys([person]))

    async def data_key(self, person: str, generation: int | None = None, *, confirmed: bool = False) -> DataKey:
        """Give the data key of `generation`, or the newest, to seal with.

        `confirmed` asks the store whether it still exists, whatever the cache says. Raises: KeyDestroyed.
        """
        held = self._held.get(person)
        cached = None if held is None else held.keys.get(held.newest if generation is None else generation)
        if cached is not None and not confirmed:
            return cached
        return await self._read_again_if_rewrapped(lambda: self._read_data_key(person, generation, cached))

    async def _read_data_key(self, person: str, generation: int | None, cached: DataKey | None) -> DataKey:
        forgotten = self._forgotten
        found = await self._store.data_key(person, generation)
        if found is None:
            self.forget(person)
            raise KeyDestroyed
        if cached is not None and cached.generation == found.generation:
            return cached
        key = DataKey(person, found.generation, self._unwrap(DATA, (person, str(found.generation)), found.wrapped))
        if forgotten == self._forgotten:  # else it may have been destroyed while it was read
            self._hold(key, found.newest)
        return key

    async def log_key(self, person: str) -> LogKey:
        """Give the person's log key, ready for use.

        Raises: KeyDestroyed.
        """
        cached = self._logs.get(person)
        if cached is not None:
            return cached
        found = await self._read_again_if_rewrapped(lambda: self._read_log_keys([person]))
        if person not in found:
            raise KeyDestroyed
        return found[person]

    async def log_keys(self, persons: Collection[str]) -> Mapping[str, LogKey]:
        """Give the log keys of many people in one round trip at most. Those whose keys are gone are left out."""
        cached = {person: key for person in persons if (key := self._logs.get(person)) is not None}
        missing = [person for person in dict.fromkeys(persons) if person not in cached]
        if not missing:
            return cached
        return cached | await self._read_again_if_rewrapped(lambda: self._read_log_keys(missing))

    async def _read_log_keys(self, persons: Sequence[str]) -> dict[str, LogKey]:
        forgotten = self._forgotten
        if len(persons) == 1:  # shares a statement with others of this moment
            wrapped = await self._store.log_key(persons[0])
            return {} if wrapped is None else {persons[0]: self._opened(persons[0], wrapped, forgotten)}
        return {person: self._opened(person, wrapped, forgotten) for person, wrapped in (await self._store.log_keys(persons)).items()}

    async def every_log_key(self, page: int = 1000) -> AsyncIterator[Mapping[str, bytes]]:
        """Give the log keys of all living people, page by page, past the cache: for the verification of the whole log."""
        last = ""
        while persons := await self._store.persons_after(last, page):
            yield await self._read_again_if_rewrapped(partial(self._read_page, persons))
            last = persons[-1]

    async def _read_page(self, persons: Sequence[str]) -> Mapping[str, bytes]:
        return {person: self._unwrap(LOG, (person,), key) for person, key in (await self._store.log_keys(persons)).items()}

    async def rotate(self, person: str) -> int:
        """Make the next generation of the person's data key and return it; older ones still open what they sealed.

        Raises: KeyDestroyed.
        """
        current = (await self.data_key(person, confirmed=True)).generation

        async def insert() -> bool:
            return await self._store.rotate(person, current + 1, self._wrapped_data_key(person, current + 1))

        await self._again_under_a_new_root(insert)
        self._held.drop(person)
        return (await self.data_key(person)).generation

    async def superseded(self, after: str, limit: int) -> Sequence[str]:
        """Name people who still have a data key older than their newest, in the order of their ids, beyond `after`."""
        return await self._store.superseded_after(after, limit)

    async def rotate_older(self, moment: dt.datetime, limit: int) -> int:
        """Make the next data key of people whose newest was made before `moment`, at most `limit` of them; return how many."""
        persons = await self._store.made_before(moment, limit)
        for person in persons:
            with contextlib.suppress(KeyDestroyed):  # erased a moment ago
                await self.rotate(person)
        return len(persons)

    async def drop_generations(self, person: str, below: int) -> int:
        """Destroy data keys older than `below` once every cell was sealed anew; return how many.

        Does nothing while another process may still seal under an older one (twice the cache time).
        """
        dropped = await self._store.drop_generations(person, below, dt.timedelta(seconds=2 * self._cache_seconds))
        self._held.drop(person)
        return dropped

    async def destroy(self, person: str) -> bool:
        """Destroy every key of the person, for good; False when that happened before. Doing it again is harmless."""
        self.forget(person)
        try:
            return await self._store.destroy(person)
        finally:
            self.forget(person)

    def forget(self, person: str) -> None:
        """Drop the person's keys from this process."""
        self._forgotten += 1
        self._held.drop(person)
        self._logs.drop(person)

    async def refresh(self, now: dt.datetime) -> None:
        """Drop from this process what others destroyed since the last call. `now` is the database's clock."""
        since, self._refreshed = self._refreshed, now
        if since is None or not (len(self._held) or len(self._logs)):
            return
        destroyed = await self._store.destroyed_since(since - _OVERLAP, _TELL)
        if len(destroyed) == _TELL:  # there may be more of them than were named
            self._held.clear()
            self._logs.clear()
        for person in destroyed:
            self.forget(person)

    def _hold(self, key: DataKey, newest: int) -> None:
        held = self._held.get(key.person)
        if held is None:
            held = _Held(newest)
            self._held.put(key.person, held)
        held.newest = max(held.newest, newest)
        held.keys[key.generation] = key

    def _opened(self, person: str, wrapped: bytes, forgotten: int) -> LogKey:
        """Unwrap a log key, and remember it unless somebody's key was destroyed while it was read."""
        key = LogKey(self._unwrap(LOG, (person,), wrapped))
        if forgotten == self._forgotten:
            self._logs.put(person, key)
        return key

    def _unwrap(self, purpose: str, ad: tuple[str, ...], wrapped: bytes) -> bytes:
        self.unwraps += 1
        return self._root.unwrap(purpose, ad, wrapped)

    def _wrapped_data_key(self, person: str, generation: int) -> bytes:
        return self._root.wrap(DATA, (person, str(generation)), os.urandom(SIZE))

    async def _read_again_if_rewrapped(self, read: Callable[[], Awaitable[_Found]]) -> _Found:
        """Read and unwrap; once more when the root version that a row named was destroyed between the two, for then the row changed before.

        Raises: RootKeyWrong when the key is missing all the same.
        """
        try:
            return await read()
        except RootKeyWrong:
            return await read()

    async def _again_under_a_new_root(self, insert: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await insert()
        except RootVersionGone:
            await self._recognise()
            return await insert()
