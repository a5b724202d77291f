"""UU 27/2022 Art. 9, 20 to 22, 40 (law.md R2, R4, R12): whether a card must be shown, and what may be read. Pure.

Invariant 5, in one line: a service gets at most  asked ∩ declared ∩ allowed.  Both functions only ever intersect.
(A companion such as `email_verified` asks for its value, `email`.)
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

from consent.purposes.vocabulary import kinds_of
from consent.records import GrantState, LegalBasis

if TYPE_CHECKING:
    import datetime as dt

    from consent.records import Grant, Purpose

Kind = Literal["consent", "notice"]
RefusedBecause = Literal["other_purpose"]


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """A card must be shown: the names it lists, and whether it asks (basis a) or tells (every other basis)."""

    required: frozenset[str]
    optional: frozenset[str]
    kind: Kind


@dataclasses.dataclass(frozen=True, slots=True)
class Allowed:
    """A grant covers what is asked; `claims` are the names that may be read."""

    claims: frozenset[str]
    grant: Grant


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """Nothing may be read and no card can mend it."""

    reason: RefusedBecause


def card_kind(purpose: Purpose) -> Kind:
    """Tell which card a purpose has (law.md R2: what is mandatory is told, not asked)."""
    return "consent" if purpose.basis is LegalBasis.CONSENT else "notice"


def decide(
    asked: frozenset[str], purpose: Purpose, grant: Grant | None, now: dt.datetime, *, force: bool = False
) -> Ask | Allowed | Refused:
    """Decide before a code is issued. `purpose` is the newest version; `force` is prompt=consent.

    Ask again: new application, claims beyond the grant, new purpose version, withdrawn, 12 months (in `expires_at`), prompt=consent.
    """
    if grant is not None and grant.purpose != purpose.id:
        return Refused("other_purpose")
    wanted = kinds_of(asked) & purpose.declared
    if grant is None or force or not is_active(grant, now) or not _covers(grant, purpose, wanted):
        return Ask(wanted & purpose.required_names, wanted & purpose.optional_names, card_kind(purpose))
    return Allowed(wanted & grant.claims, grant)


def is_active(grant: Grant, now: dt.datetime) -> bool:
    """Tell whether a grant lets anything be read at this instant."""
    return grant.state is GrantState.ACTIVE and grant.expires_at is not None and now < grant.expires_at


def readable(asked: frozenset[str], consented: Purpose, newest: Purpose, grant: Grant, now: dt.datetime) -> frozenset[str]:
    """Decide before values leave: `consented` is the version that the grant names, `newest` what is declared today.

    Old consent is not stretched to what a newer version adds (law.md R4), and what a newer version gave up is not read any more.
    """
    same = grant.purpose == consented.id == newest.id and grant.purpose_version == consented.version
    if not same or not is_active(grant, now):
        return frozenset()
    return kinds_of(asked) & consented.declared & newest.declared & grant.claims


def _covers(grant: Grant, purpose: Purpose, wanted: frozenset[str]) -> bool:
    """An optional one that was offered and left off was answered; it is not asked at every sign-in."""
    return (
        grant.purpose_version == purpose.version
        and grant.basis is purpose.basis
        and wanted <= grant.offered
        and wanted & purpose.required_names <= grant.claims
    )
