"""What the keys store holds, as values. `wrapped` is always under a root key, never a key itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class RootVersion:
    """A root key version in use; `check_value` unwraps only under the right key."""

    version: int
    check_value: bytes
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class StoredSigningKey:
    """A signing key. `wrapped` is None once its private part was destroyed; it signs from `not_before` until its successor's."""

    kid: str
    algorithm: str
    sequence: int
    public_jwk: str
    wrapped: bytes | None
    created_at: dt.datetime
    not_before: dt.datetime
    removed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class WrappedDataKey:
    """A person's data key of one generation; `newest` is the generation that seals now."""

    person: str
    generation: int
    wrapped: bytes
    newest: int


@dataclass(frozen=True, slots=True)
class StoredCheckpointKey:
    """A key of the log's signer. `wrapped` is None when its private part lives in a file."""

    number: int
    public_key: bytes
    wrapped: bytes | None


@dataclass(frozen=True, slots=True)
class WrappedRow:
    """One wrapped value anywhere in the store, for rewrapping: `key` is the primary key, in the columns' order."""

    table: str
    key: tuple[str | int, ...]
    wrapped: bytes
