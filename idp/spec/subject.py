"""OIDC Core §8.1: the sector whose name, with the person's, makes a pairwise subject."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence


def sector_of(
    *, agency: str | None, application_type: str, client_id: str, redirect_uris: Sequence[str], sector_identifier_uri: str | None = None
) -> str | None:
    """Name the sector; None when it cannot be told (several hosts and no agency: `invalid_client_metadata`).

    §8.1: of a registered sector_identifier_uri "the host component of this URL is used as the Sector Identifier"; "If there are multiple
    hostnames in the registered redirect_uris, the Client MUST register a sector_identifier_uri." Our own rule goes before both:
    applications that an agency's staff registered share the agency's sector, for they may share what they know anyway.
    """
    if agency:
        return f"agency:{agency}"
    if sector_identifier_uri is not None:
        return f"host:{urlsplit(sector_identifier_uri).hostname}"
    if application_type == "native":
        return f"client:{client_id}"
    hosts = {urlsplit(uri).hostname for uri in redirect_uris}
    host = hosts.pop() if len(hosts) == 1 else None
    return f"host:{host}" if host else None
