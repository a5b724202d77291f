"""What a proposal looks like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


class ProposalKind(StrEnum):
    """What two people decide.

    UNSEAL: telling the name behind a pseudonym. PURPOSE: a purpose for an application that registered itself. OPENINGS: telling an auditor
    who the entries of a stretch of the log are about. DELAY: showing what an application reads about a person to that person later.
    """

    UNSEAL = "unseal"
    PURPOSE = "purpose"
    OPENINGS = "openings"
    DELAY = "delay"


class ProposalState(StrEnum):
    """How a proposal stands. CONFIRMED: it may be carried out, once, until its time is over."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal. `subject` says what about, by ids; people are pseudonyms of staff."""

    id: str
    kind: ProposalKind
    subject: Mapping[str, str]
    reason: str
    by: str
    at: dt.datetime
    expires_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    confirmed: bool
    done_at: dt.datetime | None

    @property
    def told(self) -> Mapping[str, str]:
        """What it is about as records and lists say it: a key by its thumbprint, nobody's chain, and nothing that was left open."""
        return {name: value for name, value in self.subject.items() if name not in {"key", "chain"} and value}

    def state(self, now: dt.datetime) -> ProposalState:
        """Tell how it stands at a moment."""
        if self.done_at is not None:
            return ProposalState.DONE
        if self.decided_at is not None and not self.confirmed:
            return ProposalState.REFUSED
        if now >= self.expires_at:
            return ProposalState.EXPIRED
        return ProposalState.CONFIRMED if self.confirmed else ProposalState.OPEN
