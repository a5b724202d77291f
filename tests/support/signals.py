"""A provider whose applications receive security events, for the tests of RFC 8417, RFC 8935 and RFC 8936."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from idp.accounts.records import Identifier, IdentifierKind
from idp.notices.streams.records import Stream
from idp.protocol import streams
from tests.support.application import SECRET

if TYPE_CHECKING:
    from tests.support.application import Application

CAEP = "https://schemas.openid.net/secevent/caep/event-type"
RISC = "https://schemas.openid.net/secevent/risc/event-type"


async def subscribe(app: Application, client: str, *events: str, push: str | None = None, authorization: str | None = None) -> None:
    """Set a stream up as `idp clients signals` does; all events unless some are named."""
    stream = Stream(client, frozenset(events or streams.EVENTS), push, authorization)
    assert streams.problem(stream) is None
    await streams.put(app.provider.services, stream)


async def sign_in(app: Application, client: str) -> dict[str, Any]:
    """Sign Siti in; her tokens."""
    response = await app.redeem((await app.through(client_id=client))["code"], (client, SECRET))
    found: dict[str, Any] = response.json()
    return found


async def sign_out(app: Application, tokens: dict[str, Any]) -> None:
    """Sign Siti out."""
    await app.visitor.get(f"/logout?{urlencode({'id_token_hint': tokens['id_token']})}")


async def siti(app: Application) -> str:
    """Give Siti's id."""
    (account,) = await app.provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, app.provider.person().email))
    return account.person


async def fetch(app: Application, client: str, **asked: Any) -> dict[str, Any]:
    """Poll."""
    response = await app.http.post("/signals/poll", json={"returnImmediately": True, **asked}, auth=(client, SECRET))
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found
