"""Which kinds of data a declaration may name: the claims of OIDC Core §5.1, and `nik`; and which must never be named (law.md R33)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.records import LegalBasis

if TYPE_CHECKING:
    from collections.abc import Iterable

#: OIDC Core §5.1, without `sub` (no personal value of the citizen's own), and without the two `_verified` companions and `updated_at`
#: that follow their value. Two are ours: `nik`, and `access_history`, who read what about the citizen, for portals that show it elsewhere.
KNOWN_CLAIMS = frozenset(
    {
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "email",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
        "address",
        "nik",
        "access_history",
    }
)

#: A companion says only how its value is known, so it goes where its value goes, and nowhere else.
COMPANIONS = {"email_verified": "email", "phone_number_verified": "phone_number"}

#: UU 24/2013 Art. 84(1) and UU 27/2022 Art. 4(2): specially protected data that this city never keeps, by the names it may come under.
FORBIDDEN_CLAIMS = frozenset(
    {
        "biometric",
        "biometrics",
        "blood_type",
        "criminal_record",
        "disability",
        "disabilities",
        "disgrace",
        "face",
        "fingerprint",
        "fingerprints",
        "genetic",
        "health",
        "iris",
        "signature",
        "aib",
        "cacat",
        "disabilitas",
        "iris_mata",
        "sidik_jari",
        "tanda_tangan",
    }
)

#: Perpres 83/2021: the NIK goes only where a law demands it.
NIK_BASES = frozenset({LegalBasis.LEGAL_OBLIGATION, LegalBasis.PUBLIC_INTEREST})


def kinds_of(claims: Iterable[str]) -> frozenset[str]:
    """Give the kinds of data behind claim names: a companion stands for its value."""
    return frozenset(COMPANIONS.get(name, name) for name in claims)
