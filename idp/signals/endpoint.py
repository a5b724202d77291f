"""RFC 8936, SSF 1.0: POST /signals/poll, POST /signals/verification, GET /.well-known/ssf-configuration."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import Route

from idp.notices.records import NoticeStatus
from idp.protocol import cors, sender, streams
from idp.protocol.answers import answer, refused
from idp.protocol.deliveries import event_token
from idp.protocol.services import services
from idp.signals import rules
from idp.signals.caller import caller, document
from idp.spec import security_event
from idp.spec.errors import ErrorCode, Refusal
from idp.spec.security_event import Signal
from keys.database import require_no_connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from idp.clients.records import Client
    from idp.notices.records import Notice
    from idp.notices.streams.records import Stream
    from idp.protocol.services import Services

WAIT: Final = 20.0
LOOK_EVERY: Final = 1.0
_WAITING: Final = asyncio.Semaphore(100)
"""How many receivers wait at once, in one process; one more is answered at once, which it may be at any time."""
_TRIALS: Final = 5
_NO_STREAM: Final = Refusal(
    ErrorCode.UNAUTHORIZED_CLIENT, "No stream to fetch from is set up for this client: ask the administrator (idp clients signals).", 403
)
_TOO_OFTEN: Final = Refusal(ErrorCode.TEMPORARILY_UNAVAILABLE, "Fetch the verification events that wait before you ask for more.", 429)


async def poll(request: Request) -> Response:
    """Take acknowledgements, and give events that wait (RFC 8936 §2)."""
    found = services(request)
    client, sent = await _asked(request, found)
    if isinstance(client, Response):
        return client
    stream = await found.notices.streams.get(client.id)
    if stream is None or not stream.held:
        return refused(_NO_STREAM)
    asked = rules.read_poll(sent)
    if isinstance(asked, str):
        return refused(Refusal(ErrorCode.INVALID_REQUEST, asked))
    await _settle(found, client, asked)
    waiting = await _waiting(request, found, client, asked)
    given = waiting[: asked.most]
    await found.notices.fetched([notice.id for notice in given], found.clock())
    sets = {notice.id: await event_token(found, notice) for notice in given}
    return answer({"sets": sets, "moreAvailable": len(waiting) > len(given)})


async def _asked(request: Request, found: Services) -> tuple[Client | Response, Any]:
    client = await caller(request, found)
    if isinstance(client, Response):
        return client, None
    sent = await document(request)
    return (refused(sent), None) if isinstance(sent, Refusal) else (client, sent)


async def _settle(found: Services, client: Client, asked: rules.Poll) -> None:
    """§2.4: what was acknowledged, or refused with an error, is not sent again. What is another's is left alone, without a word."""
    now = found.clock()
    for jti in asked.taken:
        await found.notices.close(jti, NoticeStatus.DELIVERED, now, "acknowledged", client=client.id)
    for jti, error in asked.refused.items():
        await found.notices.close(jti, NoticeStatus.REFUSED, now, f"refused: {error}", client=client.id)


async def _waiting(request: Request, found: Services, client: Client, asked: rules.Poll) -> Sequence[Notice]:
    """Give one more than was asked for, if there is; none at once, or after a while of waiting."""
    waiting = await found.notices.held(client.id, found.clock(), asked.most + 1)
    if waiting or not asked.wait or _WAITING.locked():
        return waiting
    async with _WAITING:
        for _ in range(int(WAIT / LOOK_EVERY)):
            require_no_connection("an event to come")
            await asyncio.sleep(LOOK_EVERY)
            waiting = await found.notices.held(client.id, found.clock(), asked.most + 1)
            if waiting or await request.is_disconnected():
                break
    return waiting


async def verification(request: Request) -> Response:
    """Send a verification event down the stream of who asks (SSF 1.0 §8.1.4.2)."""
    found = services(request)
    client, sent = await _asked(request, found)
    if isinstance(client, Response):
        return client
    asked = rules.read_verification(sent)
    if isinstance(asked, str):
        return refused(Refusal(ErrorCode.INVALID_REQUEST, asked))
    stream = await found.notices.streams.get(client.id)
    if stream is None or asked.stream != client.id:
        return refused(Refusal(ErrorCode.INVALID_REQUEST, "There is no such stream.", 404))
    if await _tries(found, stream) >= _TRIALS:
        return refused(_TOO_OFTEN, {"retry-after": "60"})
    await streams.verify(found, stream, asked.state)
    return Response(status_code=204)


async def _tries(found: Services, stream: Stream) -> int:
    newest = await found.notices.of_client(stream.client, limit=20)
    return sum(one.event == Signal.VERIFICATION and one.status is NoticeStatus.WAITING for one in newest)


async def configuration(request: Request) -> Response:
    """Give the metadata of this transmitter (SSF 1.0 §7.1)."""
    return answer(security_event.transmitter(services(request).settings.issuer), headers={"cache-control": "public, max-age=300"})


routes = [
    Route("/signals/poll", sender.offering(poll), methods=["POST"]),
    Route("/signals/verification", sender.offering(verification), methods=["POST"]),
    Route("/.well-known/ssf-configuration", cors.public(configuration), methods=["GET"]),
]
