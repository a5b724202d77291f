"""The key ring of a moment: all signing keys as read at one time of the database's clock, and where each stands at a later one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keys.rotation import KeyState, Lifetimes, Standing, standings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from keys.records import StoredSigningKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signing key as listed: when it signs (`not_before`), stops signing and stops verifying (None: not decided yet)."""

    kid: str
    algorithm: str
    state: KeyState
    created_at: dt.datetime
    not_before: dt.datetime
    retires_at: dt.datetime | None
    removes_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Ring:
    """All signing keys by algorithm, oldest first."""

    read_at: dt.datetime
    rows: Mapping[str, Sequence[StoredSigningKey]]
    lifetimes: Lifetimes
    by_kid: Mapping[str, StoredSigningKey] = field(default_factory=dict)

    @classmethod
    def of(cls, read_at: dt.datetime, keys: Sequence[StoredSigningKey], lifetimes: Lifetimes) -> Ring:
        """Sort keys into a ring."""
        rows: dict[str, list[StoredSigningKey]] = {}
        for key in sorted(keys, key=lambda key: key.sequence):
            rows.setdefault(key.algorithm, []).append(key)
        return cls(read_at, rows, lifetimes, {key.kid: key for key in keys})

    def standing(self, algorithm: str, now: dt.datetime) -> Sequence[tuple[StoredSigningKey, Standing]]:
        """Tell where each key of an algorithm stands, oldest first."""
        rows = self.rows.get(algorithm, ())
        return list(zip(rows, standings(rows, now, self.lifetimes), strict=True))

    def everything(self, now: dt.datetime) -> Sequence[tuple[StoredSigningKey, Standing]]:
        """Tell where every key stands."""
        return [found for algorithm in self.rows for found in self.standing(algorithm, now)]

    def active(self, algorithm: str, now: dt.datetime) -> StoredSigningKey | None:
        """Give the key of an algorithm that signs now: the youngest whose time has come."""
        for key in reversed(self.rows.get(algorithm, ())):
            if key.not_before <= now:
                return key if key.removed_at is None else None
        return None

    def verifies(self, key: StoredSigningKey, now: dt.datetime, *, outlived: bool) -> bool:
        """Tell whether signatures of `key` are accepted; `outlived`: also after its time, unless it was removed before its time."""
        standing = next(standing for row, standing in self.standing(key.algorithm, now) if row.kid == key.kid)
        if standing.state is not KeyState.REMOVED:
            return True
        ends = None if standing.retires_at is None else standing.retires_at + self.lifetimes.retired
        return outlived and ends is not None and (key.removed_at is None or key.removed_at >= ends)

    def state(self, kid: str, now: dt.datetime) -> KeyState | None:
        """Tell the state of one key; None for a key that is not ours."""
        row = self.by_kid.get(kid)
        if row is None:
            return None
        return next(standing.state for key, standing in self.standing(row.algorithm, now) if key.kid == kid)

    def listed(self, now: dt.datetime) -> Sequence[SigningKey]:
        """List every key for an operator."""
        return [
            SigningKey(
                kid=key.kid,
                algorithm=key.algorithm,
                state=standing.state,
                created_at=key.created_at,
                not_before=key.not_before,
                retires_at=standing.retires_at,
                removes_at=standing.removes_at,
            )
            for key, standing in self.everything(now)
        ]
