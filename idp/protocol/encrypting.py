"""OIDC Core §10.2, RFC 7516, RFC 9701 §5: what an application asked to get encrypted, encrypted to a key that it published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.protocol import client_keys
from idp.protocol.fetcher import FetchRefused
from idp.spec.errors import ErrorCode, Refusal
from keys import encryption
from keys.errors import EncryptionKeyMissing

if TYPE_CHECKING:
    from idp.clients.records import Client
    from idp.protocol.services import Services

REFUSAL: Final = Refusal(
    ErrorCode.INVALID_REQUEST,
    "The answer is to be encrypted as registered, and no key of jwks or jwks_uri takes that algorithm: publish one with use enc.",
)


class NoKey(Exception):
    """The application publishes no key that takes its algorithm: in clear the answer must not travel."""


async def encrypted(found: Services, client: Client, payload: str, *, algorithm: str, content_type: str | None = "JWT") -> str:
    """Encrypt a signed token (`content_type` "JWT"), or bare JSON (None), to the application.

    Raises: NoKey.
    """
    try:
        return encryption.encrypt(payload, await client_keys.jwks_of(found, client), algorithm=algorithm, content_type=content_type)
    except (EncryptionKeyMissing, FetchRefused) as error:
        raise NoKey(client.id) from error
