"""What a link and a sign-in on its way look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class Link:
    """An account that somebody at an upstream signs in to."""

    upstream: str
    person: str
    linked_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """A browser that was sent to an upstream: what its answer must fit, where to go on, and (`person`) whose account is to be linked.

    `since`: the sign-in there must not be older, in seconds since the epoch; None: any will do.
    """

    upstream: str
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    interaction: str | None = None
    next: str = "/"
    person: str | None = None
    since: int | None = None
