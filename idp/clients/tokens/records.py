"""What is known of an initial access token; the token itself is shown once, when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class InitialToken:
    """Leave to register `remaining` more applications until `expires_at`. `note` says whom it was given to."""

    id: str
    note: str
    remaining: int
    created_at: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """An initial access token that was just made."""

    known: InitialToken
    token: str = field(repr=False)
