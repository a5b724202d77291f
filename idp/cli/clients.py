"""`idp clients`: register, list and change applications. RFC 7591 §2 names the fields of a registration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.terminal import Exit, Json, read_json, refuse, show, table, with_services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.clients.records import Added, Agency, Client
    from idp.protocol.services import Services
    from idp.spec.client_metadata import ClientMetadata

app = typer.Typer(add_completion=False, help="Register, list and change applications.", no_args_is_help=True)

_AGENCY_FIELDS = frozenset({"code", "name", "unit", "dpo_contact"})


@app.command()
def add(
    file: Annotated[
        Path | None, typer.Argument(help="A JSON file with RFC 7591 fields, profile, purposes, agency; - reads it here.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="How citizens know the application.")] = None,
    agency: Annotated[str | None, typer.Option(help="Code of the agency; one that is new is added.")] = None,
    agency_name: Annotated[str | None, typer.Option(help="Name of the agency.")] = None,
    agency_unit: Annotated[str | None, typer.Option(help="Unit of the agency.")] = None,
    agency_dpo: Annotated[str | None, typer.Option(help="How to reach the agency's data protection officer.")] = None,
    client_id: Annotated[str | None, typer.Option(help="Choose the client_id; default: a random one.")] = None,
    redirect_uri: Annotated[list[str] | None, typer.Option(help="Where answers go; may be repeated.")] = None,
    post_logout_redirect_uri: Annotated[list[str] | None, typer.Option(help="Where signing out leads; may be repeated.")] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="Id of a declared purpose; the first is the default; may be repeated.")] = None,
    scope: Annotated[str | None, typer.Option(help="Scopes it may ask for; default: all.")] = None,
    grant_type: Annotated[list[str] | None, typer.Option(help="Default: authorization_code and refresh_token.")] = None,
    auth_method: Annotated[
        str | None, typer.Option(help="client_secret_basic (default), client_secret_post, private_key_jwt or none.")
    ] = None,
    jwks: Annotated[Path | None, typer.Option(help="A JSON file with the public keys, for private_key_jwt.")] = None,
    profile: Annotated[str | None, typer.Option(help="secure (default: PKCE demanded), openid or fapi2.")] = None,
    native: Annotated[bool, typer.Option("--native", help="It runs on people's devices.")] = False,
    origin: Annotated[list[str] | None, typer.Option(help="Origin from which a public client calls; may be repeated.")] = None,
    id_token_alg: Annotated[str | None, typer.Option(help="RS256 (default), PS256, ES256 or EdDSA.")] = None,
    as_json: Json = False,
) -> None:
    """Register an application, from options or a JSON file (options win). The secret is printed this once."""
    given: dict[str, Any] = {
        "client_name": name, "client_id": client_id, "redirect_uris": redirect_uri, "post_logout_redirect_uris": post_logout_redirect_uri,
        "purposes": purpose, "scope": scope, "grant_types": grant_type, "token_endpoint_auth_method": auth_method, "profile": profile,
        "application_type": "native" if native else None, "origins": origin, "id_token_signed_response_alg": id_token_alg,
        "jwks": None if jwks is None else read_json(jwks),
    }  # fmt: skip
    document = (_document(file) if file else {}) | {field: value for field, value in given.items() if value not in (None, [])}
    body = _agency(document.pop("agency", None), agency, {"name": agency_name, "unit": agency_unit, "dpo_contact": agency_dpo})
    metadata = _checked(document)
    added = with_services(lambda services: _add(services, metadata, body))
    show(_shown(added.client) | _secret(added), as_json=as_json, text=lambda: _told(added))


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List all applications."""
    found = with_services(lambda services: services.clients.list())
    rows = [(client.id, client.name, client.agency.code, client.auth_method, client.profile) for client in found]
    show(
        [_shown(client) for client in found],
        as_json=as_json,
        text=lambda: table(("client_id", "name", "agency", "authenticates by", "profile"), rows),
    )


@app.command(name="show")
def show_(client_id: str, as_json: Json = False) -> None:
    """Show one application. Its secret is not stored, so it cannot be shown."""
    client = with_services(lambda services: services.clients.get(client_id)) or refuse(_unknown(client_id))
    described = _shown(client)
    show(described, as_json=as_json, text=lambda: "\n".join(f"{name}: {_plain(value)}" for name, value in described.items() if value))


@app.command(name="rotate-secret")
def rotate_secret(client_id: str, as_json: Json = False) -> None:
    """Give an application a new secret; the old one stops working at once (in other processes within 30 seconds)."""

    async def work(services: Services) -> tuple[bool, str | None]:
        known = await services.clients.get(client_id) is not None
        return known, await services.clients.rotate_secret(client_id, services.clock())

    known, secret = with_services(work)
    if not known:
        refuse(_unknown(client_id))
    if secret is None:
        refuse(f"{client_id} has no secret: it authenticates by its keys, or is public")
    show({"client_id": client_id, "client_secret": secret}, as_json=as_json, text=f"client_id: {client_id}\nclient_secret: {secret}")


