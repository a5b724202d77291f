"""The key ring of a moment: all signing keys as read at one time of the database's clock, and where each stands at a later one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keys.rotation import KeyState, Lifetimes, Span, spans

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
    """All signing keys by algorithm, oldest first; `spans` by kid."""

    read_at: dt.datetime
    lifetimes: Lifetimes
    rows: Mapping[str, Sequence[StoredSigningKey]]
    by_kid: Mapping[str, StoredSigningKey]
    spans: Mapping[str, Span]

    @classmethod
    def of(cls, read_at: dt.datetime, keys: Sequence[StoredSigningKey], lifetimes: Lifetimes) -> Ring:
        """Sort keys into a ring."""
        rows: dict[str, list[StoredSigningKey]] = {}
        for key in sorted(keys, key=lambda key: (key.algorithm, key.sequence)):
            rows.setdefault(key.algorithm, []).append(key)
        found = {key.kid: span for siblings in rows.values() for key, span in zip(siblings, spans(siblings, lifetimes), strict=True)}
        return cls(read_at, lifetimes, rows, {key.kid: key for siblings in rows.values() for key in siblings}, found)

    def active(self, algorithm: str, now: dt.datetime) -> StoredSigningKey | None:
        """Give the key of an algorithm that signs now: the youngest whose time has come."""
        for key in reversed(self.rows.get(algorithm, ())):
            if key.not_before <= now:
                return key if key.removed_at is None else None
        return None

    def state(self, kid: str, now: dt.datetime) -> KeyState | None:
        """Tell the state of one key; None for a key that is not ours."""
        span = self.spans.get(kid)
        return None if span is None else span.state(now)

    def verifies(self, key: StoredSigningKey, now: dt.datetime, *, outlived: bool) -> bool:
        """Tell whether signatures of `key` are accepted; `outlived`: also after its time, unless it was removed before its time."""
        span = self.spans[key.kid]
        if span.state(now) is not KeyState.REMOVED:
            return True
        ends = None if span.retires_at is None else span.retires_at + self.lifetimes.retired
        return outlived and ends is not None and (key.removed_at is None or key.removed_at >= ends)

    def listed(self, now: dt.datetime) -> Sequence[SigningKey]:
        """List every key for an operator."""
        return [
            SigningKey(
                kid=kid,
                algorithm=key.algorithm,
                state=self.spans[kid].state(now),
                created_at=key.created_at,
                not_before=key.not_before,
                retires_at=self.spans[kid].retires_at,
                removes_at=self.spans[kid].removes_at,
            )
            for kid, key in self.by_kid.items()
        ]
