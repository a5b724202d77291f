"""Keyrings for tests: real ones, with cheap password hashes and RSA keys made once per run."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

from keys.algorithms import AsymmetricKey, generate
from keys.custody import RootKeys
from keys.keyring import Keyring, KeyringOptions
from keys.passwords import PasswordCost

if TYPE_CHECKING:
    from keys.database import Database

CHEAP = PasswordCost(memory=8, time=1, parallelism=1)
ROOT = "1 " + "A" * 42 + "E"
_POOL = 6
_rsa: dict[str, list[AsymmetricKey]] = {}
_drawn: dict[str, count[int]] = {}


def pregenerated(algorithm: str) -> AsymmetricKey:
    """Give a key; RSA keys come from a pool of a few, since making one takes a tenth of a second."""
    if algorithm not in {"RS256", "PS256", "RSA-OAEP-256"}:
        return generate(algorithm)
    pool = _rsa.setdefault(algorithm, [])
    number = next(_drawn.setdefault(algorithm, count()))
    if number < _POOL:
        pool.append(generate(algorithm))
    return pool[number % len(pool)]


def options(**changes: object) -> KeyringOptions:
    """Give options for tests; `changes` name fields of KeyringOptions."""
    values: dict[str, object] = {"password_cost": CHEAP, "password_threads": 2, "generate": pregenerated, **changes}
    return KeyringOptions(**values)  # type: ignore[arg-type]


def root_keys() -> RootKeys:
    """Give the root key that all test keyrings share."""
    return RootKeys.from_environment(ROOT)


async def open_keyring(database: Database, root: RootKeys | None = None, **changes: object) -> Keyring:
    """Open a keyring on the keys store of a test. Close it after."""
    return await Keyring.open(database, root or root_keys(), options(**changes))


def random_root() -> RootKeys:
    """Give a root key of its own."""
    return RootKeys({1: os.urandom(32)})
