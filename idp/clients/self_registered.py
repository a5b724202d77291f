"""Applications that registered themselves (RFC 7591): whose they are until somebody vouches for them, and what they may until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.clients.records import Agency

if TYPE_CHECKING:
    from idp.clients.records import Client

AGENCY: Final = Agency(
    "self-registered", {"id": "Aplikasi yang mendaftar sendiri", "en": "Applications that registered themselves"}, None, None
)
"""They belong to nobody whom the city knows."""

SIGN_IN: Final = "gerbang.sign-in"
"""The purpose that reads nothing: all that such an application has before an administrator approves one."""

CERTIFICATION: Final = "gerbang.certification"
"""The purpose with every standard claim, under IDP_CERTIFICATION only (design §7)."""


def closed(purpose: str, *, certification: bool) -> bool:
    """Tell whether a purpose reads nothing any more: what a conformance suite left behind, once its switch is off."""
    return purpose == CERTIFICATION and not certification


def unchecked(client: Client, purpose: str) -> bool:
    """Tell whether nobody of the city has looked at an application that asks under this purpose."""
    return client.self_registered and purpose in {SIGN_IN, CERTIFICATION}
