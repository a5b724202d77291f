"""What a notice to an application looks like."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


class NoticeKind(StrEnum):
    """In which words an application is told."""

    LOGOUT = "logout"
    SIGNAL = "signal"


class NoticeStatus(StrEnum):
    """What became of a notice. Only WAITING ones are tried."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """Something to tell one application. The same `cause` is told once for each kind and event, however often it is added.

    `held`: it is not sent but waits until the application fetches it (RFC 8936).
    """

    client: str
    kind: NoticeKind
    event: str
    cause: str
    content: Mapping[str, Any] = field(repr=False)
    held: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice that is due; `attempts` counts this one in. `id` is the `jti` of a security event, the same at every attempt."""

    id: str
    client: str
    kind: NoticeKind
    event: str
    content: Mapping[str, Any] = field(repr=False)
    attempts: int
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """What administrators see of a notice. `answer`: a status code or a sentence of ours, never the application's own words."""

    id: str
    client: str
    kind: NoticeKind
    event: str
    status: NoticeStatus
    attempts: int
    created_at: dt.datetime
    last_attempt_at: dt.datetime | None
    next_attempt_at: dt.datetime | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class LateNotices:
    """Notices of one kind that an application never acknowledged: how many, and since when."""

    client: str
    event: str
    count: int
    oldest: dt.datetime
