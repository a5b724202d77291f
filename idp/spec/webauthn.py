"""WebAuthn Level 3 §5.4, §5.5, §13.4: what our pages ask an authenticator for. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TIMEOUT: Final = 120_000
"""Milliseconds. §15.1 recommends 5 to 10 minutes; the pages say how to go on when nobody comes."""
NAME: Final = "Gerbang"


class Descriptor(Protocol):
    """A credential as a device recognises it."""

    @property
    def credential(self) -> bytes:
        """Its id."""
        ...

    @property
    def transports(self) -> Sequence[str]:
        """How its device is reached."""
        ...


def rp_id(issuer: str) -> str:
    """Give the relying party id: the host of the issuer, so that no other site and no subdomain's page can ask for these keys."""
    return urlsplit(issuer).hostname or ""


def creation(
    issuer: str, *, challenge: str, algorithms: Iterable[int], handle: bytes, number: str, known: Iterable[Descriptor]
) -> dict[str, Any]:
    """Write the options of `navigator.credentials.create()`, bytes as base64url.

    §14.6.1: the user handle is "not … personally identifying", and random to everybody but us. The account is called by its number: what
    stands in a key's list may be seen by whoever borrows the telephone.
    """
    return {
        "rp": {"id": rp_id(issuer), "name": NAME},
        "user": {"id": encoded(handle), "name": number, "displayName": number},
        "challenge": challenge,
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in algorithms],
        "timeout": TIMEOUT,
        "excludeCredentials": _described(known),
        "authenticatorSelection": {"residentKey": "preferred", "requireResidentKey": False, "userVerification": "required"},
        "attestation": "none",
    }


def request(issuer: str, *, challenge: str, allowed: Iterable[Descriptor]) -> dict[str, Any]:
    """Write the options of `navigator.credentials.get()`; none allowed by name: the device offers what it has for us."""
    return {
        "rpId": rp_id(issuer),
        "challenge": challenge,
        "timeout": TIMEOUT,
        "allowCredentials": _described(allowed),
        "userVerification": "required",
    }


def encoded(value: bytes) -> str:
    """Write bytes as base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _described(passkeys: Iterable[Descriptor]) -> list[dict[str, Any]]:
    return [{"type": "public-key", "id": encoded(one.credential), "transports": [*one.transports]} for one in passkeys]
