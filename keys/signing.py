"""Our own signing keys: made, rotated, published, used. Which key signs follows from the rows and the database's clock alone.

Beside them, under the same rules, the keys that others encrypt to: active is the newest; a retired one still opens what is on its way.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from keys import encryption
from keys.algorithms import ALGORITHMS, ENCRYPTION, fits, private_bytes, public_jwk, read_key, read_own_key
from keys.compact import proven_claims, sign_compact, take_apart
from keys.errors import RootVersionGone, SigningKeyMissing, TokenInvalid
from keys.records import StoredSigningKey
from keys.ring import Ring, SigningKey
from keys.rotation import KeyState, Lifetimes, Span, successor_start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from keys.algorithms import AsymmetricKey
    from keys.custody import RootKeys
    from keys.store import KeyStore

__all__ = ["SigningKey", "SigningKeys"]

PURPOSE: Final = "signing-key"
_SIGNS: Final = frozenset({KeyState.PENDING, KeyState.ACTIVE})
_OPENS: Final = _SIGNS | {KeyState.RETIRED}
_NEVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_FORGET_AFTER: Final = dt.timedelta(minutes=10)
_RELOAD_PAUSE: Final = 1.0
_JSON: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class SigningKeys:
    """Signs and verifies with the keys of the store. `refresh` is the tick that rotates by time and learns of other processes' keys."""

    def __init__(
        self,
        store: KeyStore,
        root: RootKeys,
        recognise: Callable[[], Awaitable[None]],
        *,
        algorithms: Sequence[str],
        lifetimes: Lifetimes,
        generate: Callable[[str], AsymmetricKey],
        clock: Callable[[], float],
    ) -> None:
        self._store = store.signing_keys
        self._root = root
        self._recognise = recognise
        self._algorithms = tuple(algorithms)
        self._lifetimes = lifetimes
        self._generate = generate
        self._clock = clock
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="signing")
        self._loading = asyncio.Lock()
        self._ring = Ring.of(_NEVER, (), lifetimes)
        self._read_at = 0.0
        self._private: dict[str, AsymmetricKey] = {}  # exchanged together with the ring
        self._public: dict[str, AsymmetricKey] = {}

    async def sign(self, claims: Mapping[str, Any], *, algorithm: str, type: str) -> str:  # noqa: A002 - JOSE's word
        """Sign claims as a compact JWS with the active key of `algorithm`; `type` becomes `typ` ("JWT", "at+jwt" …).

        Raises: SigningKeyMissing.
        """
        key = self._ring.active(algorithm, self._now())
        private = None if key is None else self._private.get(key.kid)
        if key is None or private is None:
            raise SigningKeyMissing(algorithm)
        signed = partial(sign_compact, algorithm, private, kid=key.kid, type=type, payload=_JSON.encode(claims).encode())
        if not ALGORITHMS[algorithm].slow:
            return signed()
        return await asyncio.get_running_loop().run_in_executor(self._threads, signed)

    async def verify(
        self,
        token: str,
        *,
        algorithms: Sequence[str],
        type: str | Sequence[str] | None,  # noqa: A002 - JOSE's word
        outlived: bool = False,
    ) -> dict[str, Any]:
        """Give the claims of a token that we signed: signature, algorithm and `typ` hold; `exp`, `aud` … are the caller's to check.

        `outlived` also takes keys whose time ended (not those removed before it): for documents that are kept for years, as consent
        receipts are; no token. Raises: TokenInvalid.
        """
        compact = take_apart(token, algorithms, type)
        if compact.kid is None:
            raise TokenInvalid("it names no key")
        await self._learn(compact.kid)
        row = self._ring.by_kid.get(compact.kid)
        if row is None or row.algorithm != compact.algorithm or not self._ring.verifies(row, self._now(), outlived=outlived):
            raise TokenInvalid("no key of ours by that kid and algorithm")
        return proven_claims(compact, self._public_key(row))

    async def decrypt(self, token: str) -> bytes:
        """Open a compact JWE that was encrypted to a key of ours; what is inside is not proven by it, for anybody can encrypt to us.

        Raises: TokenInvalid.
        """
        sealed = encryption.take_apart(token)
        now = self._now()
        if sealed.kid is not None:
            await self._learn(sealed.kid)
        row = self._ring.active(sealed.kept_under, now) if sealed.kid is None else self._ring.by_kid.get(sealed.kid)
        private = None if row is None else self._private.get(row.kid)
        if row is None or private is None or row.algorithm != sealed.kept_under or not self._ring.verifies(row, now, outlived=False):
            raise TokenInvalid("it is encrypted to no key of ours")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, encryption.decrypt, sealed, private)

    def jwks(self) -> dict[str, Any]:
        """Give the public JWK Set: pending, active and retired keys."""
        now = self._now()
        shown = (key for kid, key in self._ring.by_kid.items() if self._ring.state(kid, now) is not KeyState.REMOVED)
        return {"keys": [json.loads(key.public_jwk) for key in shown]}

    async def list(self) -> Sequence[SigningKey]:
        """List every key with its state and times, removed ones too."""
        await self._load()
        return self._ring.listed(self._now())

    async def rotate(self, algorithm: str | None = None, *, at_once: bool = False) -> Sequence[SigningKey]:
        """Make a successor for one algorithm, or for all; return them.

        It is published now and signs after the pending time, so that every service has it by then; `at_once` lets it sign now (a
        key was lost). A successor that is pending already is the one returned: two processes that rotate together make one.
        """
        await self._load()
        chosen = self._algorithms if algorithm is None else (algorithm,)
        start = self._now() if at_once else self._now() + self._lifetimes.pending
        for name in chosen:
            await self._succeed(name, start)
        await self._load()
        newest = {self._ring.rows[name][-1].kid for name in chosen}
        return [key for key in self._ring.listed(self._now()) if key.kid in newest]

    async def remove(self, kid: str) -> bool:
        """Remove a key before its time: what it signed is refused from now on. False for the active key: rotate at once first."""
        await self._load()
        if self._ring.state(kid, self._now()) not in {KeyState.PENDING, KeyState.RETIRED}:
            return False
        await self._store.remove_signing_key(kid, self._now())
        await self._load()
        return True

    async def refresh(self) -> Sequence[SigningKey]:
        """Rotate what is due by time, let go of what has ended, and read the ring anew.

        Returns the keys that this process, and no other, made or removed just now.
        """
        await self._load()
        now = self._now()
        changed = {await self._make_due(algorithm, now) for algorithm in self._algorithms}
        for key in self._ring.by_kid.values():
            changed.add(await self._end(key, self._ring.spans[key.kid], now))
        if changed != {None}:
            await self._load()
        return [key for key in self._ring.listed(now) if key.kid in changed]

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _succeed(self, algorithm: str, start: dt.datetime) -> None:
        if self._pending(algorithm) is None:
            await self._make(algorithm, start)
            await self._load()
        pending = self._pending(algorithm)  # another process's, perhaps, made at the same time and meant to start later
        if pending is not None and pending.not_before > start:
            await self._store.hasten_signing_key(pending.kid, start)

    def _pending(self, algorithm: str) -> StoredSigningKey | None:
        rows = self._ring.rows.get(algorithm, ())
        return rows[-1] if rows and rows[-1].not_before > self._now() else None

    async def _make_due(self, algorithm: str, now: dt.datetime) -> str | None:
        start = successor_start(self._ring.rows.get(algorithm, ()), now, self._lifetimes)
        return None if start is None else await self._make(algorithm, start)

    async def _end(self, key: StoredSigningKey, span: Span, now: dt.datetime) -> str | None:
        """Remove a key whose time is over; destroy the private part of one that signs no more."""
        if span.state(now) is KeyState.REMOVED and key.removed_at is None:
            return key.kid if await self._store.remove_signing_key(key.kid, now) else None
        if key.wrapped and key.algorithm not in ENCRYPTION and span.retires_at and now - span.retires_at > _FORGET_AFTER:
            await self._store.forget_private_part(key.kid)
        return None

    async def _make(self, algorithm: str, not_before: dt.datetime) -> str | None:
        """Make the next key of an algorithm; its kid, or None when another process made it first."""
        rows = self._ring.rows.get(algorithm, ())
        loop = asyncio.get_running_loop()
        key = await loop.run_in_executor(self._threads, self._generate, algorithm)
        if not fits(algorithm, key):
            raise ValueError(f"the generated key does not fit {algorithm}")
        kid = key.thumbprint()
        row = StoredSigningKey(
            kid=kid,
            algorithm=algorithm,
            sequence=rows[-1].sequence + 1 if rows else 1,
            public_jwk=json.dumps(public_jwk(key, algorithm), separators=(",", ":")),
            wrapped=self._root.wrap(PURPOSE, (kid,), private_bytes(key)),
            created_at=self._now(),
            not_before=not_before,
            removed_at=None,
        )
        try:
            added = await self._store.add_signing_key(row)
        except RootVersionGone:
            await self._recognise()
            added = await self._store.add_signing_key(replace(row, wrapped=self._root.wrap(PURPOSE, (kid,), private_bytes(key))))
        return kid if added else None

    async def _learn(self, kid: str) -> None:
        """Read the ring anew for a key that another process may just have made; at most once a second, whoever asks."""
        if kid in self._ring.by_kid:
            return
        async with self._loading:
            if kid not in self._ring.by_kid and self._clock() - self._read_at > _RELOAD_PAUSE:
                await self._read_ring()

    async def _load(self) -> None:
        async with self._loading:
            await self._read_ring()

    async def _read_ring(self) -> None:
        read_at, rows = await self._store.signing_keys()
        clock = self._clock()
        ring = Ring.of(read_at, rows, self._lifetimes)
        private = self._private_keys(ring)
        self._ring, self._read_at, self._private = ring, clock, private

    def _private_keys(self, ring: Ring) -> dict[str, AsymmetricKey]:
        """Give the private keys of those that sign now or will, or open; each is read once."""
        found = {}
        for key in ring.by_kid.values():
            useful = _OPENS if key.algorithm in ENCRYPTION else _SIGNS
            if key.wrapped is not None and ring.state(key.kid, ring.read_at) in useful:
                known = self._private.get(key.kid)
                if known is None:
                    private = json.loads(self._root.unwrap(PURPOSE, (key.kid,), key.wrapped))
                    known = read_own_key(private)
                found[key.kid] = known
        return found

    def _public_key(self, key: StoredSigningKey) -> AsymmetricKey:
        public = self._public.get(key.kid)
        if public is None:
            public = self._public[key.kid] = read_key(json.loads(key.public_jwk))
        return public

    def _now(self) -> dt.datetime:
        """Give the database's clock: as read, plus what passed since."""
        return self._ring.read_at + dt.timedelta(seconds=self._clock() - self._read_at)
