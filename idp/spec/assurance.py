"""NIST SP 800-63B-4 §2, RFC 8176 §2: how strong a sign-in is (`acr`), from how the person was recognised (`amr`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

AAL1: Final = "aal1"
AAL2: Final = "aal2"
AAL3: Final = "aal3"
STRENGTH: Final[Mapping[str, int]] = {AAL1: 1, AAL2: 2, AAL3: 3}
"""`acr` values of this provider after NIST's levels, weakest first."""

MFA: Final = "mfa"
CODE: Final = ("otp", MFA)
"""RFC 8176 §2: "otp: One-time password", of an application or of a printed card, after a password."""
_POSSESSION: Final = "pop"
_HARDWARE: Final = "hwk"


def passkey(*, synced: bool) -> tuple[str, ...]:
    """Say how somebody was recognised who used a passkey and was verified by its device (WebAuthn UV).

    RFC 8176 §2: "hwk: Proof-of-Possession (PoP) of a hardware-secured key", "swk: … of a software-secured key", "user: User presence
    test". A key that is copied to other devices is none that hardware holds.
    """
    return ("swk" if synced else _HARDWARE, _POSSESSION, "user", MFA)


def acr_of(amr: Sequence[str]) -> str:
    """Give the level of a sign-in.

    SP 800-63B-4 §2.3.1: AAL3 needs a phishing-resistant authenticator "with a non-exportable authentication key", so that a passkey that
    is copied to other devices makes AAL2 (§2.2.1, appendix B); a password and a code are two factors, and make AAL2 too.
    """
    if {_HARDWARE, _POSSESSION, MFA} <= set(amr):
        return AAL3
    return AAL2 if len(amr) > 1 else AAL1


def with_second(before: Sequence[str], methods: Sequence[str]) -> tuple[str, ...] | None:
    """Give the `amr` of a session after one more proof; None when a passkey proved more than this one can: nothing changes then.

    What was proven before by a second factor is told no longer: the time of the sign-in becomes that of the new proof.
    """
    if _POSSESSION in before and _POSSESSION not in methods:
        return None
    first = [name for name in before if name in _FIRST]
    return (*first, *methods)


_FIRST: Final = frozenset({"pwd", "fed"})


def at_least(acr: str, least: str) -> bool:
    """Tell whether a level is at least another."""
    return STRENGTH.get(acr, 0) >= STRENGTH[least]


def least(asked: Iterable[str]) -> str | None:
    """Give the weakest level that satisfies a request; None when it asks for none of ours."""
    return min((value for value in asked if value in STRENGTH), key=STRENGTH.__getitem__, default=None)