@app.command()
def remove(client_id: str, as_json: Json = False) -> None:
    """Remove an application; its tokens, and what citizens allowed it, end with it."""
    from consent.access_log.records import Actor

    async def work(services: Services) -> bool:
        removed = await services.clients.remove(client_id)
        await services.authorizations.revoke_by_client(client_id, services.clock())
        await services.consent.ledger.invalidate_client(client_id, Actor("administrator", role="command line"))
        return removed

    if not with_services(work):
        refuse(_unknown(client_id))
    show({"client_id": client_id, "removed": True}, as_json=as_json, text=f"{client_id} was removed.")


# --- reading what was given ------------------------------------------------------------------------------------------------------------


def _document(file: Path) -> dict[str, Any]:
    document = read_json(file)
    if not isinstance(document, dict):
        refuse(f"{file} must hold one JSON object", Exit.USAGE)
    return document


def _agency(written: object, code: str | None, options: Mapping[str, str | None]) -> dict[str, Any]:
    """Put the agency together from the file's "agency" (a code, or an object) and the options."""
    body = {"code": written} if isinstance(written, str) else written if isinstance(written, dict) else {}
    unknown = sorted(set(body) - _AGENCY_FIELDS)
    if unknown or (written is not None and not body):
        refuse(f"agency: write its code, or an object of {', '.join(sorted(_AGENCY_FIELDS))}", Exit.USAGE)
    body = dict(body) | ({"code": code} if code else {}) | {name: value for name, value in options.items() if value}
    if not isinstance(body.get("code"), str) or not body["code"].strip():
        refuse("agency: say whose application it is (--agency CODE)", Exit.USAGE)
    return body


def _checked(document: Mapping[str, Any]) -> ClientMetadata:
    from idp.spec import client_metadata

    metadata = client_metadata.read(document)
    if isinstance(metadata, tuple):
        refuse("the registration is refused:\n" + "\n".join(f"  {problem}" for problem in metadata), Exit.USAGE)
    return metadata


async def _add(services: Services, metadata: ClientMetadata, body: Mapping[str, Any]) -> Added:
    from idp.clients.records import Duplicate

    for purpose in metadata.purposes:
        declared = await services.consent.purposes.get(purpose)
        if declared is None:
            refuse(f"purposes: {purpose} is not declared; declare it first: idp purposes add FILE")
        if declared.agency != body["code"]:
            refuse(f"purposes: {purpose} is a declaration of {declared.agency}, not of {body['code']}")
    if metadata.client_id and await services.clients.get(metadata.client_id):
        refuse(f"client_id: {metadata.client_id} is taken; choose another, or remove that one first")
    agency = await _known_agency(services, body)
    added = await services.clients.add(metadata, agency, services.clock())
    if isinstance(added, Duplicate):
        refuse(f"client_id: {added.client_id} is taken; choose another, or remove that one first")
    return added


async def _known_agency(services: Services, body: Mapping[str, Any]) -> Agency:
    """Give the agency; one that is new, or of which more is told, is written down first."""
    from idp.clients.records import Agency

    known = await services.clients.agency(body["code"])
    if known is not None and set(body) == {"code"}:
        return known
    name = body.get("name") or (known.name if known else body["code"])
    names: Mapping[str, str] = name if isinstance(name, dict) else {"id": str(name), "en": str(name)}
    if not isinstance(names.get("id"), str):
        refuse('agency: name must be a text, or an object with "id" and "en"', Exit.USAGE)
    agency = Agency(
        body["code"],
        names,
        body.get("unit") or (known.unit if known else None),
        body.get("dpo_contact") or (known.dpo_contact if known else None),
    )
    await services.clients.put_agency(agency, services.clock())
    return agency


# --- telling ---------------------------------------------------------------------------------------------------------------------------


def _shown(client: Client) -> dict[str, Any]:
    """Describe an application in the words of RFC 7591, with whose it is."""
    from idp.clients.description import described

    return described(client) | {"agency": client.agency.code, "self_registered": client.self_registered}


def _secret(added: Added) -> dict[str, str]:
    return {} if added.secret is None else {"client_secret": added.secret}


def _told(added: Added) -> str:
    lines = [f"client_id: {added.client.id}"]
    if added.secret is not None:
        lines.append(f"client_secret: {added.secret}")
        lines.append("Keep the secret now: only its digest is stored, so it cannot be shown again.")
    return "\n".join(lines)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _unknown(client_id: str) -> str:
    return f"there is no application {client_id}; see idp clients list"
