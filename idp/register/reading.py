"""RFC 7591 §3.1: from the body of a registration request to checked metadata, with what has to be fetched for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.protocol.fetcher import FetchRefused
from idp.register import rules, statements
from idp.spec.errors import ErrorCode, Refusal
from keys.compact import read_object
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.spec.client_metadata import ClientMetadata


@dataclass(frozen=True, slots=True)
class Sent:
    """A registration that may be made: the body as it came, and what was understood of it."""

    body: Mapping[str, Any]
    metadata: ClientMetadata


async def read(request: Request, found: Services, *, client: Client | None, purpose: str) -> Sent | Refusal:
    """Read and check a registration, or what shall replace that of `client`."""
    body = await _document(request)
    if isinstance(body, Refusal):
        return body
    metadata = await _metadata(found, body, client=client, purpose=purpose)
    return metadata if isinstance(metadata, Refusal) else Sent(body, metadata)


async def _document(request: Request) -> Mapping[str, Any] | Refusal:
    """Read the body.

    RFC 7591 §3.1: "the client sends an HTTP POST … with a content type of "application/json"", a JSON object with its metadata.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Refusal(ErrorCode.INVALID_CLIENT_METADATA, "Send the registration as application/json.", 415)
    try:
        found: Mapping[str, Any] = read_object(await request.body())
    except TokenInvalid:
        return Refusal(ErrorCode.INVALID_CLIENT_METADATA, "The body must be one JSON object, in UTF-8, in which every name stands once.")
    return found


async def _metadata(found: Services, body: Mapping[str, Any], *, client: Client | None, purpose: str) -> ClientMetadata | Refusal:
    """Check what an application says of itself."""
    claims = statements.claims_of(found, body.get("software_statement"))
    if isinstance(claims, Refusal):
        return claims
    read = rules.read(rules.understood(body, claims), client=client, purpose=purpose, certification=found.settings.certification)
    if isinstance(read, Refusal):
        return read
    return await _sector_problem(found, read) or read


async def _sector_problem(found: Services, metadata: ClientMetadata) -> Refusal | None:
    """OIDC Registration §5: the provider "MUST" see that the list behind sector_identifier_uri holds all redirect_uris."""
    uri = metadata.more.get("sector_identifier_uri")
    if uri is None:
        return None
    try:
        fetched = await found.fetcher.get(uri, accept="application/json", anew=True)
        listed = json.loads(fetched.body)
    except FetchRefused as refused:
        return Refusal(ErrorCode.INVALID_CLIENT_METADATA, f"sector_identifier_uri: {refused}")
    except (ValueError, RecursionError):
        listed = None
    return rules.unlisted(metadata, listed)
