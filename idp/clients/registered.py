"""From checked metadata to the record of an application, and to the columns that hold it."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

from idp.clients.records import Client
from idp.spec.subject import sector_of

if TYPE_CHECKING:
    from idp.clients.records import Agency
    from idp.spec.client_metadata import ClientMetadata

_COLUMNS = frozenset({"id", "name", "agency", "auth_method", "profile", "sector", "secret_digest"})
_REGISTERED = tuple(field.name for field in fields(Client) if field.name not in _COLUMNS)


def columns(client: Client) -> dict[str, str]:
    """Give the columns that hold what was registered."""
    registration = json.dumps({name: getattr(client, name) for name in _REGISTERED})
    named = {name: getattr(client, name) for name in ("name", "auth_method", "profile", "sector")}
    return named | {"registration": registration}


def registered(client_id: str, metadata: ClientMetadata, agency: Agency, *, self_registered: bool = False) -> Client:
    """Make the record of what was registered; where no sector can be told, the application is one of its own."""
    sector = sector_of(
        agency=None if self_registered else agency.code,
        application_type=metadata.application_type,
        client_id=client_id,
        redirect_uris=metadata.redirect_uris,
        sector_identifier_uri=metadata.more.get("sector_identifier_uri"),
        grant_types=metadata.grant_types,
    )
    uris = metadata.uris
    return Client(
        id=client_id,
        name=metadata.client_name,
        agency=agency,
        auth_method=metadata.token_endpoint_auth_method,
        application_type=metadata.application_type,
        profile=metadata.profile,
        redirect_uris=metadata.redirect_uris,
        post_logout_redirect_uris=metadata.post_logout_redirect_uris,
        grant_types=metadata.grant_types,
        scopes=metadata.scopes,
        purposes=metadata.purposes,
        default_purpose=metadata.default_purpose,
        sector=sector or f"client:{client_id}",
        jwks=metadata.jwks,
        origins=metadata.origins,
        id_token_alg=metadata.id_token_signed_response_alg,
        uri=uris.get("client_uri"),
        logo_uri=uris.get("logo_uri"),
        policy_uri=uris.get("policy_uri"),
        tos_uri=uris.get("tos_uri"),
        localized=metadata.localized,
        self_registered=self_registered,
        **metadata.more,
    )
