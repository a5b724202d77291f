"""An authorization request as it was asked: what came with it, and what was looked up for it. The checks work on these values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from idp.clients.records import Client
    from idp.spec.errors import Refusal
    from idp.spec.id_token import Hint
    from idp.web.parameters import Parameters

PageCode = Literal["bad_request", "service_unknown", "service_address", "request_gone", "request_object"]


class Source(StrEnum):
    """How the parameters came: as they are, in a request object (RFC 9101), or pushed before (RFC 9126)."""

    PLAIN = "plain"
    UNSIGNED = "unsigned"
    SIGNED = "signed"
    PUSHED = "pushed"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and what was looked up for it: the application, and whom the `id_token_hint` names (None: not ours).

    `problem`: its request object cannot be believed; the parameters are then those beside it. `gone`: its request_uri names no request.
    """

    parameters: Parameters
    client: Client | None
    hint: Hint | None = None
    source: Source = Source.PLAIN
    problem: Refusal | None = None
    gone: bool = False
    pushed: str | None = None
    issuer: str = ""
    certification: bool = False

    def get(self, name: str) -> str | None:
        """Give a parameter."""
        return self.parameters.get(name)


@dataclass(frozen=True, slots=True)
class Registered:
    """A request of a known application whose redirect URI is registered (empty where the endpoint knows none)."""

    asked: Asked
    client: Client
    redirect_uri: str

    def get(self, name: str) -> str | None:
        """Give a parameter."""
        return self.asked.parameters.get(name)


def defaults_of(client: Client) -> dict[str, str]:
    """Give what an application registered to be asked for wherever it asks, unless a request says otherwise (OIDC Registration §2)."""
    found = {} if client.default_max_age is None else {"max_age": str(client.default_max_age)}
    return found | ({"acr_values": " ".join(client.default_acr_values)} if client.default_acr_values else {})
