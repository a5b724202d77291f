"""WebAuthn Level 3 §7.1, §7.2: checking what an authenticator answers. The reading and the mathematics are py_webauthn's.

Nothing is remembered here: whether a challenge was ours and is not yet used, whose credential it is, and whether its counter grew are for
the caller to say, by statements that cannot race. The library is imported by the first answer: it costs 5 MB and a quarter of a second.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keys.errors import KeysError

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = 16_384
"""Characters of an answer: one without an attestation has two thousand at most."""
LONGEST_ID: Final = 1023
"""WebAuthn §4: a credential id has at most 1,023 bytes."""
LONGEST_KEY: Final = 1100
"""Bytes of a COSE key: RSA of 8,192 bits has about that many, and larger ones cost us at every use."""
ALGORITHMS: Final = (-8, -7, -257)
"""COSE: EdDSA, ES256, RS256; what is asked for, in this order, and all that is taken."""
_FORMATS: Final = frozenset({"none", "packed"})
"""No attestation is asked for; a self attestation ("packed" without a certificate) may come all the same (§5.1.3)."""


class PasskeyRefused(KeysError):
    """An answer of an authenticator is refused. `reason` is for the private log; it holds nothing of the answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What an answer must fit: the challenge that it was given, the origin of our pages, and our relying party id."""

    challenge: bytes
    origin: str
    rp_id: str


@dataclass(frozen=True, slots=True)
class Presented:
    """What an answer says of itself, before anything is checked."""

    credential: bytes
    challenge: bytes
    user_handle: bytes | None


@dataclass(frozen=True, slots=True)
class Registered:
    """A new credential. `public_key` is a COSE key; `synced`: it may be copied to other devices (backup eligible, BE)."""

    credential: bytes
    public_key: bytes
    sign_count: int
    synced: bool
    transports: tuple[str, ...]
    platform: bool


@dataclass(frozen=True, slots=True)
class Asserted:
    """A checked assertion: who holds the private key was there and was verified. `sign_count` is the authenticator's own."""

    sign_count: int
    synced: bool


def presented(answer: str) -> Presented:
    """Read which credential answers which challenge. Raises: PasskeyRefused."""
    document = _object(answer)
    response = document.get("response")
    if not isinstance(response, dict):
        raise PasskeyRefused("malformed")
    client = _object(_bytes(response.get("clientDataJSON")))
    # §7.1 step 9, §7.2 step 13: our pages stand in no frame of anybody else
    if client.get("crossOrigin", False) is not False or "topOrigin" in client:
        raise PasskeyRefused("cross origin")
    credential = _bytes(document.get("id"))
    if not 0 < len(credential) <= LONGEST_ID:
        raise PasskeyRefused("malformed")
    handle = response.get("userHandle")
    return Presented(credential, _bytes(client.get("challenge")), _bytes(handle) if handle else None)


def registered(answer: str, ceremony: Ceremony) -> Registered:
    """Check the answer of `navigator.credentials.create()` (§7.1): present, verified, ours. Raises: PasskeyRefused."""
    from webauthn import verify_registration_response  # noqa: PLC0415 - see above
    from webauthn.helpers import parse_attestation_object  # noqa: PLC0415
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415

    if _checked(lambda: parse_attestation_object(_bytes(_object(answer)["response"]["attestationObject"]))).fmt not in _FORMATS:
        raise PasskeyRefused("attestation format")
    found = _checked(
        lambda: verify_registration_response(
            credential=answer,
            expected_challenge=ceremony.challenge,
            expected_rp_id=ceremony.rp_id,
            expected_origin=ceremony.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(algorithm) for algorithm in ALGORITHMS],
        )
    )
    if len(found.credential_public_key) > LONGEST_KEY:
        raise PasskeyRefused("oversized key")
    document = json.loads(answer)
    named = document["response"].get("transports")
    transports = tuple(name for name in named if isinstance(name, str) and name in _TRANSPORTS) if isinstance(named, list) else ()
    return Registered(
        found.credential_id,
        found.credential_public_key,
        found.sign_count,
        found.credential_device_type == "multi_device",
        transports,
        document.get("authenticatorAttachment") == "platform",
    )


def asserted(answer: str, ceremony: Ceremony, public_key: bytes) -> Asserted:
    """Check the answer of `navigator.credentials.get()` (§7.2) but for its counter: present, verified, ours. Raises: PasskeyRefused."""
    from webauthn import verify_authentication_response  # noqa: PLC0415 - see above

    found = _checked(
        lambda: verify_authentication_response(
            credential=answer,
            expected_challenge=ceremony.challenge,
            expected_rp_id=ceremony.rp_id,
            expected_origin=ceremony.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,  # the caller compares, in the statement that stores it
            require_user_verification=True,
        )
    )
    return Asserted(found.new_sign_count, found.credential_device_type == "multi_device")


_TRANSPORTS: Final = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})


def _checked(check: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the library returns, given back as it is
    """Call the library. It reads foreign CBOR and keys: whatever those bring about is a refusal of ours."""
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        return check()
    except WebAuthnException as error:
        raise PasskeyRefused(type(error).__name__) from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise PasskeyRefused(f"unreadable: {type(error).__name__}") from None


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        document = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise PasskeyRefused("malformed")
    return document


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or len(text) > LONGEST:
        raise PasskeyRefused("malformed")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise PasskeyRefused("malformed") from None
