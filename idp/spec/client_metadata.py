"""RFC 7591 §2, OIDC Registration §2, RP-Initiated Logout §3.1: what an application registers, and why it may not.

Not needed to serve a request: imported by registration only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from authlib.oauth2 import rfc7591
from authlib.oidc import registration, rpinitiated
from joserfc.errors import JoseError

from idp.spec import client_assertion, id_token, metadata, redirect_uris, scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Profile = Literal["secure", "openid", "fapi2"]
PROFILES: tuple[Profile, ...] = ("secure", "openid", "fapi2")
DEFAULT_GRANT_TYPES = ("authorization_code", "refresh_token")
DEFAULT_SCOPES = (*scopes.SCOPES_SUPPORTED, "nik")
MAX_URIS = 50
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,63}")
_PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LISTS = ("redirect_uris", "post_logout_redirect_uris", "grant_types", "response_types", "purposes", "origins")
_TEXTS = (
    "client_id", "client_name", "token_endpoint_auth_method", "application_type", "scope", "profile", "default_purpose", "subject_type",
    "id_token_signed_response_alg", "client_uri", "logo_uri", "policy_uri", "tos_uri", "token_endpoint_auth_signing_alg",
)  # fmt: skip
KNOWN = frozenset({*_LISTS, *_TEXTS, "jwks"})
_PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the field, and what to write instead."""

    field: str
    why: str

    def __str__(self) -> str:
        return f"{self.field}: {self.why}"


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What was registered, whole and checked. Names are RFC 7591's; `profile`, `purposes`, `origins` are ours."""

    client_name: str
    client_id: str | None = None
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - RFC 7591 §2, its default
    application_type: str = "web"
    profile: str = "secure"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = DEFAULT_GRANT_TYPES
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    purposes: tuple[str, ...] = ()
    default_purpose: str | None = None
    jwks: Mapping[str, Any] | None = None
    origins: tuple[str, ...] = ()
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - an algorithm
    uris: Mapping[str, str] = field(default_factory=dict)


def read(document: Mapping[str, Any]) -> ClientMetadata | tuple[Problem, ...]:
    """Check a registration; the answer is the metadata, or everything that is wrong with it."""
    problems = tuple(_shape(document))
    if not problems:
        problems = tuple(_standard(document)) or tuple(_own_rules(document))
    return problems or _metadata(document)


def _shape(document: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted(set(document) - KNOWN):
        hint = "keys are registered by value, as jwks" if name == "jwks_uri" else "it is not a field of a registration"
        yield Problem(name, hint)
    for name in _TEXTS:
        if name in document and (
            not isinstance(document[name], str) or not document[name].strip() or len(document[name]) > redirect_uris.MAX_LENGTH
        ):
            yield Problem(name, f"it must be a text of 1 to {redirect_uris.MAX_LENGTH} characters")
    for name in _LISTS:
        value = document.get(name, [])
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value) or len(value) > MAX_URIS:
            yield Problem(name, f"it must be a list of at most {MAX_URIS} texts")
        elif len(set(value)) != len(value):
            yield Problem(name, "it names something twice")
    if "client_name" not in document:
        yield Problem("client_name", "say how citizens know the application")


