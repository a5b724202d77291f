"""What a deferred request looks like, and the outcomes of asking for its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


class DeferredKind(StrEnum):
    """How it came: from a device that shows a code, or from an application that names the citizen."""

    DEVICE = "device"
    BACKCHANNEL = "backchannel"


@dataclass(frozen=True, slots=True)
class DeferredRequest:
    """One request that waits for its citizen. `person` is None on a device: whoever enters its code answers."""

    id: str
    kind: DeferredKind
    client_id: str
    parameters: Mapping[str, str] = field(repr=False)
    person: str | None
    created_at: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that was just taken; `code` is what the application asks for the answer with, shown this once."""

    id: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """The citizen said yes, and this is the first time the application hears of it."""

    authorization: str


class Unanswered(StrEnum):
    """Why there is nothing to give. REUSED: the answer was fetched before, and its authorization is to be revoked."""

    PENDING = "pending"
    TOO_FAST = "too_fast"
    DENIED = "denied"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    REUSED = "reused"
