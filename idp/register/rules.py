"""RFC 7591 §2, §3.2.2, OIDC Registration §5: what an application may say of itself, what it is given, what it is refused. Pure.

RFC 7591 §2: "The authorization server MUST ignore any client metadata sent by the client that it does not understand". What only staff may
say (profile, purposes, origins, a client_id of one's choice) is not understood here either: nobody assigns those to himself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from idp.clients.description import OURS
from idp.spec import client_metadata, redirect_uris, scopes
from idp.spec.client_metadata import shape
from idp.spec.client_metadata.vocabulary import DEVICE, IMPLICIT, KNOWN
from idp.spec.errors import ErrorCode, Refusal
from idp.spec.subject import sector_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idp.clients.records import Client
    from idp.spec.client_metadata import ClientMetadata, Problem

_STAFF_ONLY: Final = OURS | {"client_id", "authorization_details_types"}
_UNDERSTOOD: Final = KNOWN - _STAFF_ONLY
_GRANT_TYPES: Final = frozenset({"authorization_code", "refresh_token", DEVICE, IMPLICIT})
_DEFAULTS: Final[Mapping[str, Any]] = {"grant_types": ["authorization_code"]}  # RFC 7591 §2
_NAMELESS: Final = "Aplikasi tanpa nama"
_SHOWN: Final = 5


def understood(body: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what an application may say of itself. `claims` are those of its software statement.

    RFC 7591 §2.3: "Client metadata values conveyed in the software statement MUST take precedence over those conveyed using plain JSON
    elements."
    """
    said = {name: value for name, value in {**body, **claims}.items() if name in _UNDERSTOOD or shape.is_localized(name)}
    return {**_DEFAULTS, **{name: value for name, value in said.items() if value is not None}}


def read(document: Mapping[str, Any], *, client: Client | None, purpose: str, certification: bool) -> ClientMetadata | Refusal:
    """Check a registration, or what replaces one (`client`). A new application has `purpose` and nothing else.

    `certification`: more response types; and who has several hosts and no list is a sector of its own, since the suite so registers.
    """
    problems = tuple(_own_rules(document))
    metadata = problems or client_metadata.read({"client_name": _name(document), **document}, implicit=certification, needs_purpose=False)
    if isinstance(metadata, tuple):
        return refusal_of(metadata)
    if _sector(metadata) is None and not certification:
        # OIDC Core §8.1: "If there are multiple hostnames in the registered redirect_uris, the Client MUST register a
        # sector_identifier_uri."
        why = "sector_identifier_uri: redirect_uris have several hosts, so publish their list and name it"
        return Refusal(ErrorCode.INVALID_CLIENT_METADATA, why)
    return _given(metadata, client, purpose)


def refusal_of(problems: Sequence[Problem]) -> Refusal:
    """RFC 7591 §3.2.2: invalid_redirect_uri for the value of a redirection URI, invalid_client_metadata for everything else."""
    redirects = [problem for problem in problems if problem.field == "redirect_uris"]
    code = ErrorCode.INVALID_REDIRECT_URI if redirects else ErrorCode.INVALID_CLIENT_METADATA
    return Refusal(code, "; ".join(map(str, (redirects or problems)[:_SHOWN])))


def unlisted(metadata: ClientMetadata, listed: object) -> Refusal | None:
    """OIDC Registration §5: "The values of the registered redirect_uris MUST be included in the elements of the array"."""
    if not isinstance(listed, list) or not all(isinstance(uri, str) for uri in listed):
        return Refusal(ErrorCode.INVALID_CLIENT_METADATA, "sector_identifier_uri: it does not answer with one JSON array of redirect_uris")
    missing = [uri for uri in metadata.redirect_uris if uri not in listed]
    if missing:
        return Refusal(ErrorCode.INVALID_CLIENT_METADATA, f"sector_identifier_uri: its list does not hold {missing[0]}")
    return None


def _own_rules(document: Mapping[str, Any]) -> Sequence[Problem]:
    grants = document.get("grant_types")
    if isinstance(grants, list) and not all(isinstance(grant, str) and grant in _GRANT_TYPES for grant in grants):
        # The scope of an application that acts for itself means what resource servers agreed on: nobody gives himself one.
        choices = ", ".join(sorted(_GRANT_TYPES - {IMPLICIT}))
        return (client_metadata.Problem("grant_types", f"an application that registers itself may use {choices}"),)
    return ()


def _name(document: Mapping[str, Any]) -> object:
    """RFC 7591 §2: client_name is OPTIONAL; a host is what a citizen can still tell apart."""
    uris = document.get("redirect_uris")
    origin = redirect_uris.origin_of(uris[0]) if isinstance(uris, list) and uris and isinstance(uris[0], str) else None
    return origin.partition("://")[2] if origin else _NAMELESS


def _sector(metadata: ClientMetadata) -> str | None:
    return sector_of(
        agency=None,
        application_type=metadata.application_type,
        client_id="",
        redirect_uris=metadata.redirect_uris,
        sector_identifier_uri=metadata.more.get("sector_identifier_uri"),
        grant_types=metadata.grant_types,
    )


def _same_face(client: Client, metadata: ClientMetadata) -> bool:
    """Tell whether an application is still what an administrator looked at: its name and pages, and where answers go."""
    pages = {"client_uri": client.uri, "logo_uri": client.logo_uri, "policy_uri": client.policy_uri, "tos_uri": client.tos_uri}
    return (
        metadata.client_name == client.name
        and dict(metadata.localized) == dict(client.localized)
        and metadata.uris == {name: uri for name, uri in pages.items() if uri}
        and set(metadata.redirect_uris) <= set(client.redirect_uris)
        and metadata.token_endpoint_auth_method == client.auth_method
        and metadata.more.get("sector_identifier_uri") == client.sector_identifier_uri
    )


def _given(metadata: ClientMetadata, client: Client | None, purpose: str) -> ClientMetadata:
    """Set what is not the application's to say: what it is now, or what every new one gets.

    One that puts on another face after it was approved is a new one: whoever approved it did not see this.
    """
    kept = client is not None and _same_face(client, metadata)
    public = metadata.token_endpoint_auth_method == "none"  # noqa: S105 - RFC 7591 §2, a method
    origins = {redirect_uris.origin_of(uri) for uri in metadata.redirect_uris if uri.startswith("https://")}
    return replace(
        metadata,
        profile=client.profile if client else "openid",
        purposes=client.purposes if client and kept else (purpose,),
        default_purpose=client.default_purpose if client and kept else purpose,
        origins=tuple(sorted(origin for origin in origins if origin)) if public else (),
        scopes=tuple(scope for scope in metadata.scopes if scope in scopes.PERSONAL_SCOPES) or (scopes.OPENID,),
    )
