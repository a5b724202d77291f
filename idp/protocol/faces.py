"""RFC 7591 §2, OIDC Registration §2: what an application shows of itself to people: its name, its pages, its picture.

OIDC Registration §2: "The value of this field MUST point to a valid web page", of policy_uri and tos_uri; pages link to them, and the
picture comes from us (`idp.protocol.logos`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.clients.self_registered import unchecked

if TYPE_CHECKING:
    from idp.clients.records import Client
    from idp.protocol.services import Services


@dataclass(frozen=True, slots=True)
class Face:
    """An application as people see it. `unchecked`: nobody of the city has looked at it."""

    name: str
    unchecked: bool = False
    policy: str | None = None
    terms: str | None = None
    logo: str | None = None


async def face_of(found: Services, client: Client, language: str) -> Face:
    """Give an application's face in a language; its own words in that language where it has them (RFC 7591 §2.2)."""
    said = client.localized
    logo = await found.clients.logos.get(client.id) if client.logo_uri else None
    return Face(
        name=said.get(f"client_name#{language}", client.name),
        unchecked=unchecked(client, client.default_purpose or ""),
        policy=said.get(f"policy_uri#{language}", client.policy_uri),
        terms=said.get(f"tos_uri#{language}", client.tos_uri),
        logo=f"/logos/{client.id}" if logo is not None and logo.body is not None and logo.uri == client.logo_uri else None,
    )
