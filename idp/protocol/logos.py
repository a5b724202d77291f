"""OIDC Registration §2, logo_uri: the picture is fetched by us, checked, kept, and shown from our own address.

A citizen's browser never asks the application's server for anything before the citizen has decided to go there.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import structlog

from idp.clients.logos.records import Logo
from idp.protocol.fetcher import FetchRefused
from idp.spec import pictures

if TYPE_CHECKING:
    from idp.clients.records import Client
    from idp.protocol.services import Services

KEPT: Final = dt.timedelta(days=1)
_ACCEPT: Final = "image/png, image/jpeg, image/webp"
_MOST: Final = 20

_log = structlog.get_logger(__name__)


async def fetch(found: Services, client: Client) -> Logo | None:
    """Fetch the logo of an application and keep it; what cannot be had or shown is remembered as such until the next round."""
    if client.logo_uri is None:
        return None
    body, kind = b"", None
    try:
        body = (await found.fetcher.get(client.logo_uri, accept=_ACCEPT, limit=pictures.MAX_BYTES)).body
        kind = pictures.kind_of(body)
        if kind is None:
            _log.info("logo_refused", client=client.id, why=f"it must be PNG, JPEG or WebP, at most {pictures.MAX_SIDE} dots wide and high")
    except FetchRefused as refused:
        _log.info("logo_refused", client=client.id, why=str(refused))
    logo = Logo(client.logo_uri, kind, body if kind else None, found.clock())
    await found.clients.logos.put(client.id, logo)
    return logo


async def refresh(found: Services) -> int:
    """Fetch logos that were never fetched, were moved, or are a day old; at most a few in a round. Give how many."""
    now, done = found.clock(), 0
    for client in await found.clients.list():
        if client.logo_uri is None or done >= _MOST:
            continue
        known = await found.clients.logos.get(client.id)
        if known is None or known.uri != client.logo_uri or now - known.fetched_at > KEPT:
            await fetch(found, client)
            done += 1
    return done
