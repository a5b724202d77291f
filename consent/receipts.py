"""Consent receipts: proof of a permission that its giver can keep (law.md R7, R23), with fields after ISO/IEC TS 27560:2023.

A receipt names kinds of data, never values; the person stands in it under a name of its own for each grant, so that two receipts held
side by side tell nobody that one person gave both.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from consent.records import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.records import Asking, Card, ClaimNeed, Grant, GrantEvent, Purpose
    from keys.keyring import Keyring

TYPE: Final = "consent-receipt+jwt"
ALGORITHM: Final = "ES256"
SCHEMA: Final = "ISO/IEC TS 27560:2023"


@dataclasses.dataclass(frozen=True, slots=True)
class Operator:
    """The city as the one that keeps the record: its issuer, its name, and whom to write to about personal data."""

    issuer: str
    name: str
    dpo_contact: str


class Receipts:
    """Makes and checks signed receipts."""

    def __init__(self, keyring: Keyring, operator: Operator) -> None:
        self._keyring = keyring
        self._operator = operator

    async def sign(self, asking: Asking, purpose: Purpose, grant: Grant, event: GrantEvent, card: Card) -> str:
        """Sign what the card said and what was answered."""
        claims = self._claims(asking, purpose, grant, event, card)
        return await self._keyring.signing.sign(claims, algorithm=ALGORITHM, type=TYPE)

    async def verify(self, receipt: str) -> Mapping[str, Any]:
        """Check the signature, also of a key long retired, and give the content. Raises: keys.errors.TokenInvalid."""
        return await self._keyring.signing.verify(receipt, algorithms=[ALGORITHM], type=TYPE, outlived=True)

    def _claims(self, asking: Asking, purpose: Purpose, grant: Grant, event: GrantEvent, card: Card) -> dict[str, Any]:
        language = card.language
        return {
            "iss": self._operator.issuer,
            "iat": int(event.occurred.timestamp()),
            "jti": event.id,
            "sub": self._keyring.pairwise.subject(f"receipt/{grant.id}", grant.person),
            "schema_version": SCHEMA,
            "record_id": grant.id,
            "record_version": grant.version,
            "event": {"type": event.kind.value, "time": event.occurred.isoformat(timespec="seconds")},
            "pii_controllers": [
                {
                    "id": purpose.agency,
                    "name": spoken(purpose.agency_name, language),
                    "service": asking.client_name,
                    "contact": asking.contact,
                },
                {"id": self._operator.issuer, "name": self._operator.name, "contact": self._operator.dpo_contact},
            ],
            "data_protection_officer": self._operator.dpo_contact,
            "notice": {"template": card.template, "language": language, "text_hash": card.text_hash, "declaration": purpose.text_hash},
            "purposes": [_purpose(purpose, grant, card)],
        }


def _purpose(purpose: Purpose, grant: Grant, card: Card) -> dict[str, Any]:
    language = card.language
    return {
        "id": purpose.id,
        "version": purpose.version,
        "title": spoken(purpose.title, language),
        "description": spoken(purpose.text, language),
        "lawful_basis": purpose.basis.value,
        "legal_ref": purpose.legal_ref,
        "legality": spoken(purpose.legality, language),
        "pii_information": [
            _kind(need, language, optional=optional, allowed=need.name in grant.claims)
            for needs, optional in ((purpose.required, False), (purpose.optional, True))
            for need in needs
            if need.name in card.offered
        ],
        "retention": spoken(purpose.retention, language),
        "period": spoken(purpose.period, language),
        "valid_until": None if grant.expires_at is None else grant.expires_at.isoformat(timespec="seconds"),
        "recipients": spoken(purpose.recipients, language),
        "rights": spoken(purpose.rights, language),
    }


def _kind(need: ClaimNeed, language: str, *, optional: bool, allowed: bool) -> dict[str, Any]:
    return {"type": need.name, "optional": optional, "allowed": allowed, "relevance": spoken(need.relevance, language)}
