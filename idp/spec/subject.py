"""OIDC Core §8.1: the sector whose name, with the person's, makes a pairwise subject."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from idp.spec import device
from idp.spec.redirect_uris import is_loopback

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def sector_of(
    *,
    agency: str | None,
    application_type: str,
    client_id: str,
    redirect_uris: Sequence[str],
    sector_identifier_uri: str | None = None,
    grant_types: Collection[str] = (),
) -> str | None:
    """Name the sector; None when it cannot be told (several hosts and no agency: `invalid_client_metadata`).

    §8.1: of a registered sector_identifier_uri "the host component of this URL is used as the Sector Identifier"; "If there are multiple
    hostnames in the registered redirect_uris, the Client MUST register a sector_identifier_uri." Our own rule goes before both:
    applications that an agency's staff registered share the agency's sector, for they may share what they know anyway.

    A host names a sector because answers reach that host alone. An application that fetches its answers (RFC 8628), or gets them at this
    machine's own address, proves no host: it is a sector of its own, else anybody could register another's host and learn its names.
    """
    if agency:
        return f"agency:{agency}"
    if application_type == "native" or device.GRANT_TYPE in grant_types:
        return f"client:{client_id}"
    if sector_identifier_uri is not None:
        return f"host:{urlsplit(sector_identifier_uri).hostname}"
    hosts = {urlsplit(uri).hostname for uri in redirect_uris}
    host = hosts.pop() if len(hosts) == 1 else None
    if is_loopback(host):
        return f"client:{client_id}"
    return f"host:{host}" if host else None
