"""Passwords: argon2id in a pool of few threads with a short queue.

Hashing is made to be slow, so a crowd at the door must be told to come back, not queued without end; and a person who does not
exist must cost what a person who does costs.
"""

from __future__ import annotations

import asyncio
import base64
import math
import os
import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import argon2

from keys.database import require_no_connection
from keys.errors import PoolFull
from keys.foreign_passwords import foreign, matches

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """The outcome: `ok`, and in `rehash` a new hash to store when the old one's parameters are behind."""

    ok: bool
    rehash: str | None = None


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """Argon2id parameters; the defaults are OWASP's (19 MiB, 2 passes, 1 lane). `memory` in KiB."""

    memory: int = 19 * 1024
    time: int = 2
    parallelism: int = 1


_MOST = PasswordCost(memory=256 * 1024, time=16, parallelism=16)


class Passwords:
    """Hashes and checks. `threads` work at once, `queue` more may wait; the next is refused with PoolFull."""

    def __init__(self, cost: PasswordCost, *, threads: int, queue: int) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=cost.time, memory_cost=cost.memory, parallelism=cost.parallelism)
        self._nobody = _hash_of_nobody(cost)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._threads = threads
        self._room = threads + queue
        self._inside = 0
        self._lock = threading.Lock()
        self._seconds = 0.05

    async def hash(self, password: str) -> str:
        """Hash a new password.

        Raises: PoolFull, ConnectionHeld.
        """
        return await self._run(lambda: self._hasher.hash(_normalised(password)))

    async def verify(self, stored: str | None, password: str) -> PasswordCheck:
        """Check `password` against `stored`; `stored=None` (nobody by that name) costs the same and is never ok.

        Raises: PoolFull, ConnectionHeld.
        """
        return await self._run(lambda: self._check(stored, password))

    def close(self) -> None:
        """Stop the threads; what runs is finished."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _check(self, stored: str | None, password: str) -> PasswordCheck:
        if stored is not None and foreign(stored):
            ok = matches(stored, password)
            return PasswordCheck(ok=ok, rehash=self._hasher.hash(_normalised(password)) if ok else None)
        try:
            self._hasher.verify(self._nobody if stored is None else stored, _normalised(password))
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return PasswordCheck(ok=False)
        if stored is None:
            return PasswordCheck(ok=False)
        behind = self._hasher.check_needs_rehash(stored)
        return PasswordCheck(ok=True, rehash=self._hasher.hash(_normalised(password)) if behind else None)

    async def _run(self, work: Callable[[], T]) -> T:
        require_no_connection("a password hash")
        if self._inside >= self._room:
            raise PoolFull(max(1, math.ceil(self._inside * self._seconds / self._threads)))
        self._count(1)
        future = self._pool.submit(self._timed, work)
        future.add_done_callback(lambda _: self._count(-1))
        return await asyncio.wrap_future(future)

    def _timed(self, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        try:
            return work()
        finally:
            self._seconds += 0.2 * (time.perf_counter() - start - self._seconds)

    def _count(self, change: int) -> None:
        with self._lock:  # called from the loop and from the pool's threads
            self._inside += change


def importable(stored: str) -> bool:
    """Tell whether a hash from elsewhere can be checked here: argon2id, bcrypt or PBKDF2, at a cost that no check of ours would choke on.

    It is hashed anew, as argon2id at our cost, at the first sign-in.
    """
    if foreign(stored):
        return True
    try:
        found = argon2.extract_parameters(stored)
    except argon2.exceptions.InvalidHashError:
        return False
    cheap = found.memory_cost <= _MOST.memory and found.time_cost <= _MOST.time and found.parallelism <= _MOST.parallelism
    return found.type is argon2.Type.ID and cheap


def _normalised(password: str) -> bytes:
    """NIST SP 800-63B-4 §3.1.1.2: "the verifier SHOULD apply the normalization process for stabilized strings"; RFC 8265 uses NFC."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _hash_of_nobody(cost: PasswordCost) -> str:
    """Give a well-formed hash that no password has: checking against it takes the full work."""
    salt, tag = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={cost.memory},t={cost.time},p={cost.parallelism}${salt}${tag}"
