"""What a running authorization request looks like."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


class Step(StrEnum):
    """A page of its own between the request and the answer; the value stands in its path."""

    LOGIN = "login"
    SECOND_FACTOR = "second-factor"
    APPROVE = "approve"


class Closed(StrEnum):
    """Why an interaction cannot go on."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    FINISHED = "finished"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Interaction:
    """One running request. `parameters` are the request's own; the times say when a step was passed in it."""

    id: str
    client_id: str
    parameters: Mapping[str, str] = field(repr=False)
    created_at: dt.datetime
    expires_at: dt.datetime
    login_at: dt.datetime | None
    second_factor_at: dt.datetime | None
    approved_at: dt.datetime | None
