"""The words of consent/: purposes, grants and sealed values, as frozen records without behaviour beyond their own fields."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from keys.sealing import Binding

LANGUAGES = ("id", "en")

Source = Literal["asserted", "verified"]


class LegalBasis(enum.StrEnum):
    """The lawful bases of UU 27/2022 Art. 20(2), by their letters."""

    CONSENT = "a"
    CONTRACT = "b"
    LEGAL_OBLIGATION = "c"
    VITAL_INTEREST = "d"
    PUBLIC_INTEREST = "e"
    LEGITIMATE_INTEREST = "f"


class GrantState(enum.StrEnum):
    """Where a grant stands. Only an active one lets anything be read."""

    REQUESTED = "requested"
    ACTIVE = "active"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"


class EventKind(enum.StrEnum):
    """What can happen to a grant; the ledger holds nothing else."""

    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    RENEWED = "renewed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"


@dataclasses.dataclass(frozen=True, slots=True)
class ClaimNeed:
    """One kind of data that a purpose reads, and why it matters there, by language."""

    name: str
    relevance: Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Purpose:
    """One immutable version of a purpose declaration. `text_hash` is the hash of its whole content."""

    id: str
    version: int
    agency: str
    agency_name: Mapping[str, str]
    title: Mapping[str, str]
    text: Mapping[str, str]
    legality: Mapping[str, str]
    basis: LegalBasis
    legal_ref: str | None
    required: tuple[ClaimNeed, ...]
    optional: tuple[ClaimNeed, ...]
    details: Mapping[str, str]
    retention: Mapping[str, str]
    period: Mapping[str, str]
    max_validity_days: int
    recipients: Mapping[str, str]
    rights: Mapping[str, str]
    text_hash: str
    declared_at: dt.datetime

    @property
    def required_names(self) -> frozenset[str]:
        """The names of what the purpose cannot do without."""
        return frozenset(need.name for need in self.required)

    @property
    def optional_names(self) -> frozenset[str]:
        """The names of what the citizen may add."""
        return frozenset(need.name for need in self.optional)

    @property
    def declared(self) -> frozenset[str]:
        """Every name that the purpose may ever read."""
        return self.required_names | self.optional_names

    def relevance(self, claim: str) -> Mapping[str, str]:
        """Say why a claim matters here. Raises: KeyError for an undeclared one."""
        return {need.name: need.relevance for need in (*self.required, *self.optional)}[claim]


@dataclasses.dataclass(frozen=True, slots=True)
class Grant:
    """What a citizen allowed, or must let pass, for one client and purpose.

    `version` rises at every event. `offered` is what the card showed; `claims`, its subset, what may be read. `frozen` is not the grant's
    own: while it is true nothing of this person may be read under any grant (law.md R14).
    """

    id: str
    person: str
    client: str
    client_name: str
    agency: str
    purpose: str
    purpose_version: int
    basis: LegalBasis
    claims: frozenset[str]
    offered: frozenset[str]
    state: GrantState
    version: int
    opened_at: dt.datetime
    given_at: dt.datetime | None
    expires_at: dt.datetime | None
    language: str | None
    frozen: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Asking:
    """Who stands at the door: the person, the client that sent them, and how they signed in. `contact` is the agency's DPO contact."""

    person: str
    client: str
    client_name: str
    acr: str | None = None
    auth_time: dt.datetime | None = None
    contact: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """What was put before a citizen: enough to show later what was asked, and how, without any value.

    `text` is the card's whole text as it was shown, `text_hash` its SHA-256; it is kept once for all who saw the same.
    """

    template: str
    language: str
    text_hash: str
    offered: frozenset[str]
    text: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Given:
    """A permission that was recorded: the grant, its signed receipt, and the id of its entry in the access log."""

    grant: Grant
    receipt: str
    entry_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class GrantEvent:
    """One line of the ledger. `actor` is None when the citizen did it."""

    id: str
    grant: str
    grant_version: int
    kind: EventKind
    occurred: dt.datetime
    purpose_version: int
    claims: frozenset[str]
    actor: Mapping[str, Any] | None = None
    template: str | None = None
    language: str | None = None
    text_hash: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class SealedValue:
    """A personal value as it rests: sealed, with what is needed to open it, and who vouches for it.

    The person must not be told apart from `binding.person`; the doors compare both.
    """

    person: str
    claim: str
    cell: bytes
    binding: Binding
    source: Source
    updated_at: dt.datetime | None = None


def spoken(text: Mapping[str, str], language: str | None) -> str:
    """Give a text in a language; in Indonesian when it was not written in that one."""
    return text.get(language or LANGUAGES[0]) or text[LANGUAGES[0]]
