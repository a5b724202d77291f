"""RFC 7591 §2, OIDC Core §9, RFC 8705 §2, RFC 9449 §5.2: how an application proves itself, and what its tokens are bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.spec.client_metadata.records import Problem
from idp.spec.client_metadata.vocabulary import ENCRYPTED, FAPI_SIGNING, SIGNED, TLS_METHODS, TLS_NAMES
from keys.algorithms import read_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_KEYS: Final = 20
_PRIVATE_PARTS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEYED: Final = ("private_key_jwt", "self_signed_tls_client_auth")


def problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Name what is wrong with keys, certificates and bindings."""
    method = document.get("token_endpoint_auth_method", "client_secret_basic")
    yield from _keys(document)
    yield from _need_of_keys(document, method)
    named = [name for name in TLS_NAMES if name in document]
    if method == "tls_client_auth" and len(named) != 1:
        # RFC 8705 §2.1.2: "A client using the "tls_client_auth" authentication method MUST use exactly one of the below metadata
        # parameters to indicate the certificate subject value that the authorization server is to expect"
        yield Problem("token_endpoint_auth_method", f"tls_client_auth needs exactly one of {', '.join(TLS_NAMES)}")
    elif named and method != "tls_client_auth":
        yield Problem(named[0], "it belongs to token_endpoint_auth_method tls_client_auth")
    if document.get("dpop_bound_access_tokens") and document.get("tls_client_certificate_bound_access_tokens"):
        yield Problem("dpop_bound_access_tokens", "tokens are bound to a DPoP key or to a certificate, not to both")
    unsigned = document.get("request_object_signing_alg") == "none"
    if unsigned and (document.get("profile", "secure") != "openid" or document.get("require_signed_request_object")):
        # RFC 9101 §10.2: an unsigned object is no better than the parameters themselves
        yield Problem("request_object_signing_alg", "none is for profile openid, and not with require_signed_request_object")


def _keys(document: Mapping[str, Any]) -> Iterator[Problem]:
    jwks = document.get("jwks")
    if jwks is None:
        return
    if "jwks_uri" in document:
        yield Problem("jwks_uri", "RFC 7591 §2: jwks_uri and jwks must not both be present")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS or not all(isinstance(key, dict) for key in keys):
        yield Problem("jwks", f'it must be an object with a list named "keys", of 1 to {MAX_KEYS} keys')
    elif any(_PRIVATE_PARTS & set(key) for key in keys):
        yield Problem("jwks", "it holds a private or symmetric key: replace that key, and register its public part only")
    else:
        yield from (Problem("jwks", why) for why in map(_unreadable, keys) if why)


def _unreadable(key: Mapping[str, Any]) -> str | None:
    """Say why a key is no use. RFC 7517 §5: keys of a type that is not understood are ignored."""
    if key.get("kty") not in ("RSA", "EC", "OKP"):  # a tuple: what was sent may be of any type
        return None if isinstance(key.get("kty"), str) and key["kty"] != "oct" else "a key has no kty, or is symmetric"
    try:
        read_key(key)
    except ValueError as error:
        return f"a key cannot be used: {error}"
    return None


def _need_of_keys(document: Mapping[str, Any], method: str) -> Iterator[Problem]:
    """Name what needs keys of the application while it registers none."""
    if document.get("jwks") is not None or "jwks_uri" in document:
        return
    if method in _KEYED:
        yield Problem("jwks", f"{method} needs at least one public key, as jwks or behind jwks_uri")
    for answer in ENCRYPTED:
        if f"{answer}_encrypted_response_alg" in document:
            yield Problem("jwks", f"{answer}_encrypted_response_alg needs a public key to encrypt to, as jwks or behind jwks_uri")
    if document.get("require_signed_request_object") or document.get("request_object_signing_alg", "none") != "none":
        yield Problem("jwks", "signed request objects need a public key, as jwks or behind jwks_uri")


def encryption(document: Mapping[str, Any]) -> Iterator[Problem]:
    """OIDC Registration §2: "When …_encrypted_response_enc is included, …_encrypted_response_alg MUST also be provided."."""
    for answer in (*(f"{name}_encrypted_response" for name in ENCRYPTED), "request_object_encryption"):
        if f"{answer}_enc" in document and f"{answer}_alg" not in document:
            yield Problem(f"{answer}_enc", f"it comes with {answer}_alg")


def fapi(document: Mapping[str, Any]) -> Iterator[Problem]:
    """FAPI 2.0 Security Profile §5.3.2: what profile fapi2 demands of a registration. What is not said is set, what contradicts refused."""
    if document.get("profile") != "fapi2":
        return
    if document.get("token_endpoint_auth_method") not in ("private_key_jwt", *TLS_METHODS):
        yield Problem("token_endpoint_auth_method", f"profile fapi2 takes private_key_jwt, {' or '.join(TLS_METHODS)}")
    if document.get("require_pushed_authorization_requests") is False:
        yield Problem("require_pushed_authorization_requests", "profile fapi2 takes pushed requests only")
    if document.get("dpop_bound_access_tokens") is False and not document.get("tls_client_certificate_bound_access_tokens"):
        yield Problem("dpop_bound_access_tokens", "profile fapi2 binds tokens, to a DPoP key or to a certificate")
    for name in (*SIGNED, "token_endpoint_auth_signing_alg"):
        if document.get(name, FAPI_SIGNING[0]) not in FAPI_SIGNING:
            yield Problem(name, f"profile fapi2 takes {', '.join(FAPI_SIGNING)}")
