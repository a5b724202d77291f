"""`idp clients add`, `set`, `rotate-secret`, `remove`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.clients import documents
from idp.cli.clients.showing import shown, unknown
from idp.cli.terminal import Exit, Json, read_json, refuse, show, with_services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.clients.records import Added, Client
    from idp.protocol.services import Services
    from idp.spec.client_metadata import ClientMetadata

Name = Annotated[str | None, typer.Option(help="How citizens know the application.")]
Redirects = Annotated[list[str] | None, typer.Option("--redirect-uri", help="Where answers go; may be repeated.")]
Returns = Annotated[list[str] | None, typer.Option("--post-logout-redirect-uri", help="Where signing out leads; may be repeated.")]
Purposes = Annotated[
    list[str] | None, typer.Option("--purpose", help="Id of a declared purpose; the first is the default; may be repeated.")
]
Scope = Annotated[str | None, typer.Option(help="Scopes it may ask for; default: all.")]
GrantTypes = Annotated[list[str] | None, typer.Option("--grant-type", help="Default: authorization_code and refresh_token.")]
AuthMethod = Annotated[
    str | None,
    typer.Option(help="client_secret_basic (default), client_secret_post, private_key_jwt, tls_client_auth, self_signed_… or none."),
]
Jwks = Annotated[Path | None, typer.Option(help="A JSON file with the public keys.")]
JwksUri = Annotated[str | None, typer.Option(help="Where the application publishes its keys (https), instead of --jwks.")]
Profile = Annotated[str | None, typer.Option(help="secure (default: PKCE demanded), openid or fapi2.")]
Origins = Annotated[list[str] | None, typer.Option("--origin", help="Origin from which a public client calls; may be repeated.")]
IdTokenAlg = Annotated[str | None, typer.Option(help="RS256 (default), PS256, ES256 or EdDSA.")]
BackChannel = Annotated[str | None, typer.Option(help="Where the application is told, server to server, that a session ended.")]
FrontChannel = Annotated[str | None, typer.Option(help="The page that ends the application's session in the citizen's browser.")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--field", help="Any other field of RFC 7591 as NAME=VALUE, the value in JSON or plain; may be repeated."),
]
Unset = Annotated[list[str] | None, typer.Option(help="A field to take out; may be repeated.")]


def add(
    file: Annotated[
        Path | None, typer.Argument(help="A JSON file with RFC 7591 fields, profile, purposes, agency; - reads it here.")
    ] = None,
    name: Name = None,
    agency: Annotated[str | None, typer.Option(help="Code of the agency; one that is new is added.")] = None,
    agency_name: Annotated[str | None, typer.Option(help="Name of the agency; default for a new one: as its purpose declares.")] = None,
    agency_unit: Annotated[str | None, typer.Option(help="Unit of the agency.")] = None,
    agency_dpo: Annotated[str | None, typer.Option(help="How to reach the agency's data protection officer.")] = None,
    client_id: Annotated[str | None, typer.Option(help="Choose the client_id; default: a random one.")] = None,
    redirect_uri: Redirects = None,
    post_logout_redirect_uri: Returns = None,
    purpose: Purposes = None,
    scope: Scope = None,
    grant_type: GrantTypes = None,
    auth_method: AuthMethod = None,
    jwks: Jwks = None,
    jwks_uri: JwksUri = None,
    profile: Profile = None,
    native: Annotated[bool, typer.Option("--native", help="It runs on people's devices.")] = False,
    origin: Origins = None,
    id_token_alg: IdTokenAlg = None,
    backchannel_logout_uri: BackChannel = None,
    frontchannel_logout_uri: FrontChannel = None,
    field: Fields = None,
    as_json: Json = False,
) -> None:
    """Register an application, from options or a JSON file (options win). The secret is printed this once."""
    given: dict[str, Any] = {
        "client_name": name, "client_id": client_id, "redirect_uris": redirect_uri, "post_logout_redirect_uris": post_logout_redirect_uri,
        "purposes": purpose, "scope": scope, "grant_types": grant_type, "token_endpoint_auth_method": auth_method, "profile": profile,
        "application_type": "native" if native else None, "origins": origin, "id_token_signed_response_alg": id_token_alg,
        "jwks": None if jwks is None else read_json(jwks), "jwks_uri": jwks_uri, "backchannel_logout_uri": backchannel_logout_uri,
        "frontchannel_logout_uri": frontchannel_logout_uri,
    }  # fmt: skip
    document = documents.document(file, given, field)
    options = {"name": agency_name, "unit": agency_unit, "dpo_contact": agency_dpo}
    body = documents.agency(document.pop("agency", None), agency, options)
    metadata = documents.checked(document)
    added = with_services(lambda services: _add(services, metadata, body))
    show(shown(added.client) | _secret(added), as_json=as_json, text=lambda: _told(added))


def set_(
    client_id: str,
    file: Annotated[Path | None, typer.Argument(help="A JSON file of fields to change (null takes one out); - reads it here.")] = None,
    name: Name = None,
    redirect_uri: Redirects = None,
    post_logout_redirect_uri: Returns = None,
    purpose: Purposes = None,
    scope: Scope = None,
    grant_type: GrantTypes = None,
    auth_method: AuthMethod = None,
    jwks: Jwks = None,
    jwks_uri: JwksUri = None,
    profile: Profile = None,
    origin: Origins = None,
    id_token_alg: IdTokenAlg = None,
    backchannel_logout_uri: BackChannel = None,
    frontchannel_logout_uri: FrontChannel = None,
    field: Fields = None,
    unset: Unset = None,
    as_json: Json = False,
) -> None:
    """Change an application's registration; its id and secret stay. A list that is given replaces the old one.

    What citizens allowed for a purpose that is taken away ends, with its tokens. The change stands in the access log.
    """
    given: dict[str, Any] = {
        "client_name": name, "redirect_uris": redirect_uri, "post_logout_redirect_uris": post_logout_redirect_uri, "purposes": purpose,
        "scope": scope, "grant_types": grant_type, "token_endpoint_auth_method": auth_method, "profile": profile, "origins": origin,
        "id_token_signed_response_alg": id_token_alg, "jwks": None if jwks is None else read_json(jwks), "jwks_uri": jwks_uri,
        "backchannel_logout_uri": backchannel_logout_uri, "frontchannel_logout_uri": frontchannel_logout_uri,
    }  # fmt: skip
    changes = documents.document(file, given, field) | dict.fromkeys(unset or ())
    if not changes:
        refuse("say what to change: an option, --field NAME=VALUE, --unset NAME, or a JSON file", Exit.USAGE)
    changed = with_services(lambda services: _change(services, client_id, changes))
    show(shown(changed.client) | _secret(changed), as_json=as_json, text=lambda: _told(changed, "was changed"))


def rotate_secret(client_id: str, as_json: Json = False) -> None:
    """Give an application a new secret; the old one stops working at once (in other processes within 30 seconds)."""

    async def work(services: Services) -> tuple[bool, str | None]:
        known = await services.clients.get(client_id) is not None
        return known, await services.clients.rotate_secret(client_id, services.clock())

    known, secret = with_services(work)
    if not known:
        refuse(unknown(client_id))
    if secret is None:
        refuse(f"{client_id} has no secret: it authenticates by its keys, or is public")
    show({"client_id": client_id, "client_secret": secret}, as_json=as_json, text=f"client_id: {client_id}\nclient_secret: {secret}")


def remove(client_id: str, as_json: Json = False) -> None:
    """Remove an application; its tokens, and what citizens allowed it, end with it."""

    async def work(services: Services) -> bool:
        from idp.protocol import registrations

        client = await services.clients.get(client_id)
        return client is not None and await registrations.remove(services, client, registrations.COMMAND_LINE)

    if not with_services(work):
        refuse(unknown(client_id))
    show({"client_id": client_id, "removed": True}, as_json=as_json, text=f"{client_id} was removed.")


async def _add(services: Services, metadata: ClientMetadata, body: Mapping[str, Any]) -> Added:
    from idp.clients.records import Duplicate

    await documents.check_purposes(services, metadata.purposes, body["code"])
    if metadata.client_id and await services.clients.get(metadata.client_id):
        refuse(f"client_id: {metadata.client_id} is taken; choose another, or remove that one first")
    agency = await documents.known_agency(services, body, metadata.purposes)
    added = await services.clients.add(metadata, agency, services.clock())
    if isinstance(added, Duplicate):
        refuse(f"client_id: {added.client_id} is taken; choose another, or remove that one first")
    return added


async def _change(services: Services, client_id: str, changes: Mapping[str, Any]) -> Added:
    from idp.protocol import registrations

    client = await services.clients.get(client_id) or refuse(unknown(client_id))
    metadata = documents.checked(_merged(client, changes), needs_purpose=not client.self_registered)
    await documents.check_purposes(
        services, [purpose for purpose in metadata.purposes if purpose not in client.purposes], client.agency.code
    )
    changed = await registrations.change(services, client, metadata, registrations.COMMAND_LINE)
    return changed or refuse(unknown(client_id))


def _merged(client: Client, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the changes over what is registered. What follows from a changed field is decided anew."""
    from idp.clients.description import document_of

    for name in ("client_id", "agency"):
        if name in changes and changes[name] != (client.id if name == "client_id" else client.agency.code):
            refuse(f"{name}: it stays what it is; add another application instead")
    known = document_of(client)
    if "purposes" in changes and "default_purpose" not in changes and client.default_purpose not in (changes["purposes"] or ()):
        known.pop("default_purpose", None)
    if "grant_types" in changes and "response_types" not in changes:
        known.pop("response_types", None)
    if {"jwks", "jwks_uri"} & {name for name, value in changes.items() if value is not None}:
        known = {field: value for field, value in known.items() if field not in {"jwks", "jwks_uri"}}
    whole = known | {field: value for field, value in changes.items() if field != "agency"}
    return {field: value for field, value in whole.items() if value is not None}


def _secret(added: Added) -> dict[str, str]:
    return {} if added.secret is None else {"client_secret": added.secret}


def _told(added: Added, done: str = "was registered") -> str:
    names = added.client.agency.name
    lines = [f"client_id: {added.client.id}", f"{added.client.name} of {names['id']} ({added.client.agency.code}) {done}."]
    if added.secret is not None:
        lines.append(f"client_secret: {added.secret}")
        lines.append("Keep the secret now: only its digest is stored, so it cannot be shown again.")
    return "\n".join(lines)
