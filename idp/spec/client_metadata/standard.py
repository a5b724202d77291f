"""RFC 7591 §2, OIDC Registration §2, RP-Initiated Logout §3.1: the specifications' own rules, asked of Authlib's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2 import rfc7591
from authlib.oidc import registration, rpinitiated
from joserfc.errors import JoseError

from idp.spec.client_metadata.records import Problem
from idp.spec.client_metadata.vocabulary import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Name what Authlib refuses. Values were compared with our own lists before, so no list is given to it."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in document.items()}
    for ours in ("redirect_uris", "jwks"):  # private-use schemes of native applications, and keys, are ours to check
        plain.pop(ours, None)
    for kind in (rfc7591.ClientMetadataClaims, registration.ClientMetadataClaims, rpinitiated.ClientMetadataClaims):
        try:
            kind(dict(plain), {}).validate()
        except JoseError as error:
            yield Problem(getattr(error, "claim", None) or _named(str(error)), "the specification does not allow this value")
        except ValueError as error:
            yield Problem(_named(str(error)), str(error).replace('"', ""))


def _named(text: str) -> str:
    return next((name for name in sorted(KNOWN, key=len, reverse=True) if name in text), "registration")
