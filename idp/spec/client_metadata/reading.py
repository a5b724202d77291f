"""RFC 7591 §2: reading a whole registration: shape first, then the specifications' rules, then ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.spec import scopes
from idp.spec.client_metadata import credentials, names, shape, standard, uris
from idp.spec.client_metadata.records import ClientMetadata, Problem
from idp.spec.client_metadata.vocabulary import (
    CIBA,
    DEFAULT_GRANT_TYPES,
    DEFAULT_SCOPES,
    ENCRYPTED,
    LISTS,
    NUMBERS,
    PAGES,
    SWITCHES,
    TEXTS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OWN_PLACE = frozenset({
    "client_id", "client_name", "token_endpoint_auth_method", "application_type", "profile", "redirect_uris", "post_logout_redirect_uris",
    "grant_types", "scope", "purposes", "default_purpose", "origins", "id_token_signed_response_alg", "subject_type", *PAGES,
})  # fmt: skip
MORE = tuple(name for name in (*TEXTS, *LISTS, *SWITCHES, *NUMBERS) if name not in _OWN_PLACE)
"""The fields that a record of an application keeps under their own name."""


def read(document: Mapping[str, Any], *, implicit: bool = False, needs_purpose: bool = True) -> ClientMetadata | tuple[Problem, ...]:
    """Check a registration; the answer is the metadata, or everything that is wrong with it.

    `implicit`: response types of the certification plans are taken too. `needs_purpose`: staff registers for a purpose; who registers by
    himself has none yet.
    """
    problems = tuple(shape.problems(document, implicit=implicit))
    if not problems:
        found = (*standard.problems(document), *_own_rules(document, needs_purpose=needs_purpose))
        problems = tuple({problem.field: problem for problem in reversed(found)}.values())[::-1]
    return problems or _metadata(_completed(document))


def _own_rules(document: Mapping[str, Any], *, needs_purpose: bool) -> Iterator[Problem]:
    yield from names.problems(document)
    if needs_purpose:
        yield from names.purposes(document)
    yield from uris.problems(document)
    yield from uris.grants(document)
    yield from credentials.problems(document)
    yield from credentials.encryption(document)
    yield from credentials.fapi(document)


def _completed(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Set what follows from the rest.

    RFC 7591 §2: "The authorization server MAY … replace any of the client's requested metadata values": the answer says what it is.
    """
    whole = dict(document)
    for answer in (*(f"{name}_encrypted_response" for name in ENCRYPTED), "request_object_encryption"):
        if f"{answer}_alg" in whole:
            whole.setdefault(f"{answer}_enc", "A256GCM")
    if CIBA in whole.get("grant_types", ()):
        whole.setdefault("backchannel_token_delivery_mode", "poll")
    whole.setdefault("response_types", ["code"] if "authorization_code" in whole.get("grant_types", DEFAULT_GRANT_TYPES) else [])
    if whole.get("profile") == "fapi2":
        whole["require_pushed_authorization_requests"] = True
        whole["dpop_bound_access_tokens"] = not whole.get("tls_client_certificate_bound_access_tokens", False)
        whole.setdefault("id_token_signed_response_alg", "PS256")
    return whole


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
        uris={name: document[name] for name in PAGES if name in document},
        localized={name: str(value).strip() for name, value in document.items() if shape.is_localized(name)},
        more={name: tuple(value) if name in LISTS else value for name, value in document.items() if name in MORE},
    )