def _standard(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Ask Authlib's classes for the specifications' own rules."""
    supported = metadata.openid_provider("https://issuer.invalid")
    supported.pop("scopes_supported")  # purpose:<id> and nik are checked below
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in document.items()}
    plain.pop("redirect_uris", None)  # private-use schemes of native applications are checked below
    for kind in (rfc7591.ClientMetadataClaims, registration.ClientMetadataClaims, rpinitiated.ClientMetadataClaims):
        options = kind.get_claims_options(supported) if hasattr(kind, "get_claims_options") else {}
        try:
            kind(plain, {}, options).validate()
        except JoseError as error:
            yield Problem(getattr(error, "claim", None) or _named(str(error)), "the value is not one that this provider supports")
        except ValueError as error:
            yield Problem(_named(str(error)), str(error).replace('"', ""))


def _named(text: str) -> str:
    return next((name for name in sorted(KNOWN, key=len, reverse=True) if name in text), "registration")


def _own_rules(document: Mapping[str, Any]) -> Iterator[Problem]:
    method = document.get("token_endpoint_auth_method", "client_secret_basic")
    grants = document.get("grant_types", DEFAULT_GRANT_TYPES)
    yield from _names(document)
    yield from _uris(document)
    yield from _keys(document, method)
    if document.get("profile", "secure") not in PROFILES:
        yield Problem("profile", f"choose one of {', '.join(PROFILES)}")
    if document.get("id_token_signed_response_alg", "RS256") not in id_token.ALGORITHMS:
        yield Problem("id_token_signed_response_alg", f"choose one of {', '.join(id_token.ALGORITHMS)}")
    if "client_credentials" in grants and method == "none":
        # RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
        yield Problem("grant_types", "client_credentials needs a confidential client")
    if "refresh_token" in grants and "authorization_code" not in grants and "grant_types" in document:
        yield Problem("grant_types", "refresh_token comes with authorization_code only")
    if scopes.parse(document.get("scope", "openid")) is None:
        yield Problem("scope", "it has a character that RFC 6749 does not allow")


def _names(document: Mapping[str, Any]) -> Iterator[Problem]:
    if "client_id" in document and not _ID.fullmatch(document["client_id"]):
        yield Problem("client_id", "use 3 to 64 letters, digits, dots, hyphens and underscores")
    purposes, default = document.get("purposes", ()), document.get("default_purpose")
    if any(not _PURPOSE.fullmatch(purpose) for purpose in purposes):
        yield Problem("purposes", "these are no ids of purposes")
    if default is not None and default not in purposes:
        yield Problem("default_purpose", "it must be one of purposes")
    if not purposes and "authorization_code" in document.get("grant_types", DEFAULT_GRANT_TYPES):
        yield Problem("purposes", "name at least one declared purpose: nothing is read without one")


def _uris(document: Mapping[str, Any]) -> Iterator[Problem]:
    native = document.get("application_type") == "native"
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in document.get(name, ()):
            why = redirect_uris.why_not(uri, native=native)
            if why:
                yield Problem(name, f"{uri}: {why}")
    if not document.get("redirect_uris") and "authorization_code" in document.get("grant_types", DEFAULT_GRANT_TYPES):
        yield Problem("redirect_uris", "authorization_code needs at least one")
    for origin in document.get("origins", ()):
        if redirect_uris.origin_of(origin) != origin:
            yield Problem("origins", f"{origin}: write scheme, host and port only, like https://app.example.go.id")
    if document.get("origins") and document.get("token_endpoint_auth_method") != "none":
        yield Problem("origins", "only public clients (token_endpoint_auth_method none) call from browsers")
    for name in ("client_uri", "logo_uri", "policy_uri", "tos_uri"):
        if name in document and redirect_uris.origin_of(document[name]) is None:
            yield Problem(name, "it must be an https URL")


def _keys(document: Mapping[str, Any], method: str) -> Iterator[Problem]:
    jwks = document.get("jwks")
    if method == "private_key_jwt" and not (isinstance(jwks, dict) and jwks.get("keys")):
        yield Problem("jwks", "private_key_jwt needs at least one public key")
    keys = jwks.get("keys", []) if isinstance(jwks, dict) else []
    if jwks is not None and (not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys)):
        yield Problem("jwks", 'it must be an object with a list named "keys"')
    elif any(_PRIVATE_PARTS & set(key) for key in keys):
        yield Problem("jwks", "it holds a private or symmetric key: replace that key, and register its public part only")
    if document.get("token_endpoint_auth_signing_alg", "ES256") not in client_assertion.ALGORITHMS:
        yield Problem("token_endpoint_auth_signing_alg", f"choose one of {', '.join(client_assertion.ALGORITHMS)}")


def _metadata(document: Mapping[str, Any]) -> ClientMetadata:
    purposes = tuple(document.get("purposes", ()))
    asked = scopes.parse(document["scope"]) if "scope" in document else None
    return ClientMetadata(
        client_name=document["client_name"].strip(),
        client_id=document.get("client_id"),
        token_endpoint_auth_method=document.get("token_endpoint_auth_method", "client_secret_basic"),
        application_type=document.get("application_type", "web"),
        profile=document.get("profile", "secure"),
        redirect_uris=tuple(document.get("redirect_uris", ())),
        post_logout_redirect_uris=tuple(document.get("post_logout_redirect_uris", ())),
        grant_types=tuple(document.get("grant_types", DEFAULT_GRANT_TYPES)),
        scopes=asked or DEFAULT_SCOPES,
        purposes=purposes,
        default_purpose=document.get("default_purpose") or (purposes[0] if purposes else None),
        jwks=document.get("jwks"),
        origins=tuple(document.get("origins", ())),
        id_token_signed_response_alg=document.get("id_token_signed_response_alg", "RS256"),
        uris={name: document[name] for name in ("client_uri", "logo_uri", "policy_uri", "tos_uri") if name in document},
    )
